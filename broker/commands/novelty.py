"""``gueststar novelty``: the night's selection of objects of no known class, and why each was selected."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import click

from broker.commands.options import SEED, CommandGroup, json_option, with_settings
from broker.commands.progress_bars import progress_bars
from broker.settings import Settings
from broker.text_output import printable
from schemas.night import FIRST_NIGHT, LAST_NIGHT, date_of

if TYPE_CHECKING:
    from rich.console import Console

NIGHT = click.IntRange(FIRST_NIGHT, LAST_NIGHT)


@click.group(cls=CommandGroup)
def novelty() -> None:
    """Objects of no known class: `novelty select` selects a night's, `novelty show` lists them, `novelty explain`
    says why one was selected, `novelty nulls` manages the labelled objects they are compared with."""


@novelty.command()
@click.option("--night", type=NIGHT, help="Last night of the window, MJD of its evening; default: the newest night.")
@click.option("--strict", is_flag=True, help="A selection whose error rate is proven for finite samples; finds less.")
@click.option("--seed", type=SEED, default=1, show_default=True, help="Random seed.")
@click.option("--dry-run", is_flag=True, help="Show the selection without publishing it.")
@json_option
@with_settings("home", "novelty_fdr", "novelty_window_nights")
def select(night: int | None, strict: bool, seed: int, dry_run: bool, as_json: bool, settings: Settings) -> None:
    """Select the objects of the last nights that belong to no known class, and publish those that are new.

    Each object is tested once, by its newest alert, against labelled objects of known classes (nulls): labels that were
    drawn at random or imported. With 500 nulls or more, a fraction --novelty-fdr of what is selected is expected to be
    of known classes; with fewer, the list holds the strangest objects and is marked uncontrolled. A published object is
    not withdrawn. The running job does this at the end of each night.
    """
    from broker.kafka import topics
    from broker.operate.discoveries import select_night

    now_ms = time.time_ns() // 1_000_000
    with progress_bars() as progress:
        chosen = select_night(
            settings, night=night, strict=strict, seed=seed, now_ms=now_ms, publish=not dry_run, progress=progress
        )
    of_night, new = chosen.of_night, chosen.of_objects
    if as_json:
        click.echo(json.dumps(_report(of_night, new, dry_run)))
        return
    _show(new)
    click.echo(_summary(of_night, len(new)))
    if new:
        click.echo("nothing was published (--dry-run)" if dry_run else f"published to {topics.novel(settings)}")


@novelty.command()
@click.option("--night", type=NIGHT, help="Only what was selected in this night, MJD of its evening.")
@json_option
@with_settings("home")
def show(night: int | None, as_json: bool, settings: Settings) -> None:
    """List the nights' selections and the novel objects, alike ones together."""
    from broker.kafka.message_log import novel_log, selections_log

    nights = [stored.record for stored in selections_log(settings).read()]
    objects = [stored.record for stored in novel_log(settings).read()]
    if night is not None:
        nights, objects = ([one for one in records if one["night"] == night] for records in (nights, objects))
    newest = nights[-1] if nights else None
    if as_json:
        click.echo(json.dumps(_listed(nights, objects)))
        return
    _show(_in_groups(objects, newest))
    for one in nights:
        click.echo(_summary(one, sum(o["night"] == one["night"] for o in objects)))
    if not nights:
        click.echo("no night's selection yet: `gueststar novelty select` makes one")


@novelty.command()
@click.argument("object_name", metavar="OBJECT")
@json_option
@with_settings("home")
def explain(object_name: str, as_json: bool, settings: Settings) -> None:
    """Say why an object was selected: OBJECT is its name or number."""
    from broker.kafka.message_log import novel_log

    objects = [stored.record for stored in novel_log(settings).read()]
    of_object = [one for one in objects if object_name in (one["object_name"], str(one["object_id"]))]
    if not of_object:
        raise click.ClickException(
            f"{object_name} was not selected so far; {len(objects):,} objects were: `gueststar novelty show`"
        )
    record = of_object[-1]
    if as_json:
        click.echo(json.dumps(_plain(record)))
    else:
        click.echo(_explained(record, {one["object_id"]: one["object_name"] for one in objects}))


def _report(of_night: dict[str, Any], new: list[dict[str, Any]], dry_run: bool) -> dict[str, Any]:
    return {
        "night": of_night["night"],
        "nights": of_night["nights"],
        "selected": len(new),
        "selected_in_window": len(of_night["object_ids"]),
        "controlled": of_night["control"] != "uncontrolled",
        "control": of_night["control"],
        "fdr": of_night["fdr"],
        "q": [_number(one["q_value"]) for one in new],
        "objects": [_plain(one) for one in new],
        "n_objects": of_night["n_objects"],
        "n_nulls": of_night["n_nulls"],
        "groups": len(set(of_night["groups"])),
        "model_sha256": of_night["model_sha256"],
        "published": not dry_run,
    }


def _listed(nights: list[dict[str, Any]], objects: list[dict[str, Any]]) -> dict[str, Any]:
    newest = nights[-1] if nights else None
    return {
        "night": newest["night"] if newest else None,
        "selected": len(objects),
        "controlled": bool(newest) and newest["control"] != "uncontrolled" if newest else False,
        "q": [_number(one["q_value"]) for one in objects],
        "objects": [_plain(one) for one in objects],
        "nights": [_plain(one) for one in nights],
    }


def _plain(record: dict[str, Any]) -> dict[str, Any]:
    from schemas.messages import to_json

    plain: dict[str, Any] = json.loads(to_json(record))
    return plain


def _number(value: float) -> float | None:
    return value if value == value else None


def _summary(of_night: dict[str, Any], n_new: int) -> str:
    control = of_night["control"]
    words = {
        "controlled": f"at an expected rate of false discoveries of {of_night['fdr']:g}",
        "strict": f"at a rate of false discoveries of {of_night['fdr']:g}, proven for finite samples",
        "uncontrolled": f"not controlled: {of_night['n_nulls']:,} nulls are too few for an error rate (it takes 500)",
    }[control]
    return (
        f"{date_of(of_night['night'])}: {n_new:,} new of {len(of_night['object_ids']):,} selected among "
        f"{of_night['n_objects']:,} objects of {of_night['nights']} nights, {words}"
    )


def _in_groups(objects: list[dict[str, Any]], newest: dict[str, Any] | None) -> list[dict[str, Any]]:
    """Each object with its group in the newest selection, alike ones together."""
    group = dict(zip(newest["object_ids"], newest["groups"], strict=True)) if newest else {}
    placed = [{**one, "group": group.get(one["object_id"], one["group"])} for one in objects]
    return sorted(placed, key=lambda one: (one["object_id"] not in group, one["group"], one["rank"]))


def _show(objects: list[dict[str, Any]]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from schemas.taxonomy import name_or_id

    if not objects:
        return
    console = Console()
    table = Table(box=box.SIMPLE_HEAD)
    for column in ("group", "q", "rank"):
        table.add_column(column, justify="right", no_wrap=True)
    for column in ("object", "most probable", "nearest known", "what sets it apart, in standard deviations"):
        table.add_column(column, no_wrap=column != "what sets it apart, in standard deviations")
    for one in objects:
        nearest = ", ".join(dict.fromkeys(map(name_or_id, one["nearest_known_class_ids"])))
        q = one["q_value"]
        table.add_row(
            str(one["group"]),
            f"{q:.3f}" if q == q else "–",
            str(one["rank"]),
            Text(printable(one["object_name"])),
            f"{name_or_id(one['class_id'])} {max(one['p_survey'], default=0):.2f}",
            nearest,
            Text(_drivers(one, 3)),
        )
    _wide(console).print(table)


def _wide(console: Console) -> Console:
    from rich.console import Console as Wide

    return console if console.is_terminal else Wide(width=140)


def _drivers(record: dict[str, Any], most: int) -> str:
    pairs = zip(record["driver_features"], record["driver_deviations"], strict=True)
    return ", ".join(f"{printable(name)} {deviation:+.1f}" for name, deviation in list(pairs)[:most])


def _explained(record: dict[str, Any], names: dict[int, str]) -> str:
    from schemas.taxonomy import name_or_id

    of_known = zip(record["nearest_known_object_ids"], record["nearest_known_class_ids"], strict=True)
    novel = (names.get(one, str(one)) for one in record["nearest_novel_object_ids"])
    q, p = record["q_value"], record["p_value"]
    if record["control"] == "uncontrolled":
        promise = "one of the strangest objects; not controlled: there were too few labelled objects for an error rate"
    else:
        promise = (
            f"q-value {q:.3f}, p-value {p:.2g} among {record['n_nulls']:,} labelled objects of known classes; "
            f"selected at a false-discovery rate of {record['fdr']:g} ({record['control']})"
        )
    lines = [
        f"{record['object_name']}  RA {record['ra_deg']:.5f}  Dec {record['dec_deg']:+.5f} deg",
        f"selected on {date_of(record['night'])}, rank {record['rank']:,} of {record['n_objects']:,} objects",
        promise,
        f"most probable class: {name_or_id(record['class_id'])} {max(record['p_survey'], default=0):.2f}",
        "what sets it apart from that class, in its standard deviations:",
        *(
            f"  {name:<28} {deviation:+.1f}"
            for name, deviation in zip(record["driver_features"], record["driver_deviations"], strict=True)
        ),
        "most alike among objects of known classes: "
        + (", ".join(f"{one} ({name_or_id(class_id)})" for one, class_id in of_known) or "none"),
        "most alike among the novel ones: " + (", ".join(novel) or "none"),
        f"its newest alert: {record['input_topic']}, partition {record['input_partition']}, "
        f"offset {record['input_offset']}",
    ]
    return "\n".join(printable(line) for line in lines)


@novelty.group(cls=CommandGroup)
def nulls() -> None:
    """Labelled light curves as nulls: `nulls add` measures a set, `nulls list` lists the sets, `nulls remove` removes
    one. Labels of objects of the stream need no set: they are nulls by themselves."""


@nulls.command("add")
@click.argument("source", metavar="SET")
@click.option("--name", help="Name to keep it under; default: the last part of SET.")
@json_option
@with_settings("home")
def add(source: str, name: str | None, as_json: bool, settings: Settings) -> None:
    """Measure the labelled light curves of SET and keep them as nulls.

    SET is plasticc, plasticc-test or a path, as for `gueststar train --data`. It has to be a fair sample of the objects
    of known classes in this very stream: the same survey, the same selection, the same depth. Nulls that are brighter
    or from elsewhere make most of what is selected false.
    """
    from broker.operate.null_sets import add_set

    with progress_bars() as progress:
        kept, count = add_set(settings, source, name, progress)
    if as_json:
        click.echo(json.dumps({"name": kept, "objects": count}))
    else:
        click.echo(f"{count:,} labelled objects are kept as {kept}")


@nulls.command("list")
@json_option
@with_settings("home")
def list_(as_json: bool, settings: Settings) -> None:
    """List the sets that are kept, with their numbers of objects."""
    from broker.operate.null_sets import sets

    counts = {name: len(objects) for name, objects in sets(settings).items()}
    if as_json:
        click.echo(json.dumps({"sets": counts}))
        return
    for name, count in counts.items():
        click.echo(f"{printable(name):<24} {count:,} objects")
    if not counts:
        click.echo("no sets: `gueststar novelty nulls add SET` keeps one")


@nulls.command("remove")
@click.argument("name")
@json_option
@with_settings("home")
def remove(name: str, as_json: bool, settings: Settings) -> None:
    """Remove the set NAME."""
    from broker.operate.null_sets import remove_set

    remove_set(settings, name)
    click.echo(json.dumps({"removed": name}) if as_json else f"{printable(name)} is removed")

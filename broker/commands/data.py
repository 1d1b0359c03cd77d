"""``gueststar data``: the known data sets, what they hold, and your own light curves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from broker.commands.light_curves import load
from broker.commands.options import CommandGroup, FilePath, json_option, with_settings
from broker.commands.progress_bars import progress_bars
from broker.settings import Settings
from broker.text_output import printable
from schemas.counts import counted

if TYPE_CHECKING:
    from models.datasets.cards import Card
    from models.datasets.check import Checked


@click.group(cls=CommandGroup)
def data() -> None:
    """List, describe, check and fetch sets of labelled light curves.

    Other commands take a set by its name if it is installed or was fetched, otherwise by its path. Your own light
    curves are a table with one row per point, as .parquet, .csv, .ecsv, .fits, .h5 or .arff; .csv, .ecsv and .fits may
    be gzipped. Required columns: object, time_mjd, band, flux_njy, flux_err_njy. Optional: class, is_detection, ra_deg,
    dec_deg, host_photoz, host_photoz_err. `gueststar data check PATH` checks your table.
    """


@data.command("list")
@json_option
@with_settings("home")
def list_sets(as_json: bool, settings: Settings) -> None:
    """List the known data sets and where they are on this machine."""
    from models.datasets.cards import CARDS

    rows = [(card, _place(card, settings)) for card in CARDS.values()]
    if as_json:
        click.echo(json.dumps({"sets": [{"name": c.name, "title": c.title, "place": str(p or "")} for c, p in rows]}))
        return
    for card, place in rows:
        missing = f"not on this machine: `gueststar data fetch {card.name}`, or give a path"
        where = "installed" if place == card.name else place or missing
        click.echo(f"{card.name:<14} {card.title}\n{'':<14} {printable(where)}")


@data.command()
@click.argument("name")
@json_option
def show(name: str, as_json: bool) -> None:
    """Show the card of the set NAME: source, licence, units, columns, classes, pitfalls."""
    from schemas.taxonomy import name_of

    card = _card(name)
    if as_json:
        click.echo(json.dumps(card.to_json()))
        return
    click.echo(
        f"{card.title}\n{card.about}\n\nsource   {card.source}\nlicence  {card.licence}\nunits    {card.units}\n"
    )
    for column, meaning in card.columns.items():
        click.echo(f"  {column}: {meaning}")
    if card.objects:
        classes = ", ".join(f"{name_of(class_id)} {n:,}" for class_id, n in card.objects.items())
        click.echo(f"\n{sum(card.objects.values()):,} objects: {classes}")
    click.echo("\nPitfalls")
    for trap in card.traps:
        click.echo(f"- {trap}")
    for file, digest in card.sha256.items():
        click.echo(f"\n{file}\nSHA-256 {digest}")


@data.command()
@click.argument("name")
@click.option("--data", "path", type=FilePath(exists=True), help="Folder or file in its format.")
@json_option
@with_settings("home")
def check(name: str, path: Path | None, as_json: bool, settings: Settings) -> None:
    """Read the set NAME and compare it with its card: checksums, numbers of objects, faults.

    NAME may also be the path of your own table or folder: then only its faults are reported. A folder with other
    objects in the same format is reported as such; this is not an error. The exit code is 1 if a light curve has a
    fault.
    """
    from dataclasses import asdict

    from models.datasets.cards import CARDS
    from models.datasets.check import check as compare

    card = None if name not in CARDS and path is None and Path(name).expanduser().exists() else _card(name)
    place = (path or _place(card, settings)) if card else Path(name).expanduser()
    if place is None:
        raise click.ClickException(f"{name} is not on this machine: give its folder with --data, or fetch it")
    labelled = load(str(place), settings, card.kind if card else None)
    checked = compare(card, labelled, place if isinstance(place, Path) else None)
    if as_json:
        fields = asdict(checked) | {"objects": {str(class_id): n for class_id, n in checked.objects.items()}}
        click.echo(json.dumps({"name": name, "place": str(place), **fields, "notes": list(labelled.notes)}))
    else:
        _print_check(card.title if card else "your own light curves", place, checked)
    if checked.faults:
        raise SystemExit(1)


@data.command()
@click.argument("name")
@click.option(
    "--from", "urls", multiple=True, metavar="URL", help="Address of a file, https:// or file://; repeatable."
)
@json_option
@with_settings("home")
def fetch(name: str, urls: tuple[str, ...], as_json: bool, settings: Settings) -> None:
    """Download the files of the set NAME into the home's data folder, where `evaluate` looks first.

    Without --from they come from the address where the set was published, if that is known. A file that differs from
    the published one is refused.
    """
    from models.datasets.fetching import fetch as bring
    from models.datasets.fetching import folder_of

    card = _card(name)
    wanted = urls or card.urls
    if not wanted:
        raise click.ClickException(
            f"no address is known for {card.name} ({card.source}): give the addresses of its files with --from"
        )
    with progress_bars() as progress:
        files = bring(card, wanted, folder_of(settings.home, card.name), progress)
    report = {"name": card.name, "files": [str(file) for file in files]}
    click.echo(json.dumps(report) if as_json else "\n".join(map(printable, files)))


@data.command()
@click.argument("src")
@click.argument("dest", type=FilePath(dir_okay=False))
@click.option("--description", is_flag=True, help="Describe the table in DEST.json, as OpenML does.")
@json_option
@with_settings("home")
def export(src: str, dest: Path, description: bool, as_json: bool, settings: Settings) -> None:
    """Write the light curves of SRC (a set's name or a path) as a table with one row per point.

    The suffix of DEST gives the format: .parquet, .csv, .fits, .h5 or .arff. Every command that takes light curves
    reads the table.
    """
    from models.datasets import description as describing
    from models.datasets import table, table_files

    table_files.require_writable(dest)
    labelled = load(src, settings)
    points = table.write(labelled, dest)
    if description:
        describing.write(points, labelled, dest)
    report = {"objects": points["object"].nunique(), "points": len(points), "out": str(dest)}
    report["notes"] = list(labelled.notes)
    line = f"{len(points):,} points of {report['objects']:,} objects in {printable(dest)}"
    click.echo(json.dumps(report) if as_json else line)


def _card(name: str) -> Card:
    from models.datasets.cards import CARDS

    if name not in CARDS:
        raise click.ClickException(
            f"no data set {name!r}; there are {', '.join(CARDS)}; `gueststar data check PATH` reads your own"
        )
    return CARDS[name]


def _place(card: Card, settings: Settings) -> Path | str | None:
    """Where the set is: fetched, installed (its name), or None."""
    from models.datasets.fetching import fetched

    return fetched(settings.home, card.name) or (card.name if card.installed else None)


def _print_check(title: str, place: Path | str, checked: Checked) -> None:
    from schemas.taxonomy import name_of

    objects, points = counted(sum(checked.objects.values()), "object"), counted(checked.points, "point")
    where = f"{'at ' if isinstance(place, Path) else 'installed as '}{printable(place)}"
    click.echo(f"{title}: {objects}, {points}, {where}")
    for file, state in checked.files.items():
        click.echo(printable(f"  {file}: {state}"))
    click.echo("  " + ", ".join(f"{name_of(class_id)} {n:,}" for class_id, n in checked.objects.items()))
    for line in checked.other_objects:
        click.echo(printable(f"  other objects than published: {line}"))
    for line in checked.faults:
        click.echo(printable(f"  fault: {line}"))
    if not checked.faults:
        click.echo("  no fault")

"""``gueststar labels``: the labels that hold now, and labels from elsewhere."""

from __future__ import annotations

import json
import time
from pathlib import Path

import click

from broker.commands.options import CommandGroup, FilePath, json_option, with_settings
from broker.settings import Settings
from broker.text_output import printable


@click.group(cls=CommandGroup, invoke_without_command=True)
@json_option
@with_settings("home")
@click.pass_context
def labels(ctx: click.Context, as_json: bool, settings: Settings) -> None:
    """The labels that hold now: `labels list` lists them, `labels import` adds those that others gave."""
    if ctx.invoked_subcommand is None:
        _list(settings, as_json)


@labels.command("list")
@json_option
@with_settings("home")
def list_(as_json: bool, settings: Settings) -> None:
    """List the labels that hold now, and the objects on which labellers disagree."""
    _list(settings, as_json)


@labels.command("import")
@click.argument("file", type=FilePath(exists=True, dir_okay=False))
@click.option("--source", required=True, help="Who gave the classes, such as TNS; it stands as the labeller.")
@click.option("--dry-run", is_flag=True, help="Show what matches, without storing it.")
@json_option
@with_settings("home")
def import_(file: Path, source: str, dry_run: bool, as_json: bool, settings: Settings) -> None:
    """Import classes that others gave to objects of the archive.

    FILE is a table (.csv, .ecsv, .fits, .parquet …) with the column class and either object (the survey's name or
    number of the object) or ra_deg and dec_deg, which are matched within 1.5 arcsec. The labels count for retraining,
    and those of known classes as nulls of `gueststar novelty select`: import only what is a fair sample of this stream.
    """
    from active_learning import imported_labels
    from broker.kafka.message_log import labels_log
    from models.datasets import label_table

    if not source.strip():
        raise click.BadParameter("the name of the source must not be blank", param_hint="--source")
    table = label_table.load(file)
    now_ms = time.time_ns() // 1_000_000
    imported = imported_labels.records_of(table, settings.home / "archive", source.strip(), now_ms)
    if not dry_run:
        with labels_log(settings) as log:
            log.append(imported.records)
    if as_json:
        counts = {"imported": len(imported.records), "absent": len(imported.absent)}
        click.echo(json.dumps({**counts, "conflicting": len(imported.conflicting), "stored": not dry_run}))
        return
    click.echo(f"{len(imported.records):,} of {len(table):,} rows are objects of the archive")
    for rows, why in ((imported.absent, "is not in the archive"), (imported.conflicting, "has two classes here")):
        if rows:
            click.echo(f"{len(rows):,} left out: the object of {table.place(rows[0])} {why}")
    click.echo("nothing was stored (--dry-run)" if dry_run else f"stored in {labels_log(settings).topic}")


def _list(settings: Settings, as_json: bool) -> None:
    from active_learning import labels
    from broker.kafka.message_log import labels_log
    from schemas.taxonomy import name_or_id

    records = [stored.record for stored in labels_log(settings).read()]
    held = sorted(labels.answers(records).values(), key=lambda answer: answer.newest["created_ms"])
    conflicts = [answer for answer in held if answer.is_conflict]
    counts = {name_or_id(class_id): n for class_id, n in labels.counts_by_class({a.object_id: a for a in held}).items()}
    if as_json:
        rows = [
            {
                "object_id": str(answer.object_id),
                "object_name": answer.object_name,
                "class_id": answer.class_id,
                "class": name_or_id(answer.class_id) if answer.class_id is not None else None,
                "conflict": answer.is_conflict,
                "labellers": {who: name_or_id(label["class_id"]) for who, label in answer.by_labeller.items()},
                "reason": answer.newest["reason"],
                "label_ids": answer.label_ids,
            }
            for answer in held
        ]
        report = {"labels": len(held) - len(conflicts), "conflicts": len(conflicts), "records": len(records)}
        click.echo(json.dumps({**report, "by_class": counts, "objects": rows}))
        return
    for answer in held:
        said = ", ".join(f"{who}: {name_or_id(label['class_id'])}" for who, label in answer.by_labeller.items())
        note = "  CONFLICT, not used" if answer.is_conflict else ""
        click.echo(printable(f"{answer.object_name:<22} {answer.newest['reason']:<10} {said}{note}"))
    by_class = ", ".join(f"{name} {n}" for name, n in sorted(counts.items(), key=lambda item: -item[1]))
    click.echo(f"{len(held) - len(conflicts)} objects labelled{': ' + by_class if by_class else ''}")
    if conflicts:
        click.echo(f"{len(conflicts)} objects on which labellers disagree: they are open on the page again")
    if not held:
        click.echo("no labels yet: `gueststar label` serves the labelling page")

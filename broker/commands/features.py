"""``gueststar features``: light curves to a feature matrix."""

from __future__ import annotations

import functools
import json
import sys
import time
from pathlib import Path
from typing import Any

import click

from broker.commands.light_curves import load, tell_passed_over
from broker.commands.options import FilePath, json_option, with_settings
from broker.commands.progress_bars import progress_bars
from broker.settings import Settings
from broker.text_output import printable
from schemas.counts import counted


@click.command()
@click.argument("src", nargs=-1, required=True, metavar="SRC…")
@click.option(
    "--out",
    required=True,
    type=FilePath(dir_okay=False),
    help="The Parquet file to write: alert_id, object_id, for labelled light curves also object (the name), and a "
    "column per feature; a missing feature is NaN.",
)
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    help="Number of processes; default: one for each core. It does not change the result.",
)
@json_option
@with_settings("home")
def features(src: tuple[str, ...], out: Path, jobs: int | None, as_json: bool, settings: Settings) -> None:
    """Extract the features of light curves.

    SRC is one or more alert files (wire messages, Avro containers, Parquet), which give one row per alert; or labelled
    light curves, which give one row per object, for the whole light curve: the name of a data set, such as plasticc,
    the path to one, or your own table.

    Finished parts are kept in a folder beside the output file, with the suffix .parts. If the command is killed, the
    same call continues from there.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from broker.stream import warm_up
    from features.catalogue import NAMES
    from models.datasets.fetching import located
    from models.training import feature_parts

    began = time.perf_counter()
    named = [located(settings.home, source) for source in src]
    plan = feature_parts.plan(named, functools.partial(load, settings=settings), tell_passed_over)
    if not plan.batches:
        raise click.ClickException(f"no alerts in {', '.join(src)}: give at least one file that holds an alert")
    with progress_bars() as compiling:
        warm_up.compiled_in_parallel(compiling)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty(), transient=True) as bar:
        task = bar.add_task("features", total=plan.total)
        resumed = 0
        for parts in feature_parts.measure(plan, out, jobs):
            resumed = parts.resumed
            bar.update(task, completed=parts.done)
        done = feature_parts.join(plan, out)
    report: dict[str, Any] = {
        "objects": done.objects,
        "alerts": done.alerts,
        "features": len(NAMES),
        "dead_letters": done.refused,
        "resumed": resumed,
        "seconds": round(time.perf_counter() - began, 3),
        "out": str(out),
    }
    if as_json:
        click.echo(json.dumps(report))
    else:
        _print(report, "alert" if any(isinstance(batch, list) for batch in plan.batches) else "object")


def _print(report: dict[str, Any], thing: str) -> None:
    """``thing``: what has a row in the file, an alert or an object."""
    lost = f", {counted(report['dead_letters'], 'message')} refused" if report["dead_letters"] else ""
    again = f", {report['resumed']:,} of them from an earlier run" if report["resumed"] else ""
    rows = f"{report['features']} features of {counted(report['alerts'], thing)}"
    click.echo(f"{rows} in {report['seconds']:.1f} s to {printable(report['out'])}{lost}{again}")

"""``gueststar convert``: light curves to wire messages."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import click

from broker.commands.light_curves import load
from broker.commands.options import SEED, FilePath, json_option, with_settings
from broker.commands.progress_bars import progress_bars
from broker.settings import Settings
from broker.text_output import printable
from schemas.counts import counted

KINDS = ("plasticc", "plasticc-test", "snana", "snana-fits", "bts", "table")


@click.command()
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("src")
@click.argument("dest", type=FilePath(file_okay=False))
@click.option("--objects", type=click.IntRange(min=1), help="At most this many objects, drawn at random.")
@click.option("--held-out", is_flag=True, help="Only objects held out of the training set by the same seed.")
@click.option("--seed", type=SEED, default=1, show_default=True, help="Random seed of the split and of the draw.")
@json_option
@with_settings("home")
def convert(
    kind: str,
    src: str,
    dest: Path,
    objects: int | None,
    held_out: bool,
    seed: int,
    as_json: bool,
    settings: Settings,
) -> None:
    """Turn light curves into alert messages, one per detection with its history.

    SRC is a folder or archive of that KIND, or the name of an installed or fetched data set of that KIND. With KIND
    table it is your own table. The command writes alerts.parquet, in time order, and truth.parquet to the folder DEST.
    Alerts that the broker would refuse, for example without a position, are left out and counted. `gueststar replay
    DEST` sends the alerts.
    """
    import numpy as np

    from models.datasets import stream_files
    from models.training import snapshots

    labelled = load(src, settings, kind)
    if held_out:
        labelled = labelled.select(snapshots.held_out(labelled, seed))
    if objects is not None and objects < len(labelled):
        chosen = np.random.default_rng(seed).choice(len(labelled), objects, replace=False)
        labelled = labelled.select(np.sort(chosen))
    with progress_bars() as progress:
        written = stream_files.write(labelled, dest, lambda done, of: progress("alerts", done, of))
    if written.left_out:
        click.echo(f"gueststar: {counted(written.left_out, 'alert')} left out: {written.reason}", err=True)
    if as_json:
        report = {"objects": len(labelled), "alerts": written.alerts, "left_out": written.left_out, "dest": str(dest)}
        click.echo(json.dumps(report))
    else:
        folder = printable(dest)
        count = f"{counted(written.alerts, 'alert')} of {counted(len(labelled), 'object')}"
        click.echo(f"{count} in {folder}/{stream_files.ALERTS_FILE}")
        click.echo(f"true classes and names of the objects in {folder}/{stream_files.TRUTH_FILE}")
        click.echo(f"send the alerts with: gueststar replay {printable(shlex.quote(str(dest)))}")

"""``gueststar train``: a bundle from labelled light curves, registered with its metrics."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from broker.commands.light_curves import load
from broker.commands.options import SEED, FilePath, json_option, with_settings
from broker.commands.progress_bars import progress_bars
from broker.settings import Settings
from broker.text_output import printable

if TYPE_CHECKING:
    from models.datasets.labelled import Labelled
    from models.registry.versions import Model
    from models.training.train import Trained


@click.command()
@click.option(
    "--data",
    multiple=True,
    required=True,
    metavar="SRC",
    help="An installed or fetched data set, or a path; repeatable.",
)
@click.option("--out", type=FilePath(file_okay=False), help="Also write the bundle to this folder.")
@click.option(
    "--leave-out",
    multiple=True,
    metavar="CLASS",
    help="A class (name, slug or id) to leave out of the training; repeatable.",
)
@click.option(
    "--copies",
    type=click.FloatRange(min=0, min_open=True),
    metavar="N",
    help="Also train on N copies per object on average, moved to a greater distance: for a fainter stream.",
)
@click.option(
    "--donors", metavar="SRC", help="Light curves whose visits and noise the copies get; default: those of --data."
)
@click.option(
    "--seed", type=SEED, default=1, show_default=True, help="Random seed of the split by object and of all draws."
)
@json_option
@with_settings("home", "registry_uri")
def train(
    data: tuple[str, ...],
    out: Path | None,
    leave_out: tuple[str, ...],
    copies: float | None,
    donors: str | None,
    seed: int,
    as_json: bool,
    settings: Settings,
) -> None:
    """Train a model bundle and register it.

    The first bundle goes into production. Later ones become candidate: promote them with `gueststar models promote`.
    """
    from broker.stream import warm_up
    from models.datasets.labelled import concatenate
    from models.training.copied_rows import Copying
    from models.training.train import train as train_bundle
    from schemas.taxonomy import class_id_of

    if donors and copies is None:
        raise click.UsageError("--donors needs --copies N, the number of copies per object")
    left_out = [class_id_of(name) for name in leave_out]
    labelled = concatenate([load(source, settings) for source in data])
    copying = None if copies is None else Copying(copies, load(donors, settings) if donors else None)
    registry = settings.registry()
    with tempfile.TemporaryDirectory(prefix="gueststar-") as scratch, progress_bars() as progress:
        warm_up.compiled_in_parallel(progress)
        folder = out or Path(scratch) / "bundle"
        trained = train_bundle(
            labelled, out=folder, store=registry.store, left_out=left_out, seed=seed, copying=copying, progress=progress
        )  # fmt: skip
        model = registry.register(trained.path, trained.metrics, trained.params)
    if as_json:
        report = {"version": model.version, "sha256": model.sha256, "metrics": trained.metrics}
        click.echo(json.dumps(report | {"aliases": list(model.aliases), "path": str(model.path)}))
    else:
        _print(labelled, trained, model)


def _print(labelled: Labelled, trained: Trained, model: Model) -> None:
    """Print the metrics as a table."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(f"version {model.version} ({', '.join(model.aliases)})"), title_justify="left")
    table.add_column("on held-out objects")
    table.add_column("", justify="right")
    for name, value in trained.metrics.items():
        table.add_row(name, f"{value:.4f}")
    console = Console()
    console.print(table)
    console.print(Text(f"{printable(labelled.source)}: {len(labelled):,} objects"))
    console.print(Text(f"sha256 {model.sha256}\n{printable(model.path)}"), soft_wrap=True)

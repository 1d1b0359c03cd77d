"""``gueststar train``: a bundle from labelled light curves, registered with its metrics."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from broker.commands.light_curves import load
from broker.commands.options import json_option, with_settings
from broker.commands.progress_bars import progress_bars
from broker.settings import Settings

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
    help="A set, installed or fetched, or a path; repeatable.",
)
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Keep a copy of the bundle here.")
@click.option(
    "--leave-out", multiple=True, metavar="CLASS", help="A class (name, slug or id) to stay unknown; repeatable."
)
@click.option(
    "--copies",
    type=click.FloatRange(min=0, min_open=True),
    metavar="N",
    help="Learn from N copies an object too, moved farther away by its Gaussian process: for a stream that is fainter.",
)
@click.option(
    "--donors", metavar="SRC", help="Light curves whose visits and noise the copies have; by default those of --data."
)
@click.option("--seed", type=int, default=1, show_default=True, help="Of the split by object, and of all draws.")
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

    The first bundle goes into production; later ones become candidate, for `gueststar models promote`.
    """
    from broker.stream import warm_up
    from models.datasets.labelled import concatenate
    from models.training.copied_rows import Copying
    from models.training.train import train as train_bundle
    from schemas.taxonomy import class_id_of

    if donors and copies is None:
        raise click.UsageError("--donors are for copies: say how many with --copies N")
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
    """The table a person reads."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"version {model.version} ({', '.join(model.aliases)})", title_justify="left")
    table.add_column("on held-out objects")
    table.add_column("", justify="right")
    for name, value in trained.metrics.items():
        table.add_row(name, f"{value:.4f}")
    console = Console()
    console.print(table)
    console.print(f"{labelled.source}: {len(labelled):,} objects", highlight=False)
    console.print(f"sha256 {model.sha256}\n{model.path}", highlight=False, soft_wrap=True)

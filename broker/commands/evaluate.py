"""``gueststar evaluate``: a published test, with intervals and peers' figures beside."""

from __future__ import annotations

import json

import click

from broker.commands.options import json_option, with_settings
from broker.commands.progress import stages
from broker.settings import Settings


@click.command()
@click.argument("suite", type=click.Choice(["plasticc"]))
@click.option("--data", default="plasticc", show_default=True, help="The word plasticc, or a folder in its format.")
@click.option("--seed", type=int, default=1, show_default=True, help="Of the split by object.")
@json_option
@with_settings("home")
def evaluate(suite: str, data: str, seed: int, as_json: bool, settings: Settings) -> None:
    """Train as SUITE says and score its held-out objects, with 95 % intervals over objects."""
    from models import suites

    with stages() as progress:
        outcome = suites.run(suite, data, folder=settings.home / "models", seed=seed, progress=progress)
    if as_json:
        keys = ("value", "low", "high")
        metrics = {name: dict(zip(keys, found, strict=True)) for name, found in outcome.metrics.items()}
        report = {"suite": suite, "n_train": outcome.n_train, "n_test": outcome.n_test, "metrics": metrics}
        click.echo(json.dumps(report | {"peers": suites.PEERS}))
        return
    click.echo(f"{suite}: {outcome.n_train:,} objects learnt from, {outcome.n_test:,} held out, at their last alert")
    for name, (value, low, high) in outcome.metrics.items():
        peer = f"   peer {suites.PEERS[name]:.3f}" if name in suites.PEERS else ""
        click.echo(f"  {name:<22} {value:.3f}  [{low:.3f}, {high:.3f}]{peer}")

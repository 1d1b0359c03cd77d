"""``gueststar evaluate``: a published test, with intervals and peers' figures beside."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from broker.commands.options import json_option, with_settings
from broker.commands.progress import stages
from broker.settings import Settings

if TYPE_CHECKING:
    from models.suites.outcome import Outcome


@click.command()
@click.argument("suite", type=click.Choice(["spcc", "plasticc", "plasticc-test", "bts"]))
@click.option(
    "--data", metavar="DIR", help="Folder in the suite's format; plasticc and plasticc-test come with the installation."
)
@click.option("--seed", type=int, default=1, show_default=True, help="Of the splits by object, and of all draws.")
@json_option
@with_settings("home")
def evaluate(suite: str, data: str | None, seed: int, as_json: bool, settings: Settings) -> None:
    """Learn as SUITE says and score the objects it holds out, with 95 % intervals over objects."""
    from broker import warm_up
    from models.suites.run import run

    with stages() as progress:
        warm_up.compiled_in_parallel(progress)
        outcome = run(suite, data, folder=settings.home / "models" / "suites", seed=seed, progress=progress)
    if as_json:
        click.echo(json.dumps(outcome.to_json(), allow_nan=False))
        return
    _print(outcome)


def _print(outcome: Outcome) -> None:
    peers = {peer.metric: peer for peer in outcome.peers}
    click.echo(f"{outcome.suite}: {outcome.n_train:,} objects learnt from, {outcome.n_test:,} tested")
    for name, (value, low, high) in outcome.metrics.items():
        peer = f"   {peers[name].value:.3f} {peers[name].source}" if name in peers else ""
        click.echo(f"  {name:<44} {value:.3f}  [{low:.3f}, {high:.3f}]{peer}")
    for note in outcome.notes:
        click.echo(f"  {note}")

"""``gueststar evaluate``: a published test, with intervals and peers' figures beside."""

from __future__ import annotations

import json
from pathlib import Path
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
@click.option(
    "--report",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write report.html with the pictures, and report.json, here.",
)
@click.option(
    "--predictions",
    "entry",
    type=click.Path(dir_okay=False, exists=True, path_type=Path),
    metavar="FILE",
    help="Score this CSV of anyone's probabilities instead of learning: object, days, a column for each class.",
)
@click.option("--trial", help="The trial of the suite that the predictions are for; by default its first.")
@click.option(
    "--form",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Only write who may be learnt from and who is tested, as CSV: trial, fold, object, role.",
)
@json_option
@with_settings("home")
def evaluate(
    suite: str,
    data: str | None,
    seed: int,
    report: Path | None,
    entry: Path | None,
    trial: str | None,
    form: Path | None,
    as_json: bool,
    settings: Settings,
) -> None:
    """Learn as SUITE says and score the objects it holds out, with 95 % intervals over objects."""
    from broker import warm_up
    from models.datasets.fetching import fetched
    from models.suites import entries
    from models.suites.run import prepare, run, score_entry

    here = fetched(settings.home, suite)
    data = data or (None if here is None else str(here))
    if form is not None:
        table = entries.form(*prepare(suite, data, seed))
        table.to_csv(form, index=False)
        click.echo(json.dumps({"form": str(form), "rows": len(table)}) if as_json else f"{len(table):,} rows in {form}")
        return
    with stages() as progress:
        if entry is not None:
            outcome = score_entry(suite, data, entry, trial, seed=seed)
        else:
            warm_up.compiled_in_parallel(progress)
            outcome = run(suite, data, folder=settings.home / "models" / "suites", seed=seed, progress=progress)
        if report is not None:
            from broker.evaluation import page

            written = page.write(outcome, report, progress)
    if as_json:
        click.echo(json.dumps(outcome.to_json(), allow_nan=False))
        return
    _print(outcome)
    if report is not None:
        click.echo(f"report in {written}")


def _print(outcome: Outcome) -> None:
    peers = {peer.metric: peer for peer in outcome.peers}
    click.echo(f"{outcome.suite}: {outcome.n_train:,} objects learnt from, {outcome.n_test:,} tested")
    for name, (value, low, high) in outcome.metrics.items():
        peer = f"   {peers[name].value:.3f} {peers[name].source}" if name in peers else ""
        click.echo(f"  {name:<44} {value:.3f}  [{low:.3f}, {high:.3f}]{peer}")
    for note in outcome.notes:
        click.echo(f"  {note}")

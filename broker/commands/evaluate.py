"""``gueststar evaluate``: a published test, with intervals and the published figures of others."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING

import click

from broker.commands.light_curves import load
from broker.commands.options import SEED, FilePath, json_option, with_settings
from broker.commands.progress_bars import progress_bars
from broker.settings import Settings
from broker.text_output import printable
from schemas.taxonomy import CHALLENGE

if TYPE_CHECKING:
    from models.progress import Progress
    from models.suites.outcome import Outcome

STREAM, ROBUSTNESS, NOVELTY, ADAPTATION = "stream", "robustness", "novelty", "adaptation"


@click.command()
@click.argument(
    "suite",
    type=click.Choice(["spcc", "plasticc", "plasticc-test", "bts", CHALLENGE, STREAM, ROBUSTNESS, NOVELTY, ADAPTATION]),
)
@click.option(
    "--data",
    metavar="DIR",
    help="Folder with data in the suite's format; plasticc and plasticc-test are installed with gueststar.",
)
@click.option(
    "--seed", type=SEED, default=1, show_default=True, help="Random seed of the splits by object and of all draws."
)
@click.option(
    "--report",
    type=FilePath(file_okay=False),
    metavar="DIR",
    help="Folder for report.html, with figures, and report.json.",
)
@click.option(
    "--labels",
    "label_file",
    type=FilePath(dir_okay=False, exists=True),
    metavar="FILE",
    help="For stream: CSV or Parquet with object_id, class_id, optionally created_ms; default: the labels in Kafka.",
)
@click.option(
    "--predictions",
    "entry",
    type=FilePath(dir_okay=False, exists=True),
    metavar="FILE",
    help="Do not train; score the probabilities in this CSV file: object, days, one column for each class.",
)
@click.option(
    "--model",
    metavar="MODEL",
    help="Do not train; score this model: a version, an alias, the word shipped, or the folder of a bundle.",
)
@click.option("--trial", help="The trial of the suite that the predictions are for; default: the first.")
@click.option(
    "--form",
    type=FilePath(dir_okay=False),
    metavar="FILE",
    help="Only write the training and test objects of each fold to this CSV file: trial, fold, object, role.",
)
@json_option
@with_settings("home", "registry_uri")
def evaluate(
    suite: str,
    data: str | None,
    seed: int,
    report: Path | None,
    label_file: Path | None,
    entry: Path | None,
    model: str | None,
    trial: str | None,
    form: Path | None,
    as_json: bool,
    settings: Settings,
) -> None:
    """Run the test SUITE and print its scores, with 95 % intervals over objects.

    Most suites train as a published test prescribes, and score its held-out objects. `stream` scores the published
    classifications against labels that came later. `robustness` degrades light curves and measures how much worse
    the model in production (or --model) becomes. `novelty` hides each class in turn, and measures what of it is found
    in streams of objects, at which rate of false discoveries. `adaptation` plays the set in --data, the data of any
    suite of light curves, as a stream: the model in production (or --model) adapts to its first two thirds, and is
    measured on the last.
    """
    from models.datasets.fetching import fetched

    if suite == NOVELTY and (entry or model or form):
        raise click.UsageError("novelty trains its own networks: it takes no --model, --predictions or --form")
    here = fetched(settings.home, suite)
    data = data or (None if here is None else str(here))
    if form is not None:
        _write_form(suite, data, seed, form, as_json)
        return
    with progress_bars() as progress:
        if entry is not None and suite != STREAM:
            from models.suites.run import score_entry

            outcome = score_entry(suite, data, entry, trial, seed=seed)
        else:
            outcome = _measured(suite, data, model, label_file, seed, settings, progress)
        if report is not None:
            written = _reported(outcome, report, progress)
    if as_json:
        click.echo(json.dumps(outcome.to_json(), allow_nan=False))
        return
    _print(outcome)
    if report is not None:
        click.echo(f"report in {printable(written)}")


def _reported(outcome: Outcome, folder: Path, progress: Progress) -> Path:
    from broker.report.test_report import novelty_page, page
    from models.suites.novelty import NoveltyOutcome

    if isinstance(outcome, NoveltyOutcome):
        return novelty_page.write(outcome, folder, progress)
    return page.write(outcome, folder, progress)


def _published(settings: Settings, data: str | None, label_file: Path | None, seed: int) -> Outcome:
    """Score the published classifications against later labels."""
    from broker.report.test_report import stream

    return stream.evaluate(settings, None if data is None else Path(data), label_file, seed=seed)


def _write_form(suite: str, data: str | None, seed: int, file: Path, as_json: bool) -> None:
    from models.suites import entries
    from models.suites.run import prepare

    prepared = prepare(suite, data, seed)
    table = entries.form(prepared.labelled, prepared.trials)
    table.to_csv(file, index=False)
    click.echo(json.dumps({"form": str(file), "rows": len(table)}) if as_json else f"{len(table):,} rows in {file}")


def _measured(
    suite: str,
    data: str | None,
    model: str | None,
    label_file: Path | None,
    seed: int,
    settings: Settings,
    progress: Progress,
) -> Outcome:
    """Train and test, or test a finished model."""
    if suite == STREAM:
        return _published(settings, data, label_file, seed)
    if suite == NOVELTY:
        return _novelty(data, seed, settings, progress)
    from broker.stream import warm_up
    from models.registry.named_model import named
    from models.suites import adaptation, robustness
    from models.suites.run import run, score_model

    warm_up.compiled_in_parallel(progress)
    folder = settings.home / "models" / "suites"
    if suite == ROBUSTNESS:
        scorer = named(model or "production", settings.registry())
        return robustness.run(scorer, load(data or "plasticc", settings), seed=seed, progress=progress)
    if suite == ADAPTATION:
        if data is None:
            raise LookupError("adaptation needs a labelled set: give its folder or file with --data")
        scorer = named(model or "production", settings.registry())
        return adaptation.run(data, scorer, folder=folder, seed=seed, progress=progress)
    if model is None:
        return run(suite, data, folder=folder, seed=seed, progress=progress)
    return score_model(suite, data, named(model, settings.registry()), folder=folder, seed=seed, progress=progress)


def _novelty(data: str | None, seed: int, settings: Settings, progress: Progress) -> Outcome:
    from broker.stream import warm_up
    from models.datasets.fetching import located
    from models.suites import novelty

    warm_up.compiled_in_parallel(progress)
    source = located(settings.home, data or "plasticc")
    return novelty.run(source, folder=settings.home / "models" / "suites", seed=seed, progress=progress)


def _print(outcome: Outcome) -> None:
    peers = {peer.metric: peer for peer in outcome.peers}
    click.echo(f"{outcome.suite}: {outcome.n_train:,} training objects, {outcome.n_test:,} test objects")
    for name, (value, low, high) in outcome.metrics.items():
        peer = f"   {peers[name].value:.3f} {peers[name].source}" if name in peers else ""
        figure = "none could be judged" if math.isnan(value) else f"{value:.3f}  [{low:.3f}, {high:.3f}]"
        click.echo(f"  {name:<44} {figure}{peer}")
    for note in outcome.notes:
        click.echo(f"  {printable(note)}")

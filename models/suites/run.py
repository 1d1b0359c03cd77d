"""Run a suite: read the data, extract features, train, test, and compute the figures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from models.datasets.labelled import Labelled
from models.datasets.sources import load
from models.progress import Progress, silent
from models.scoring.scorer import Scorer
from models.suites import bts, bundled, entries, learning, plasticc, spcc
from models.suites.labelled_alerts import AlertSet
from models.suites.learners import Learner, TreesAndNetworks
from models.suites.moments import WHOLE, Moments, moments
from models.suites.outcome import Outcome
from models.suites.peers import PEERS
from models.suites.scores import Interval
from models.suites.trial import Predictions, Trial
from schemas.taxonomy import CHALLENGE

SUITES = ("spcc", "plasticc", "plasticc-test", "bts", CHALLENGE)
KIND = {"spcc": "snana", "plasticc": "plasticc", "plasticc-test": "plasticc-test", "bts": "bts"}
DEFAULT_DATA = {"plasticc": "plasticc", "plasticc-test": "plasticc-test"}
"""Installed data sets; the other suites need a folder."""

Figures = Callable[[list[tuple[Trial, Predictions]], int, int], dict[str, Interval]]
FIGURES: dict[str, Figures] = {
    "spcc": spcc.figures,
    "bts": bts.figures,
    "plasticc": plasticc.figures,
    "plasticc-test": plasticc.figures,
}


@dataclass(frozen=True, slots=True)
class Prepared:
    """A suite with its data: the objects, the trials, and the function for the figures.

    ``alerts``: set if the suite scores given alerts instead of moments of light curves.
    """

    suite: str
    labelled: Labelled
    trials: list[Trial]
    figures: Figures
    alerts: AlertSet | None = None

    def moments(self, folder: Path, progress: Progress, n_jobs: int | None, *, as_alerts: bool = False) -> Moments:
        """The moments for the learner, or with ``as_alerts`` as in the stream; features are stored in ``folder``."""
        if self.alerts is not None:
            return self.alerts.moments(folder, progress=progress, n_jobs=n_jobs)
        days, bands = self.trials[0].days, self.trials[0].trigger_bands
        return moments(
            self.labelled, days, folder, trigger_bands=bands, as_alerts=as_alerts, progress=progress, n_jobs=n_jobs
        )

    def said(self, predictions: Predictions) -> Predictions:
        """The predictions as the broker would publish them: class rates for alerts that it does not classify."""
        return predictions if self.alerts is None else self.alerts.abstained(predictions)


def prepare(suite: str, data: str | None, seed: int, *, learns: bool = True) -> Prepared:
    """A suite with its data, for training or for a finished model. Raises LookupError if suite or data are unknown."""
    if suite not in SUITES:
        raise LookupError(f"no suite {suite!r}; there are {', '.join(SUITES)}")
    source = data or DEFAULT_DATA.get(suite)
    if source is None:
        raise LookupError(f"the suite {suite} needs its data: give the folder with --data")
    if suite == CHALLENGE:
        alerts = AlertSet.load(Path(source).expanduser())
        trials = alerts.trials(seed) if learns else alerts.trials(seed, least=1)
        return Prepared(suite, alerts.labelled, trials, alerts.figures, alerts)
    labelled = load(source, KIND[suite])
    if suite == "plasticc-test":
        labelled, trials = plasticc.test_trials(load("plasticc"), labelled)
    else:
        makers = {"spcc": spcc.trials, "bts": bts.trials, "plasticc": plasticc.trials}
        trials = makers[suite](labelled, seed)
    return Prepared(suite, labelled, trials, FIGURES[suite])


def run(
    suite: str,
    data: str | None,
    *,
    folder: Path,
    seed: int = 1,
    draws: int = 200,
    learner: Learner | None = None,
    progress: Progress = silent,
    n_jobs: int | None = None,
) -> Outcome:
    """Train and test as the suite prescribes; features are stored in ``folder``.

    ``draws``: of the bootstrap. ``n_jobs``: processes that make copies, extract features and train.
    """
    prepared = prepare(suite, data, seed)
    chosen = learner or TreesAndNetworks(n_jobs=n_jobs)
    rows = prepared.moments(folder, progress, n_jobs)
    trials = bts.with_simulated(prepared.trials, load("plasticc")) if suite == "bts" else prepared.trials
    results = []
    for one in trials:
        said = learning.run(one, prepared.labelled, rows, chosen, seed=seed, progress=progress, n_jobs=n_jobs)
        results.append((one, prepared.said(said)))
    return outcome_of(prepared, results, chosen.name, seed=seed, draws=draws)


def score_model(
    suite: str,
    data: str | None,
    scorer: Scorer,
    *,
    folder: Path,
    seed: int = 1,
    draws: int = 200,
    progress: Progress = silent,
    n_jobs: int | None = None,
) -> Outcome:
    """The figures of a finished bundle on the test objects of a suite; nothing is trained.

    Raises ValueError if the bundle knows fewer than two classes of the suite, or all test objects may be in its
    training set.
    """
    prepared = prepare(suite, data, seed, learns=False)
    rows = prepared.moments(folder, progress, n_jobs, as_alerts=True)
    results = [
        (one, prepared.said(bundled.predictions(scorer, one, prepared.labelled, rows))) for one in prepared.trials
    ]
    outcome = outcome_of(prepared, results, f"model {scorer.sha256[:16]}", seed=seed, draws=draws)
    return replace(outcome, n_train=scorer.manifest["training"]["n_objects"], notes=[*outcome.notes, bundled.NOTE])


def score_entry(
    suite: str, data: str | None, entry: Path, trial_name: str | None, *, seed: int = 1, draws: int = 200
) -> Outcome:
    """The figures of the probabilities in a file for one trial of a suite, by default the first.

    Raises LookupError if the suite has no such trial, ValueError if the file is not a valid entry.
    """
    prepared = prepare(suite, data, seed)
    names = {one.name: one for one in prepared.trials}
    chosen = prepared.trials[0] if trial_name is None else names.get(trial_name)
    if chosen is None:
        raise LookupError(f"the suite {suite} has no trial {trial_name!r}; there are {', '.join(map(repr, names))}")
    predictions = entries.read(entry, prepared.labelled, chosen)
    spoken = tuple(day for day in chosen.days if day in predictions.days)
    return outcome_of(prepared, [(replace(chosen, days=spoken), predictions)], entry.name, seed=seed, draws=draws)


def outcome_of(
    prepared: Prepared, results: list[tuple[Trial, Predictions]], learner: str, *, seed: int, draws: int
) -> Outcome:
    """The figures of a suite's predictions."""
    main, metrics = results[0][1], prepared.figures(results, seed, draws)
    beside = [] if prepared.alerts is None else prepared.alerts.beside(metrics)
    bounds = [one.title for one, _ in results if one.is_upper_bound]
    return Outcome(
        suite=prepared.suite,
        n_train=main.n_train,
        n_test=len(np.unique(main.object_id[main.at(WHOLE)])),
        metrics=metrics,
        peers=PEERS.get(prepared.suite, beside),
        labelled=prepared.labelled,
        trials=results,
        learner=learner,
        notes=[f"upper bound, since no broker has a spectrum's redshift: {title}" for title in bounds],
    )

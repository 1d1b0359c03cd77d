"""Run a suite: read the data, measure features, learn, test, and give the figures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from models.datasets.labelled import Labelled
from models.datasets.sources import load
from models.learners import Learner, TreesAndNetworks
from models.suites import bts, entries, learning, plasticc, spcc
from models.suites.moments import WHOLE, moments
from models.suites.outcome import Outcome
from models.suites.peers import PEERS
from models.suites.scores import Interval
from models.suites.trial import Predictions, Trial
from models.training_rows import Progress, silent

SUITES = ("spcc", "plasticc", "plasticc-test", "bts")
KIND = {"spcc": "snana", "plasticc": "plasticc", "plasticc-test": "plasticc-test", "bts": "bts"}
DEFAULT_DATA = {"plasticc": "plasticc", "plasticc-test": "plasticc-test"}
"""Data that come with the installation; the other suites need a folder."""

Figures = Callable[[list[tuple[Trial, Predictions]], int, int], dict[str, Interval]]
FIGURES: dict[str, Figures] = {
    "spcc": spcc.figures,
    "bts": bts.figures,
    "plasticc": plasticc.figures,
    "plasticc-test": plasticc.figures,
}


def prepare(suite: str, data: str | None, seed: int) -> tuple[Labelled, list[Trial]]:
    """The objects and the trials of a suite. Raises LookupError where the suite or the data are unknown."""
    if suite not in SUITES:
        raise LookupError(f"no suite {suite!r}; there are {', '.join(SUITES)}")
    source = data or DEFAULT_DATA.get(suite)
    if source is None:
        raise LookupError(f"the suite {suite} needs its data: give the folder with --data")
    labelled = load(source, KIND[suite])
    if suite == "plasticc-test":
        return plasticc.test_trials(load("plasticc"), labelled)
    makers = {"spcc": spcc.trials, "bts": bts.trials, "plasticc": plasticc.trials}
    return labelled, makers[suite](labelled, seed)


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
    """Learn and test as the suite says; features are kept in ``folder``.

    ``draws``: of the bootstrap. ``n_jobs``: processes that measure features.
    """
    labelled, wanted = prepare(suite, data, seed)
    chosen = learner or TreesAndNetworks(n_jobs=n_jobs)
    days, bands = wanted[0].days, wanted[0].trigger_bands
    rows = moments(labelled, days, folder, trigger_bands=bands, progress=progress, n_jobs=n_jobs)
    found = [(one, learning.run(one, labelled, rows, chosen, seed=seed, progress=progress)) for one in wanted]
    return outcome_of(suite, labelled, found, chosen.name, seed=seed, draws=draws)


def score_entry(
    suite: str, data: str | None, entry: Path, trial_name: str | None, *, seed: int = 1, draws: int = 200
) -> Outcome:
    """The figures of anyone's probabilities for one trial of a suite, the first unless it is named.

    Raises LookupError where the suite has no such trial, ValueError where the file is no entry.
    """
    labelled, trials = prepare(suite, data, seed)
    names = {one.name: one for one in trials}
    chosen = trials[0] if trial_name is None else names.get(trial_name)
    if chosen is None:
        raise LookupError(f"the suite {suite} has no trial {trial_name!r}; there are {', '.join(map(repr, names))}")
    predictions = entries.read(entry, labelled, chosen)
    spoken = tuple(day for day in chosen.days if day in predictions.days)
    return outcome_of(
        suite, labelled, [(replace(chosen, days=spoken), predictions)], entry.name, seed=seed, draws=draws
    )


def outcome_of(
    suite: str, labelled: Labelled, found: list[tuple[Trial, Predictions]], learner: str, *, seed: int, draws: int
) -> Outcome:
    """The figures of a suite's predictions."""
    main = found[0][1]
    bounds = [one.title for one, _ in found if one.is_upper_bound]
    return Outcome(
        suite=suite,
        n_train=main.n_train,
        n_test=len(np.unique(main.object_id[main.at(WHOLE)])),
        metrics=FIGURES[suite](found, seed, draws),
        peers=PEERS.get(suite, []),
        labelled=labelled,
        trials=found,
        learner=learner,
        notes=[f"upper bound, since no broker has a spectrum's redshift: {title}" for title in bounds],
    )

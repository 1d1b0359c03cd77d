"""An opinion formed on simulated supernovae: right about real ones without a label of theirs, and weighed by labels."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.datasets import bts as files
from models.datasets import plasticc
from models.datasets.labelled import Labelled
from models.evaluation import auc
from models.suites import bts, copied, simulations
from models.suites.learners import TreesAndNetworks
from models.suites.moments import Moments, moments
from models.suites.trial import Trial

LEARNER = TreesAndNetworks(folds=2, iterations=20, n_jobs=1)


@pytest.fixture(scope="module")
def real(shared_data: Path) -> Labelled:
    """Supernovae of the survey, the types Ia and II."""
    whole = files.load(shared_data / "bts")
    types = whole.truth.type_name
    rows = [np.flatnonzero(types == name)[:60] for name in ("SN Ia", "SN II")]
    return whole.select(np.concatenate(rows))


@pytest.fixture(scope="module")
def simulated() -> Labelled:
    whole = plasticc.load()
    asked = np.isin(whole.class_id, list(bts.SIMULATED_AS)) & (whole.truth.redshift > 0)
    rows = [np.flatnonzero(asked & (whole.class_id == one))[:50] for one in np.unique(whole.class_id[asked])]
    return whole.select(np.concatenate(rows))


@pytest.fixture(scope="module")
def shown(real: Labelled) -> Moments:
    return moments(real, bts.DAYS, None, drawn=0, n_jobs=1)


def trial_of(real: Labelled, simulated: Labelled, name: str) -> Trial:
    return next(one for one in bts.with_simulated(bts.trials(real, 1), simulated) if one.name == name)


@pytest.fixture(scope="module")
def said(real: Labelled, simulated: Labelled, shown: Moments) -> np.ndarray:
    return simulations.opinion(trial_of(real, simulated, "5"), real, shown, LEARNER, 1, n_jobs=1)


def test_who_learnt_from_simulations_alone_tells_real_types_apart(
    real: Labelled, shown: Moments, said: np.ndarray
) -> None:
    whole = np.isinf(shown.days)
    is_ia = real.truth.type_name[shown.object_row[whole]] == "SN Ia"
    assert auc((said[:, 0] - said[:, 1])[whole], is_ia) > 0.85
    assert said.shape == (len(shown), 5)
    assert said.sum(axis=1) == pytest.approx(0, abs=1e-9)
    assert np.array_equal(said[:, 1], said[:, 2])  # the simulation has one class for II and IIn


def test_neither_class_nor_redshift_of_the_real_ones_is_looked_at(
    real: Labelled, simulated: Labelled, shown: Moments, said: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(simulations, "_SAID", {})
    monkeypatch.setattr(copied, "_KEPT", {})
    n = len(real)
    truth = replace(real.truth, redshift=np.full(n, np.nan), type_name=real.truth.type_name[::-1])
    other = replace(real, class_id=real.class_id[::-1], truth=truth)
    again = simulations.opinion(trial_of(other, simulated, "5"), other, shown, LEARNER, 1, n_jobs=1)
    assert np.array_equal(again, said)


def test_trials_of_other_classes_share_it(
    real: Labelled, simulated: Labelled, shown: Moments, said: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TreesAndNetworks, "fit", None)  # nothing is learnt again
    three = simulations.opinion(trial_of(real, simulated, "3"), real, shown, LEARNER, 1, n_jobs=1)
    of_supernovae = said[:, [0, 1, 4]]
    assert three == pytest.approx(of_supernovae - of_supernovae.mean(axis=1, keepdims=True))


def test_an_opinion_is_weighed_by_how_right_it_is(shown: Moments) -> None:
    rng = np.random.default_rng(1)
    label = rng.integers(0, 2, 400)
    rows = shown.select(rng.integers(0, len(shown), 400))
    noise = rng.normal(size=rows.features.shape)
    rows = replace(rows, features=noise, portrait=rows.portrait[:, :0], detections=np.full(400, 5))
    right = np.stack([1.0 - 2.0 * label, 2.0 * label - 1.0], axis=1)
    losses = []
    for opinion in (np.zeros((400, 0)), right, right[rng.permutation(400)]):
        p = LEARNER.fit(replace(rows, opinion=opinion), label, np.arange(400), 2, 1).held_out
        losses.append(-np.log(p[np.arange(400), label]).mean())
    none, true, chance = losses
    assert true < 0.5 * none
    assert chance == pytest.approx(none, abs=0.02)

"""Suites: nobody is on both sides of a split, moments are causal, and the figures have the names that were promised."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.datasets import bts as bts_files
from models.datasets import snana
from models.datasets.labelled import Labelled
from models.evaluation import macro_f1
from models.scoring.redshift_features import redshift_features
from models.suites import bts, learning, run, spcc
from models.suites.learners import (
    FEW_ROWS,
    LARGE,
    MOST_ROWS,
    SMALL,
    Learnt,
    TreesAndNetworks,
    drawn,
    kinds_of,
    matrix,
    row_weight,
    views_of,
)
from models.suites.moments import WHOLE, Moments, moments, trigger_mjd
from models.suites.trial import folds_of, shared_groups
from tests.unit.features.made_curves import curves as made_curves


@settings(max_examples=20, deadline=None)
@given(st.integers(20, 200), st.integers(1, 30), st.integers(0, 10**6))
def test_folds_keep_groups_whole_and_test_every_object_once(n: int, n_groups: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    group = rng.integers(0, n_groups, n)
    label = group % 3 - 1  # a group has one label; label -1 takes no part
    folds = folds_of(group, label, 4, seed, np.arange(n))
    assert shared_groups(folds, group) == 0
    tested = np.concatenate([test for _, test in folds])
    assert sorted(tested.tolist()) == np.flatnonzero(label >= 0).tolist()
    assert all(not np.intersect1d(train, test).size for train, test in folds)


def test_folds_do_not_depend_on_the_order_of_objects() -> None:
    ids = np.arange(50) * 7 + 1
    label = ids % 2
    order = np.random.default_rng(1).permutation(50)
    one, other = (folds_of(i, i % 2, 5, 3, i) for i in (ids, ids[order]))
    for (_, test), (_, again) in zip(one, other, strict=True):
        assert set(ids[test]) == set(ids[order][again])
    assert label.sum() == 25


def two_rows() -> Moments:
    from features.catalogue import NAMES

    return Moments(
        features=np.full((2, len(NAMES)), 1.0),
        object_row=np.arange(2),
        object_id=np.arange(2),
        mjd=np.zeros(2),
        days=np.full(2, WHOLE),
        detections=np.ones(2, np.int64),
        is_new=np.ones(2, bool),
        redshift=np.full(2, np.nan),
        redshift_err=np.full(2, np.nan),
        is_copy=np.zeros(2, bool),
        number=np.arange(2),
        portrait=np.zeros((2, 0), np.float32),
        opinion=np.zeros((2, 0)),
    )


def test_portraits_have_a_kind_of_their_own_but_not_beside_copies() -> None:
    rows = replace(two_rows(), portrait=np.full((2, 7), 0.5, np.float32))
    assert kinds_of(two_rows(), 14) == (("trees", "network"), SMALL)
    assert kinds_of(rows, 14) == (("trees", "network", "portrait"), SMALL)
    many = rows.select(np.zeros(FEW_ROWS, int))
    assert kinds_of(many, 3) == (("trees", "network", "portrait"), SMALL)
    kinds, networks = kinds_of(many, 14)
    assert (kinds, networks) == (("trees", "network", "portrait", "both"), LARGE)
    copied = replace(rows, is_copy=np.ones(2, bool))
    assert kinds_of(Moments.concatenate([many, copied]), 14) == (("trees", "network"), SMALL)
    views = views_of(rows, kinds)
    assert tuple(views) == kinds
    assert np.array_equal(views["both"], np.concatenate([views["network"], views["portrait"]], axis=1))


def test_a_member_learns_from_no_more_rows_than_it_may() -> None:
    assert drawn(MOST_ROWS, 1).all()
    some, others = drawn(3 * MOST_ROWS, 1), drawn(3 * MOST_ROWS, 2)
    assert some.sum() == pytest.approx(MOST_ROWS, rel=0.02)
    assert (some & others).sum() == pytest.approx(MOST_ROWS / 3, rel=0.05)  # each draws its own


def test_without_a_redshift_nothing_is_added_and_nothing_made_up() -> None:
    from features.catalogue import NAMES

    rows = two_rows()
    assert matrix(rows).shape == (2, len(NAMES))
    with_photoz = matrix(rows.with_redshift([0.5, np.nan], [0.05, np.nan]))
    assert with_photoz.shape[1] == len(NAMES) + 40
    assert np.isnan(with_photoz[1, len(NAMES) :]).all()
    assert np.isfinite(with_photoz[0]).all()
    twice = redshift_features(rows.features, np.array([0.5, 0.5]), np.array([0.05, 0.05]))
    assert np.array_equal(twice[0], with_photoz[0, len(NAMES) :])
    copied = replace(rows, is_copy=np.ones(2, bool))
    assert row_weight(Moments.concatenate([rows, rows, copied])).tolist() == [0.5] * 4 + [1, 1]


def test_the_challenges_splits(large_data: Path) -> None:
    labelled = snana.load(large_data / "spcc")
    by_name = {trial.name: trial for trial in spcc.trials(labelled, 1)}
    kinds = ("random", "spectroscopic", "grouped")
    assert set(by_name) == {*kinds, *(f"{name}_photoz" for name in kinds)}
    assert len(by_name["random"].folds[0][0]) == spcc.N_TRAIN
    (learnt, tested), *_ = by_name["spectroscopic"].folds
    assert labelled.truth.spectroscopic[learnt].all()
    assert not labelled.truth.spectroscopic[tested].any()
    assert shared_groups(by_name["grouped"].folds, labelled.truth.family()) == 0


@pytest.fixture(scope="module")
def few(shared_data: Path) -> Labelled:
    whole = bts_files.load(shared_data / "bts")
    rng = np.random.default_rng(1)
    types = whole.truth.type_name
    rare = np.flatnonzero(~np.isin(types, ["SN Ia", "SN II"]))
    common = rng.choice(np.flatnonzero(np.isin(types, ["SN Ia", "SN II"])), 60, replace=False)
    return whole.select(np.sort(np.concatenate([rare, common])))


def test_a_moment_knows_nothing_of_later_points(few: Labelled, tmp_path: Path) -> None:
    some = few.select(np.arange(12))
    rows = moments(some, (3.0, 7.0), tmp_path / "a", n_jobs=1)
    first = trigger_mjd(some.light_curves)
    cut = some.light_curves.before(first + 7.0)
    earlier = moments(replace(some, light_curves=cut, fingerprint="cut"), (3.0, 7.0), tmp_path / "b", n_jobs=1)
    for days in (3.0, 7.0):
        old, new = earlier.at(days), rows.at(days)
        same = old.mjd == new.mjd  # where the light curve goes on after day 7
        assert same.any()
        assert np.array_equal(old.features[same], new.features[same], equal_nan=True)
        assert np.array_equal(old.portrait[same], new.portrait[same])
        assert old.portrait[same].any()
    assert (rows.at(WHOLE).mjd == some.light_curves.alert_mjd).all()
    again = moments(some, (3.0, 7.0), tmp_path / "a", n_jobs=1)
    assert np.array_equal(again.features, rows.features, equal_nan=True)
    assert np.array_equal(again.portrait, rows.portrait)


def test_an_object_triggers_when_it_is_detected_in_two_bands() -> None:
    time, band = np.array([10.0, 12.0, 15.0, 18.0, 20.0]), [1, 1, 2, 2, 3]
    curves = made_curves(np.zeros(5), time, np.full(5, 100.0), np.ones(5), band, is_detection=[1, 1, 0, 1, 1])
    assert trigger_mjd(curves).tolist() == [10.0]
    assert trigger_mjd(curves, bands=2).tolist() == [18.0]
    assert trigger_mjd(curves, bands=4).tolist() == [10.0]  # never detected in so many


def test_rates_are_balanced_as_far_as_it_helps() -> None:
    rng = np.random.default_rng(1)
    label = (rng.random(2_000) < 0.1).astype(np.int64)
    signal = rng.normal(size=2_000) + 1.5 * label
    odds = 0.1 / 0.9 * np.exp(1.5 * signal - 1.125)  # the true posterior: the rare class is hardly ever the likelier
    p = np.stack([1 / (1 + odds), odds / (1 + odds)], axis=1)
    mix = np.array([0.9, 0.1])
    chosen = learning.best_balance(p, label, np.full(2_000, np.inf), mix)
    one = np.ones(2_000)
    assert 0 < chosen < 1
    assert macro_f1(learning.balanced_choice(p, mix, chosen), label, one) > macro_f1(p, label, one) + 0.02
    assert learning.balanced_choice(p, mix, 0.0) == pytest.approx(p)


@dataclass(frozen=True)
class ClassRates:
    """The simplest learner there is: everything is as common as in what it saw."""

    rates: np.ndarray = field(default_factory=lambda: np.zeros(0))
    name: str = "class rates"

    def fit(self, rows: Moments, label: np.ndarray, group: np.ndarray, n_classes: int, seed: int) -> Learnt:
        rates = np.bincount(label, minlength=n_classes) / len(label)
        fitted = ClassRates(rates)
        return Learnt(fitted, fitted.predict_proba(rows))

    def predict_proba(self, rows: Moments) -> np.ndarray:
        return np.tile(self.rates, (len(rows), 1))


def test_the_promised_names_are_there(few: Labelled, tmp_path: Path) -> None:
    both = TreesAndNetworks(folds=2, iterations=3, n_jobs=1)
    five, three = (trial for trial in bts.trials(few, 1) if "redshift" not in trial.name)
    rows = moments(few, bts.DAYS, tmp_path, n_jobs=1)
    runs = [(one, learning.run(one, few, rows, by, seed=1)) for one, by in ((five, both), (three, ClassRates()))]
    outcome = run.outcome_of(run.Prepared("bts", few, [five, three], bts.figures), runs, both.name, seed=1, draws=20)
    report = json.loads(json.dumps(outcome.to_json(), allow_nan=False))
    names = {"macro_f1_5", "accuracy_3", "ece", *(f"accuracy_3_day{d}" for d in (3, 7, 15, 30))}
    assert names <= set(report["metrics"])
    for name in names:
        value = report["metrics"][name]
        assert 0 <= value["low"] <= value["high"] <= 1
    for _, predictions in runs:
        assert predictions.p.sum(axis=1) == pytest.approx(1)


def test_unknown_suites_and_missing_data_say_what_to_do() -> None:
    with pytest.raises(LookupError, match="there are spcc"):
        run.prepare("other", None, 1)
    with pytest.raises(LookupError, match="--data"):
        run.prepare("spcc", None, 1)

"""Calibration lowers log-loss; priors act as Bayes says; the trees sum as scikit-learn's do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from broker.bench.scikit_trees import scikit_model
from models.bundle import BundleError
from models.evaluation import auc, bootstrap, expected_calibration_error, flat_log_loss, macro_f1
from models.scoring.calibration import EPOCH_EDGES, Calibration, epoch_bin, survey_prior, with_prior
from models.scoring.classifier import TREES_FILE, Boosting, Classifier, boosted, softmax


def overconfident(n: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Logits three times too large at one detection, twice too small at twenty, true classes, detections."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(n, 4)) * 2
    index = (softmax(z).cumsum(axis=1) > rng.random(n)[:, None]).argmax(axis=1)
    detections = np.where(rng.random(n) < 0.5, 1, 20)
    return z * np.where(detections == 1, 3.0, 0.5)[:, None], index, detections


def test_calibration_lowers_log_loss_and_its_error_in_every_epoch() -> None:
    raw, index, detections = overconfident(4_000, 1)
    fitted = Calibration.fit(raw, index, np.ones(len(raw)), detections)
    raw, index, detections = overconfident(4_000, 2)
    p = fitted.p_flat(raw, detections)
    for n in (1, 20):
        shown, weight = detections == n, np.ones((detections == n).sum())
        before, after = softmax(raw[shown]), p[shown]
        assert flat_log_loss(after, index[shown], weight) < flat_log_loss(before, index[shown], weight) - 0.02
        errors = [expected_calibration_error(q, index[shown], weight) for q in (before, after)]
        assert errors[1] < min(errors[0] / 2, 0.05)
    assert fitted.log_slope[epoch_bin([1])[0]] == pytest.approx(-np.log(3), abs=0.15)
    assert fitted.log_slope[epoch_bin([20])[0]] == pytest.approx(np.log(2), abs=0.15)


def test_an_epoch_without_objects_keeps_the_overall_fit() -> None:
    raw, index, _ = overconfident(500, 3)
    fitted = Calibration.fit(raw, index, np.ones(500), np.ones(500))
    assert np.isfinite(fitted.log_slope).all()
    assert fitted.log_slope[-1] == pytest.approx(fitted.log_slope[0], abs=0.2)
    assert len(fitted.log_slope) == len(EPOCH_EDGES) + 1


def test_calibration_survives_its_file() -> None:
    raw, index, detections = overconfident(300, 4)
    fitted = Calibration.fit(raw, index, np.ones(300), detections)
    again = Calibration.from_json(fitted.to_json())
    assert np.array_equal(again.p_flat(raw, detections), fitted.p_flat(raw, detections))


def test_a_prior_multiplies_and_normalises() -> None:
    assert with_prior(np.array([[0.5, 0.5]]), np.array([0.9, 0.1])).tolist() == [
        [pytest.approx(0.9), pytest.approx(0.1)]
    ]
    prior = survey_prior([2222, 2224, 2999], {2222: 300, 2224: 100}, {2222: 5, 2999: 5})
    assert prior.sum() == pytest.approx(1)
    assert prior[0] / prior[1] == pytest.approx(3)
    assert prior[2] > 0  # a class without a published rate takes its fraction of the sample


@pytest.mark.parametrize("n_classes", [2, 4])
def test_trees_sum_as_scikit_learns_do_and_survive_the_file(n_classes: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(n_classes)
    x = rng.normal(size=(400, 5))
    x[rng.random(x.shape) < 0.2] = np.nan
    y = 2222 + np.minimum((np.nan_to_num(x[:, 0]) > 0) * 2 + (np.nan_to_num(x[:, 1]) > 0), n_classes - 1)
    model = boosted(x, y, np.ones(400), seed=1, boosting=Boosting(max_iterations=8))
    fitted = Classifier.of(model)
    new = rng.normal(size=(37, 5)) * 3
    new[0], new[1], new[2] = np.nan, np.inf, -np.inf
    new[3:20] = model._predictors[0][0].nodes["num_threshold"][0]  # a value at a threshold goes left
    theirs = model.predict_proba(new)
    assert np.allclose(softmax(fitted.raw_scores(new)), theirs, atol=1e-12)
    fitted.save(tmp_path)
    again = Classifier.load(tmp_path)
    assert np.array_equal(again.raw_scores(new), fitted.raw_scores(new))
    assert again.iterations == fitted.iterations == model.n_iter_
    assert np.array_equal(scikit_model(again, 5).predict_proba(new), theirs)  # the benchmark's peer is the same model
    with pytest.raises(ValueError, match="features or more, found 1"):
        again.raw_scores(new[:, :1])
    assert fitted.raw_scores(new[:0]).shape == (0, len(fitted.class_ids))


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    x = np.random.default_rng(0).normal(size=(300, 2))
    class_id = np.where(x[:, 0] > 0, 2222, 2224)
    Classifier.fit(x, class_id, np.ones(300), seed=1, boosting=Boosting(max_iterations=3)).save(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "value"),
    [("children", 10**6), ("children", -1), ("root", 10**6), ("feature", -1), ("output", 7), ("class_ids", None)],
)
def test_trees_that_lead_out_of_their_arrays_are_refused(saved: Path, name: str, value: int | None) -> None:
    arrays = dict(np.load(saved / TREES_FILE))
    damaged = arrays.pop(name)
    if value is not None:
        damaged.flat[0] = value
        arrays[name] = damaged
    np.savez(saved / TREES_FILE, **arrays)
    with pytest.raises(BundleError, match=r"trees\.npz: no trees"):
        Classifier.load(saved)


def test_one_class_is_no_classifier() -> None:
    with pytest.raises(ValueError, match="at least two classes"):
        Classifier.fit(np.zeros((30, 2)), np.full(30, 2222), np.ones(30), seed=1)


def test_figures_of_merit_on_cases_done_by_hand() -> None:
    p = np.array([[0.8, 0.2], [0.6, 0.4], [0.3, 0.7]])
    index = np.array([0, 0, 1])
    assert flat_log_loss(p, index, np.ones(3)) == pytest.approx((-np.log([0.8, 0.6]).mean() - np.log(0.7)) / 2)
    assert macro_f1(p, np.array([0, 1, 1]), np.ones(3)) == pytest.approx((2 / 3 + 2 / 3) / 2)
    assert expected_calibration_error(p, index, np.ones(3)) == pytest.approx((0.2 + 0.4 + 0.3) / 3)
    assert auc([3, 2, 2, 1], [True, True, False, False]) == pytest.approx(3.5 / 4)
    assert np.isnan(auc([1, 2], [True, True]))


def test_bootstrap_draws_objects_not_rows() -> None:
    rng = np.random.default_rng(0)
    owner = np.repeat(np.arange(40), 25)
    values = rng.normal(size=40)[owner]
    mean, low, high = bootstrap(lambda rows: float(values[rows].mean()), owner, seed=1)
    assert low < mean < high
    assert high - low > 1.5 * 2 * 1.96 * values.std() / np.sqrt(len(values))

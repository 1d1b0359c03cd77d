"""What every classifier that scores the stream must do: checked on each bundle named here."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from features import extract
from models.datasets.labelled import alerts
from models.scoring.scorer import Scorer, Scores
from schemas.light_curves import ALERT_COLUMNS, LightCurves
from schemas.taxonomy import NOT_CLASSIFIED, TAXONOMY
from tests.unit.models.small_bundle import Small, small

__all__ = ["small"]


@pytest.fixture(scope="module")
def scorer(small: Small) -> Scorer:
    return Scorer.load(small.trained.path, small.trained.sha256)


@pytest.fixture(scope="module")
def stream(small: Small) -> LightCurves:
    stream = alerts(small.labelled, np.arange(0, len(small.labelled), 6))
    return stream.select(np.arange(0, len(stream), 4))


def same(one: Scores, other: Scores) -> bool:
    arrays = ("class_ids", "p_flat", "p_survey", "class_id", "novelty_score", "novelty_p_value", "features")
    equal = all(np.array_equal(getattr(one, name), getattr(other, name), equal_nan=True) for name in arrays)
    return equal and one.not_classified_reason == other.not_classified_reason


def test_shapes_types_and_ranges(scorer: Scorer, stream: LightCurves) -> None:
    scores, n, k = scorer.score(stream), len(stream), len(scorer.class_ids)
    assert scores.p_flat.shape == scores.p_survey.shape == (n, k)
    assert scores.features.shape == (n, len(scorer.feature_names))
    assert scores.p_flat.dtype == scores.p_survey.dtype == np.float32
    assert scores.class_id.dtype == np.int32
    assert np.allclose(scores.p_flat.sum(axis=1), 1, atol=1e-5)
    assert np.allclose(scores.p_survey.sum(axis=1), 1, atol=1e-5)
    assert np.isfinite(scores.novelty_score).all()
    assert ((scores.novelty_p_value > 0) & (scores.novelty_p_value <= 1)).all()
    assert set(scores.class_id.tolist()) <= {*scorer.class_ids.tolist(), NOT_CLASSIFIED}
    assert set(scorer.class_ids.tolist()) <= set(TAXONOMY)
    assert scores.model_sha256 == scorer.sha256


def test_the_class_is_the_most_probable_at_the_surveys_rates(scorer: Scorer, stream: LightCurves) -> None:
    scores = scorer.score(stream)
    classified = scores.class_id != NOT_CLASSIFIED
    assert classified.any()
    assert np.array_equal(scores.class_ids[scores.p_survey.argmax(axis=1)][classified], scores.class_id[classified])
    assert [bool(reason) for reason in scores.not_classified_reason] == (~classified).tolist()


def test_a_score_depends_on_its_own_alert_alone(scorer: Scorer, stream: LightCurves) -> None:
    whole = scorer.score(stream)
    order = np.random.default_rng(0).permutation(len(stream))
    assert np.array_equal(scorer.score(stream.select(order)).p_flat, whole.p_flat[order])
    one = scorer.score(stream.select([3]))
    assert np.allclose(one.p_flat[0], whole.p_flat[3], atol=1e-6)
    assert one.novelty_p_value[0] == pytest.approx(whole.novelty_p_value[3], rel=1e-6)


def test_a_redshift_tells_apart_the_classes_with_hosts_alone(scorer: Scorer, stream: LightCurves) -> None:
    assert scorer.with_photoz is not None
    has_photoz = np.isfinite(stream.host_photoz)
    assert 0.2 < has_photoz.mean() < 0.8
    nothing = np.full(len(stream), np.nan, np.float32)
    scores, alone = scorer.score(stream), scorer.score(replace(stream, host_photoz=nothing))
    hosted = np.isin(np.arange(len(scorer.class_ids)), scorer.with_photoz.column)
    assert 2 <= hosted.sum() < len(hosted)
    np.testing.assert_array_equal(scores.p_flat[~has_photoz], alone.p_flat[~has_photoz])
    np.testing.assert_array_equal(scores.p_flat[:, ~hosted], alone.p_flat[:, ~hosted])
    assert np.allclose(scores.p_flat[:, hosted].sum(axis=1), alone.p_flat[:, hosted].sum(axis=1), atol=1e-6)
    classified = scores.class_id != NOT_CLASSIFIED
    assert (np.abs(scores.p_flat - alone.p_flat).max(axis=1)[has_photoz & classified] > 1e-6).mean() > 0.9
    np.testing.assert_array_equal(scores.novelty_score, alone.novelty_score)


def test_the_object_id_and_the_alert_id_do_not_matter(scorer: Scorer, stream: LightCurves) -> None:
    renamed = replace(stream, object_id=stream.object_id[::-1].copy(), alert_id=np.arange(len(stream)))
    assert same(scorer.score(renamed), scorer.score(stream))


def test_features_that_are_there_need_not_be_computed_again(scorer: Scorer, stream: LightCurves) -> None:
    assert same(scorer.score_features(extract(stream).values, stream), scorer.score(stream))
    with pytest.raises(ValueError, match="shape"):
        scorer.score_features(np.zeros((len(stream), 1)), stream)


def test_threads_get_the_same_scores(scorer: Scorer, stream: LightCurves) -> None:
    alone = scorer.score(stream)
    with ThreadPoolExecutor(4) as pool:
        assert all(same(scores, alone) for scores in pool.map(scorer.score, [stream] * 4))


def awkward() -> LightCurves:
    """Alerts: no point, no detection, one point, flat noise, a Solar System object, values at the edge."""
    owner = [1, 1, 2, *[3] * 20, 4, 5, 5]
    n, m = len(owner), 6
    flux = np.concatenate([[1.0, 2.0], [500.0], np.full(20, 10.0), [900.0], [9.99e8, -9.99e8]])
    error = np.concatenate([[10.0, 10.0], [20.0], np.full(20, 20.0), [5.0], [1e-6, 1e6]])
    detected = np.concatenate([[False, False], [True], np.full(20, True), [True], [True, True]])
    columns = {
        "time_mjd": 60_000 + np.arange(n),
        "flux_njy": flux,
        "flux_err_njy": error,
        "band": np.arange(n) % 6,
        "is_detection": detected,
    }
    rows = {name: np.zeros(m) for name in ALERT_COLUMNS if name not in ("n_points_dropped", "packet_index")}
    rows |= {"alert_id": np.arange(m), "alert_mjd": np.full(m, 61_000.0), "is_solar_system": np.arange(m) == 4}
    return LightCurves.from_points(alert=owner, columns=columns, alerts=rows)


def test_awkward_alerts_are_answered_not_raised(scorer: Scorer) -> None:
    scores = scorer.score(awkward())
    reasons = scores.not_classified_reason
    assert reasons[0] == reasons[1] == "no usable detections"
    assert reasons[2] == ""
    assert reasons[3].startswith("featureless")
    assert reasons[4] == "Solar System object"
    assert reasons[5] == ""
    silent = [0, 1, 3, 4]
    assert (scores.class_id[silent] == NOT_CLASSIFIED).all()
    assert (scores.novelty_p_value[silent] == 1).all()
    assert np.allclose(scores.p_flat[silent], 1 / len(scorer.class_ids))
    assert np.isfinite(scores.p_flat).all()
    assert np.isfinite(scores.novelty_p_value).all()


def test_no_alerts_no_scores(scorer: Scorer) -> None:
    scores = scorer.score(LightCurves.empty())
    assert len(scores) == 0
    assert scores.p_survey.shape == (0, len(scorer.class_ids))

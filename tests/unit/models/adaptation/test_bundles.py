"""A bundle with heads: what is written is read, other surveys stay as they were, damage is refused in words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.adaptation import bundles
from models.bundle import BundleError
from models.datasets import plasticc
from models.datasets.labelled import alerts
from models.registry import shipped
from models.scoring.adapted import Adapted, Head
from models.scoring.calibration import with_prior
from models.scoring.scorer import Scorer
from schemas.passbands import SURVEYS


def _head(scorer: Scorer, survey_rates: float = 0.5) -> Head:
    k, d = len(scorer.class_ids), 2 * len(scorer.class_ids) + len(scorer.feature_names)
    rng = np.random.default_rng(1)
    rates = np.full(k, (1 - survey_rates) / (k - 1))
    rates[0] = survey_rates
    return Head(
        np.array(0.8),
        np.full(5, 1.1),
        rng.normal(size=(5, k)),
        rng.normal(0, 0.1, (d, k)),
        np.zeros(d),
        np.ones(d),
        rates,
    )


def test_a_head_changes_its_survey_alone(tmp_path: Path) -> None:
    parent = Scorer.load(shipped.folder())
    sha256 = bundles.write(shipped.folder(), tmp_path / "new", {1: _head(parent)}, {"labels": "ab"})
    new = Scorer.load(tmp_path / "new", sha256)
    assert new.manifest["adaptation"] == {"labels": "ab", "parent": parent.sha256}
    curves = alerts(plasticc.load(), np.arange(20))
    np.testing.assert_array_equal(parent.score(curves).p_survey, new.score(curves).p_survey)
    curves.survey[:] = 1
    before, adapted = parent.score(curves), new.score(curves)
    assert np.abs(adapted.p_survey - before.p_survey).max() > 0.1
    np.testing.assert_allclose(adapted.p_survey.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(adapted.p_flat.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_array_equal(adapted.novelty_score, before.novelty_score)
    unknown = adapted.class_id == 300
    np.testing.assert_allclose(
        adapted.p_survey[unknown], np.tile(new.adapted.heads[1].rates, (unknown.sum(), 1)), rtol=1e-5
    )


def test_the_present_model_is_a_head_too() -> None:
    scorer = Scorer.load(shipped.folder())
    curves = alerts(plasticc.load(), np.arange(30))
    before = scorer.score(curves)
    adapted = Adapted({int(curves.survey[0]): Head.unchanged(scorer.prior)})
    p = adapted.p_flat(
        np.asarray(before.p_flat, float),
        scorer.prior,
        np.zeros((len(curves), 1)),
        curves.survey,
        np.ones(len(curves), int),
    )
    # at equal rates those of very rare classes differ: they have a least probability at the survey's rates
    np.testing.assert_allclose(with_prior(p, scorer.prior), before.p_survey, atol=1e-4)


def test_a_head_of_another_survey_or_of_other_classes_is_refused(tmp_path: Path) -> None:
    head = _head(Scorer.load(shipped.folder()))
    Adapted({1: head}).save(tmp_path)
    with pytest.raises(BundleError, match=f"head of {SURVEYS[1]} must be of 3 classes"):
        Adapted.load(tmp_path, 3)
    file = tmp_path / "adapted.npz"
    with np.load(file) as stored:
        np.savez(file, **{name.replace(SURVEYS[1], "Elsewhere"): stored[name] for name in stored.files})
    with pytest.raises(BundleError, match="found Elsewhere"):
        Adapted.load(tmp_path, len(head.rates))


def test_a_bundle_adapted_anew_has_the_new_heads_alone(tmp_path: Path) -> None:
    scorer = Scorer.load(shipped.folder())
    bundles.write(shipped.folder(), tmp_path / "first", {0: _head(scorer), 1: _head(scorer)}, {})
    bundles.write(tmp_path / "first", tmp_path / "second", {1: _head(scorer, 0.3)}, {})
    heads = Scorer.load(tmp_path / "second").adapted.heads
    assert list(heads) == [1]
    assert heads[1].rates[0] == pytest.approx(0.3)

"""Columns that no training object has a value in."""

from __future__ import annotations

import numpy as np

from models.scoring.classifier import Boosting, Classifier


def test_a_column_nobody_has_is_trained_with_and_never_looked_at() -> None:
    rng = np.random.default_rng(2)
    features = rng.normal(size=(300, 3))
    class_id = np.where(features[:, 0] > 0, 11, 22)
    features[:, 1] = np.nan
    classifier = Classifier.fit(features, class_id, np.ones(300), seed=1, boosting=Boosting(max_iterations=5))
    raw = classifier.raw_scores(features)
    assert (raw.argmax(axis=1) == (class_id == 22)).mean() > 0.95
    reordered = features.copy()
    reordered[:, 1] = rng.normal(size=300)
    np.testing.assert_array_equal(classifier.raw_scores(reordered), raw)

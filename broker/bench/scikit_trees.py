"""A bundle's trees as scikit-learn's own model: the peer that the benchmark compares with."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.ensemble._hist_gradient_boosting.common import PREDICTOR_RECORD_DTYPE

from models.scoring.classifier import Classifier


def scikit_model(classifier: Classifier, n_features: int) -> HistGradientBoostingClassifier:
    """The same trees in scikit-learn's HistGradientBoostingClassifier, for features of shape (n, ``n_features``).

    A bundle keeps arrays, not scikit-learn's objects. So a model is fitted to a few random rows of the same classes,
    and then gets the bundle's trees. Its probabilities are the softmax of ``classifier.raw_scores``.
    """
    y = np.repeat(classifier.class_ids, 2)
    model = HistGradientBoostingClassifier(max_iter=1, early_stopping=False)
    model.fit(np.random.default_rng(0).normal(size=(len(y), n_features)), y)
    trees = classifier.trees
    ends = np.append(trees.root[1:], len(trees.feature))
    outputs = len(trees.baseline)
    template = model._predictors[0][0]
    steps: list[list[Any]] = []
    for tree, (begin, end) in enumerate(zip(trees.root, ends, strict=True)):
        if tree % outputs == 0:
            steps.append([])
        nodes = _nodes(classifier, slice(begin, end))
        steps[-1].append(type(template)(nodes, template.binned_left_cat_bitsets, template.raw_left_cat_bitsets))
    model._predictors = steps
    model._baseline_prediction = trees.baseline.reshape(1, outputs)
    return model


def _nodes(classifier: Classifier, part: slice) -> np.ndarray:
    """The nodes of one tree, in scikit-learn's record type; children are numbered within the tree."""
    trees = classifier.trees
    nodes = np.zeros(part.stop - part.start, PREDICTOR_RECORD_DTYPE)
    nodes["feature_idx"], nodes["num_threshold"] = trees.feature[part], trees.threshold[part]
    nodes["missing_go_to_left"], nodes["value"] = trees.missing_left[part], trees.value[part]
    nodes["left"], nodes["right"] = (trees.children[part] - part.start).T
    nodes["is_leaf"] = trees.children[part, 1] == np.arange(part.start, part.stop)
    return nodes

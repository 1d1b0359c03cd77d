"""Boosted trees as flat arrays, walked for eight rows at a time: scikit-learn's sums without its overhead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

ABREAST = 8
"""Rows walked together: their memory reads overlap."""


@dataclass(frozen=True, slots=True)
class Trees:
    """The trees of one boosted model, node by node; a leaf is its own child, so that a walk may overrun it.

    - ``feature``, ``threshold``, ``missing_left``, ``children`` (nodes, 2), ``value``: of each node.
    - ``root``, ``depth``, ``output``: of each tree; ``output`` is the column its leaves add to.
    - ``baseline``: what every row starts from, shape (k,).
    """

    feature: NDArray[np.int64]
    threshold: NDArray[np.float64]
    missing_left: NDArray[np.bool_]
    children: NDArray[np.int64]
    value: NDArray[np.float64]
    root: NDArray[np.int64]
    depth: NDArray[np.int64]
    output: NDArray[np.int64]
    baseline: NDArray[np.float64]

    @classmethod
    def of(cls, model: Any) -> Trees:
        """The trees of a fitted HistGradientBoostingClassifier without categorical features."""
        trees = [(tree.nodes, column) for step in model._predictors for column, tree in enumerate(step)]
        sizes = np.array([len(nodes) for nodes, _ in trees], np.int64)
        root = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64)
        nodes = np.concatenate([nodes for nodes, _ in trees])
        shift = np.repeat(root, sizes)
        own = np.arange(len(nodes))
        leaf = nodes["is_leaf"].astype(bool)
        children = np.stack([nodes["left"].astype(np.int64) + shift, nodes["right"].astype(np.int64) + shift], axis=1)
        children[leaf] = own[leaf, None]
        return cls(
            feature=np.where(leaf, 0, nodes["feature_idx"]).astype(np.int64),
            threshold=np.where(leaf, np.inf, nodes["num_threshold"]).astype(np.float64),
            missing_left=nodes["missing_go_to_left"].astype(bool),
            children=np.ascontiguousarray(children),
            value=nodes["value"].astype(np.float64),
            root=root,
            depth=np.array([int(nodes["depth"].max()) for nodes, _ in trees], np.int64),
            output=np.array([column for _, column in trees], np.int64),
            baseline=np.asarray(model._baseline_prediction, np.float64).ravel(),
        )

    def raw_scores(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """The sums of leaves, shape (n, k), for features of shape (n, f), NaN where missing."""
        matrix = np.ascontiguousarray(features, np.float64)
        sums = np.repeat(self.baseline[None, :], len(matrix), axis=0)
        _walk(
            matrix,
            self.feature,
            self.threshold,
            self.missing_left,
            self.children,
            self.value,
            self.root,
            self.depth,
            self.output,
            sums,
        )
        return sums


@njit(cache=True, nogil=True)
def _walk(
    matrix: NDArray[np.float64],
    feature: NDArray[np.int64],
    threshold: NDArray[np.float64],
    missing_left: NDArray[np.bool_],
    children: NDArray[np.int64],
    value: NDArray[np.float64],
    root: NDArray[np.int64],
    depth: NDArray[np.int64],
    output: NDArray[np.int64],
    sums: NDArray[np.float64],
) -> None:
    at = np.empty(ABREAST, np.int64)
    for begin in range(0, len(matrix), ABREAST):
        rows = min(ABREAST, len(matrix) - begin)
        for tree in range(len(root)):
            at[:] = root[tree]
            for _ in range(depth[tree]):
                for j in range(rows):
                    node = at[j]
                    x = matrix[begin + j, feature[node]]
                    left = x <= threshold[node] or (missing_left[node] and x != x)
                    at[j] = children[node, 0 if left else 1]
            column = output[tree]
            for j in range(rows):
                sums[begin + j, column] += value[at[j]]

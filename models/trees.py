"""Boosted trees as flat arrays, walked for eight rows at a time: scikit-learn's sums without its overhead."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
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

    def save(self, file: Path, **more: Any) -> None:
        """Write the arrays, and ``more`` beside them, without pickles."""
        arrays: dict[str, Any] = {field.name: getattr(self, field.name) for field in fields(self)}
        np.savez_compressed(file, **arrays, **more)

    @classmethod
    def load(cls, file: Path) -> tuple[Trees, dict[str, NDArray]]:
        """Read what :meth:`save` wrote: the trees, and what else there is.

        Raises KeyError or ValueError where an array is missing or a walk could leave the nodes.
        """
        with np.load(file, allow_pickle=False) as stored:
            arrays = dict(stored)
        trees = cls(**{field.name: arrays.pop(field.name) for field in fields(cls)})
        nodes = len(trees.feature)
        per_node = (trees.threshold, trees.missing_left, trees.children, trees.value)
        inside = all(((part >= 0) & (part < nodes)).all() for part in (trees.children, trees.root))
        if any(len(part) != nodes for part in per_node) or trees.children.shape != (nodes, 2) or not inside:
            raise ValueError(f"children and roots must be among the {nodes} nodes")
        if (trees.feature < 0).any() or (trees.output < 0).any():
            raise ValueError("features and outputs must not be negative")
        return trees, arrays

    @property
    def n_features(self) -> int:
        """How many features a row must have at least."""
        return int(self.feature.max(initial=-1)) + 1

    def raw_scores(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """The sums of leaves, shape (n, k), for features of shape (n, f), NaN where missing."""
        matrix = np.ascontiguousarray(features, np.float64)
        if matrix.shape[1] < self.n_features:
            raise ValueError(f"a row must have {self.n_features} features or more, found {matrix.shape[1]}")
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

"""Boosted trees as flat arrays: the same sums as scikit-learn's, without its overhead.

A model compares a feature with only a few thresholds. So each value is first replaced by the number of thresholds below
it, one byte, and each node is packed into one word of four bytes. A tree and the codes of some rows then fit into the
processor's first-level cache together. Every comparison gives the same result as with the original numbers.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

ABREAST = 8
"""Rows that pass through a tree together, so that their memory reads overlap."""

TILE = 64
"""Rows whose codes stay in the first-level cache while they pass through all trees."""

MISSING = 255
"""The code of a missing value; all other codes are smaller."""

_CODE_BIT, _MISSING_BIT, _RIGHT_BIT = 10, 18, 19
_FEATURE_MASK, _CODE_MASK = (1 << _CODE_BIT) - 1, 0xFF
"""The word of a node: in the lowest 10 bits the feature; in 8 bits a code, and rows with a smaller code go left, to the
next node; one bit that is set if missing values go left; and in 13 bits the number, within its tree, of the node to the
right. A leaf has code 0 and its right node is itself, so that a row stays there."""


@dataclass(frozen=True)
class Trees:
    """The trees of one boosted model, node by node. A leaf is its own child; another node's left child is the next.

    - ``feature``, ``threshold``, ``missing_left``, ``children`` (nodes, 2), ``value``: of each node.
    - ``root``, ``depth``, ``output``: of each tree; ``output`` is the column to which its leaves are added.
    - ``baseline``: the start value of every row, shape (k,).
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
        node = np.arange(len(nodes))
        leaf = nodes["is_leaf"].astype(bool)
        children = np.stack([nodes["left"].astype(np.int64) + shift, nodes["right"].astype(np.int64) + shift], axis=1)
        children[leaf] = node[leaf, None]
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
        """Write the arrays and those of ``more``, without pickles."""
        arrays: dict[str, Any] = {field.name: getattr(self, field.name) for field in fields(self)}
        np.savez_compressed(file, **arrays, **more)

    @classmethod
    def load(cls, file: Path) -> tuple[Trees, dict[str, NDArray]]:
        """Read what :meth:`save` wrote: the trees and the other arrays.

        Raises KeyError or ValueError if an array is missing or points outside the nodes.
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
        _ = trees.packed  # raises if the nodes cannot be packed
        return trees, arrays

    @property
    def n_features(self) -> int:
        """Least number of features of a row."""
        return int(self.feature.max(initial=-1)) + 1

    def raw_scores(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """The sums of leaves, shape (n, k), for features of shape (n, f), NaN where missing."""
        matrix = np.ascontiguousarray(features, np.float64)
        if matrix.shape[1] < self.n_features:
            raise ValueError(f"a row must have {self.n_features} features or more, found {matrix.shape[1]}")
        sums = np.repeat(self.baseline[None, :], len(matrix), axis=0)
        words, begin, edges = self.packed
        _walk(matrix, words, begin, edges, self.value, self.root, self.depth, self.output, sums)
        return sums

    @cached_property
    def packed(self) -> tuple[NDArray[np.uint32], NDArray[np.int64], NDArray[np.float64]]:
        """The nodes' words, and the thresholds of feature f: ``edges[begin[f]:begin[f + 1]]``, rising.

        Raises ValueError if a feature has more than 254 thresholds, or a tree or a row is too large for a word.
        """
        node = np.arange(len(self.feature))
        inner = self.children[:, 1] != node
        tree = np.searchsorted(self.root, node, side="right") - 1
        right = self.children[:, 1] - self.root[tree]
        pairs = np.unique(np.stack([self.feature[inner], self.threshold[inner]], axis=1), axis=0)
        begin = np.searchsorted(pairs[:, 0], np.arange(self.n_features + 1))
        edges = np.ascontiguousarray(pairs[:, 1])
        code = np.zeros(len(node), np.int64)
        for f in range(self.n_features):
            mine = inner & (self.feature == f)
            code[mine] = np.searchsorted(edges[begin[f] : begin[f + 1]], self.threshold[mine]) + 1
        if (self.children[inner, 0] != node[inner] + 1).any():
            raise ValueError("the left child must be the next node")
        if right.min(initial=0) < 0:
            raise ValueError("a child must be in its parent's tree")
        if code.max(initial=0) >= MISSING or self.n_features > _FEATURE_MASK + 1 or right.max(initial=0) >= 1 << 13:
            raise ValueError("at most 254 thresholds a feature, 1,024 features and 8,192 nodes a tree can be walked")
        word = self.feature | code << _CODE_BIT | right << _RIGHT_BIT
        return (word | (self.missing_left & inner).astype(np.int64) << _MISSING_BIT).astype(np.uint32), begin, edges


@njit(cache=True, nogil=True)
def _walk(
    matrix: NDArray[np.float64],
    words: NDArray[np.uint32],
    begin: NDArray[np.int64],
    edges: NDArray[np.float64],
    value: NDArray[np.float64],
    root: NDArray[np.int64],
    depth: NDArray[np.int64],
    output: NDArray[np.int64],
    sums: NDArray[np.float64],
) -> None:
    codes, at = np.zeros((TILE, len(begin)), np.uint8), np.zeros(ABREAST, np.int64)
    for tile in range(0, len(matrix), TILE):
        rows = min(TILE, len(matrix) - tile)
        for i in range(rows):
            _encode(matrix[tile + i], begin, edges, codes[i])
        for tree in range(len(root)):
            base, column = root[tree], output[tree]
            for first in range(0, rows, ABREAST):
                at[:] = 0
                for _ in range(depth[tree]):
                    for j in range(ABREAST):
                        word = words[base + at[j]]
                        code = codes[first + j, word & _FEATURE_MASK]
                        left = code < (word >> _CODE_BIT) & _CODE_MASK
                        left |= (code == MISSING) & ((word >> _MISSING_BIT) & 1 == 1)
                        at[j] = at[j] + 1 if left else np.int64(word >> _RIGHT_BIT)
                for j in range(min(ABREAST, rows - first)):
                    sums[tile + first + j, column] += value[base + at[j]]


@njit(cache=True, nogil=True)
def _encode(row: NDArray[np.float64], begin: NDArray[np.int64], edges: NDArray[np.float64], code: NDArray) -> None:
    """The number of thresholds of each feature below the row's value, by bisection without branches."""
    for f in range(len(begin) - 1):
        x, low, size = row[f], begin[f], begin[f + 1] - begin[f]
        while size > 0:
            half = (size + 1) // 2
            low = low + half if edges[low + half - 1] < x else low
            size -= half
        code[f] = np.uint8(low - begin[f]) if x == x else np.uint8(MISSING)

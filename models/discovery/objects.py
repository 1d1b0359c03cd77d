"""Objects, one row each, as the nightly selection compares them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.scoring.embedding import BLOCK_WEIGHTS, COMPONENTS

CLIP = 4.0
"""Standardised columns are clipped at plus and minus this: no single column decides which objects are alike."""


@dataclass(frozen=True, slots=True)
class Blocks:
    """Groups of columns of the vectors: ``width`` of each, and its ``weight`` in a distance, shared by its columns.

    The default is one block of all columns.
    """

    width: tuple[int, ...] = ()
    weight: tuple[float, ...] = ()

    @classmethod
    def of_wide(cls, width: int, k: int) -> Blocks:
        """Those of the ``wide`` vectors of a model of ``k`` classes (:class:`models.scoring.embedding.ObjectVectors`):
        logits, distances, components and scalars as in its ``near`` vectors; the static score says nothing of place."""
        return cls((k, k, COMPONENTS, width - 2 * k - COMPONENTS - 1, 1), (*BLOCK_WEIGHTS, 0.0))

    def column_scale(self, d: int) -> NDArray[np.float32]:
        """The factor of each of ``d`` standardised columns, (d,). Raises ValueError if the widths do not add up."""
        width = self.width or (d,)
        weight = self.weight or (1.0,) * len(width)
        if sum(width) != d or len(weight) != len(width):
            raise ValueError(f"blocks of {sum(width)} columns with {len(weight)} weights do not fit {d} columns")
        return np.repeat(np.array(weight) / np.sqrt(width), width).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Objects:
    """``n`` objects, each at its last alert.

    - ``object_id``: (n,) int64, each once.
    - ``vectors``: (n, d), finite: what objects are compared by, unscaled. Every row from the same model.
    - ``class_id``: (n,) the class of a null; of an object of the stream its most probable class.
    - ``strangeness``: (n,) a static score, larger is stranger; it ranks the stream while there are too few nulls.
    - ``features``: (n, f) normal scores of the features, NaN where missing, for the evidence only; (n, 0) without.
    - ``feature_names``: of length f.
    """

    object_id: NDArray[np.int64]
    vectors: NDArray[np.float32]
    class_id: NDArray[np.int64]
    strangeness: NDArray[np.float64]
    features: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    feature_names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        n = len(self.object_id)
        if not self.feature_names and self.features.shape != (n, 0):
            object.__setattr__(self, "features", np.zeros((n, 0), np.float32))
        for name in ("vectors", "class_id", "strangeness", "features"):
            if len(getattr(self, name)) != n:
                rows = len(getattr(self, name))
                raise ValueError(f"{name} must have a row for each of {n:,} objects, found {rows:,}")
        width, names = self.features.shape[1], len(self.feature_names)
        if width != names:
            raise ValueError(f"{width} features must have as many names, found {names}")
        wrong = np.flatnonzero(~np.isfinite(self.vectors).all(axis=1))
        if len(wrong):
            raise ValueError(f"vectors must be finite, found others in object {self.object_id[wrong[0]]}")
        ids, count = np.unique(self.object_id, return_counts=True)
        if len(ids) < n:
            raise ValueError(f"each object is tested once, found object {ids[count > 1][0]} in {count.max()} rows")

    def __len__(self) -> int:
        return len(self.object_id)

    def select(self, which: ArrayLike) -> Objects:
        """The chosen rows: row numbers or a mask."""
        i = np.asarray(which)
        return Objects(
            self.object_id[i], self.vectors[i], self.class_id[i], self.strangeness[i], self.features[i],
            self.feature_names,
        )  # fmt: skip


def standardised(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Columns less their median, in units of a standard deviation taken from the 5th to 95th percentile, clipped."""
    if not len(vectors):
        return vectors
    low, middle, high = np.quantile(vectors, [0.05, 0.5, 0.95], axis=0)
    scaled = (vectors - middle) * (3.29 / (high - low + 1e-3))
    return np.clip(scaled, -CLIP, CLIP).astype(np.float32)

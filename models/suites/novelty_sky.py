"""Streams of the novelty suite: objects drawn from those of known classes and of a hidden one, and their scores."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.discovery.neighbours import nearest
from models.discovery.novel_class import Pool
from models.discovery.objects import Blocks, standardised
from models.discovery.publication import q_values
from models.discovery.scores import of_pool
from models.evaluation import auc

LEVELS = (0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3)
"""False-discovery rates of the curves."""

NAMED_LEVELS = {0.05: "05", 0.1: "10", 0.2: "20"}

LISTED = 260
"""Neighbours kept of each object of a set: enough remain among the objects of any one stream."""

FEWEST_NULLS = 500
"""A set so small that a stream would leave fewer nulls gives smaller streams."""

NO_EXAMPLES = np.zeros(0, np.int64)

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class HiddenSet:
    """Alerts scored by networks that never saw the hidden class, nor other alerts of the same object; (n,) each.

    - ``name``: of the hidden class; ``is_hidden``: the alert is of it; ``is_last``: of its object.
    - ``vectors`` (n, d), ``blocks``: of the nightly selection.
    - ``static``: the score of strangeness; ``oracle``: log-odds of the hidden class by what knows it.
    - ``peers``: other scores by name. ``brightness``: what two populations are told apart by.
    """

    name: str
    object_id: NDArray[np.int64]
    class_id: NDArray[np.int64]
    is_hidden: NDArray[np.bool_]
    is_last: NDArray[np.bool_]
    detections: NDArray[np.int64]
    vectors: NDArray[np.float32]
    blocks: Blocks
    static: Array
    oracle: Array
    peers: dict[str, Array]
    brightness: Array


@dataclass(frozen=True, slots=True)
class Draw:
    """Rows of a :class:`Sky`: the nulls, and the stream."""

    nulls: NDArray[np.int64]
    stream: NDArray[np.int64]


class Sky:
    """One alert of each object of a set, with the list of its neighbours, which is made once for all streams."""

    def __init__(self, hidden: HiddenSet, rows: NDArray[np.int64]) -> None:
        self.rows, self.hidden = rows, hidden
        self.is_novel, self.class_id = hidden.is_hidden[rows], hidden.class_id[rows]
        self.robust = standardised(hidden.vectors[rows])
        self.space = self.robust * hidden.blocks.column_scale(self.robust.shape[1])
        self.listed = nearest(self.space, self.space, LISTED, np.arange(len(rows)))

    def draw(self, n: int, novel: int, rng: np.random.Generator, pool: NDArray[np.int64] | None = None) -> Draw:
        """A stream of ``n`` objects, ``novel`` of them of the hidden class, as far as there are so many. The other
        known objects are the nulls. ``pool``: the known objects of the stream come from these rows, the nulls too."""
        ordinary = np.flatnonzero(~self.is_novel) if pool is None else pool
        hidden = np.flatnonzero(self.is_novel)
        wanted = min(n - novel, max(len(ordinary) // 2, len(ordinary) - FEWEST_NULLS * 4))
        taken = rng.choice(ordinary, wanted, replace=False)
        share = novel / n
        novel = min(novel, len(hidden), round(share / (1 - share) * wanted) if share < 1 else novel)
        stream = np.concatenate([taken, rng.choice(hidden, novel, replace=False)])
        return Draw(np.setdiff1d(ordinary, taken), stream)

    def nightly(
        self,
        draw: Draw,
        rng: np.random.Generator,
        *,
        hides: NDArray[np.bool_] | None = None,
        examples: NDArray[np.int64] = NO_EXAMPLES,
    ) -> Array:
        """The nightly score of nulls and stream. ``hides``: nulls that go with the stream, as in the strict mode;
        ``examples``: rows of labelled novel objects."""
        rows = np.concatenate([draw.nulls, draw.stream])
        place = np.full(len(self.rows), -1, np.int32)
        place[rows] = np.arange(len(rows))
        listed = self.listed[rows]
        listed = np.where(listed >= 0, place[listed], -1).astype(np.int32)
        is_stream = np.arange(len(rows)) >= len(draw.nulls)
        if hides is not None:
            is_stream[: len(draw.nulls)] = hides
        pool = Pool(self.robust[rows], is_stream, self.class_id[rows], np.arange(len(rows)), listed)
        return of_pool(pool, rng, self.robust[examples])

    def scores(self, draw: Draw, of_rows: Array) -> Array:
        """A score that does not depend on the stream, of nulls and stream."""
        return of_rows[self.rows[np.concatenate([draw.nulls, draw.stream])]]


def last_rows(hidden: HiddenSet, most_novel: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """The last alert of each object; of the hidden class at most ``most_novel``."""
    ordinary = np.flatnonzero(hidden.is_last & ~hidden.is_hidden)
    novel = np.flatnonzero(hidden.is_last & hidden.is_hidden)
    return np.concatenate([ordinary, rng.choice(novel, min(most_novel, len(novel)), replace=False)])


def judged(score: Array, n_nulls: int, is_novel: NDArray[np.bool_], method: str = "") -> dict[str, float]:
    """Area, recall at 1 % false alarms, and power and false-discovery proportion at each level, of one stream.

    ``score``: of nulls and then stream; the names carry the ``method``: power_<method>_fdr10, auroc_<method>.
    """
    null_score, stream_score = score[:n_nulls], score[n_nulls:]
    end, middle = (f"_{method}", f"_{method}") if method else ("", "")
    out: dict[str, float] = {}
    if is_novel.any():
        both = np.concatenate([null_score, stream_score[is_novel]])
        out[f"auroc{end}"] = auc(both, np.arange(len(both)) >= n_nulls)
        allowed = np.sort(null_score)[::-1][int(0.01 * n_nulls)]
        out[f"recall_at_1{end}"] = float((stream_score[is_novel] > allowed).mean())
    nobody, none = np.zeros(len(stream_score), bool), np.zeros(n_nulls, bool)
    q = q_values(stream_score, null_score, nobody, none)
    for level, name in NAMED_LEVELS.items():
        power, false = proportions(q <= level, is_novel)
        if is_novel.any():
            out[f"power{middle}_fdr{name}"] = power
        out[f"fdr{middle}_at_{name}"] = false
    return out


def proportions(chosen: NDArray[np.bool_], is_novel: NDArray[np.bool_]) -> tuple[float, float]:
    """Part of the novel objects that was chosen, and part of the chosen ones that is not novel."""
    return (
        float((chosen & is_novel).sum() / max(is_novel.sum(), 1)),
        float((chosen & ~is_novel).sum() / max(chosen.sum(), 1)),
    )

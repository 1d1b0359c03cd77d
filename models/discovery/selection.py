"""The nightly selection by object: what is published as novel, with its error rate and its evidence."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from models.discovery.evidence import Evidence, evidence
from models.discovery.groups import groups
from models.discovery.objects import Blocks, Objects
from models.discovery.publication import History, p_values, publish
from models.discovery.scores import Scored, places, scored

LEAST_NULLS = 500
"""With fewer nulls no rate can be stated: hardly an object would be selected, or the list would be one of luck."""

MOST_UNCONTROLLED = 20
"""Objects on a list without an error rate."""


class Mode(StrEnum):
    """How nulls are used. ``POWERFUL``: all of them as neighbours and as calibration. ``STRICT``: half of them each."""

    POWERFUL = "powerful"
    STRICT = "strict"


class Control(StrEnum):
    """What a list promises: docs/novelty.md, "What is promised, and under which conditions"."""

    CONTROLLED = "controlled"
    """At most ``fdr`` of the list is of known classes on average: measured, not proven."""
    STRICT = "strict"
    """The same, proven for one night without a history: AdaDetect (arXiv:2208.06685)."""
    UNCONTROLLED = "uncontrolled"
    """Too few nulls: the strangest objects, without an error rate."""


@dataclass(frozen=True, slots=True)
class Selection:
    """The result of a night. Rows are those of the stream given to :func:`select`, in its order.

    - ``control``: what the list promises; ``fdr``: the rate that was asked for; ``n_nulls``: nulls that calibrated it.
    - ``score`` (n,): larger is stranger; ``p_value`` and ``q_value`` (n,) of every object. With ``uncontrolled`` both
      are NaN.
    - ``selected`` (s,): rows of the published objects, those of earlier nights too, by score, the strangest first.
    - ``is_new`` (s,): published tonight for the first time.
    - ``group`` (s,): number of the group of each selected object; the largest group is 0, an object that has no
      alike ones is a group of its own. A group is one discovery.
    - ``evidence``: of each selected object, in the same order.
    - ``history``: give it to the next night's call, less what has left the window. A list without an error rate adds
      nothing to it.
    """

    control: Control
    fdr: float
    n_nulls: int
    score: NDArray[np.float64]
    p_value: NDArray[np.float64]
    q_value: NDArray[np.float64]
    selected: NDArray[np.int64]
    is_new: NDArray[np.bool_]
    group: NDArray[np.int64]
    evidence: tuple[Evidence, ...]
    history: History

    @property
    def groups(self) -> list[NDArray[np.int64]]:
        """The rows of the stream in each group, the largest group first."""
        return [self.selected[self.group == number] for number in range(self.group.max(initial=-1) + 1)]


def select(
    stream: Objects,
    nulls: Objects,
    *,
    fdr: float = 0.1,
    seed: int = 0,
    mode: Mode = Mode.POWERFUL,
    history: History | None = None,
    novel: Objects | None = None,
    blocks: Blocks | None = None,
    most_uncontrolled: int = MOST_UNCONTROLLED,
) -> Selection:
    """Select the objects of ``stream`` that are of no known class, at most a part ``fdr`` of them wrongly on average.

    - ``stream``: the objects of the window, each once, at its last alert. Leave out those in ``nulls`` and ``novel``.
    - ``nulls``: objects of known classes drawn at random from the same stream, with their classes. Not those of the
      training set: they are brighter than the stream, and the rate would not hold. At least :data:`LEAST_NULLS`, else
      the list holds the ``most_uncontrolled`` strangest and is marked so: by ``strangeness`` without 50 nulls.
    - ``mode``: ``strict`` is proven for one night without a history, and finds less; with one it is ``controlled``.
    - ``history``: of the earlier nights of the window. Published objects stay published. With it the rate is that of
      all published objects of the window.
    - ``novel``: labelled examples of novel objects, if there are any: what is like them is found with less of a crowd.
    - ``blocks``: how the columns of the vectors weigh; by default all alike. For vectors of a bundle
      :meth:`models.discovery.objects.Blocks.of_wide`.

    The same input and seed give the same result. Raises ValueError for a rate outside (0, 1), objects in two roles,
    or vectors that do not fit together.

    >>> rng = np.random.default_rng(1)
    >>> def made(ids, centre):
    ...     x = rng.normal(centre, 1, (len(ids), 6)).astype(np.float32)
    ...     return x
    >>> ids = np.arange(2000)
    >>> nulls = Objects(ids, made(ids, 0), np.zeros(2000, int), np.zeros(2000))
    >>> places = np.concatenate([made(ids[:950], 0), made(ids[:50], 4)])
    >>> stream = Objects(5000 + np.arange(1000), places, np.zeros(1000, int), np.zeros(1000))
    >>> night = select(stream, nulls, fdr=0.1)
    >>> str(night.control), bool((night.selected >= 950).mean() > 0.8), bool((night.selected >= 950).sum() > 40)
    ('controlled', True, True)
    """
    _checked(stream, nulls, novel, fdr)
    past = history or History()
    rng = np.random.default_rng(seed)
    examples = None if novel is None or not len(novel) else novel.vectors
    if len(nulls) < LEAST_NULLS:
        result = _ranked(stream, nulls, blocks or Blocks(), rng, examples)
        return _uncontrolled(stream, nulls, result, fdr, past, most_uncontrolled)
    is_calibration = np.ones(len(nulls), bool)
    if mode == Mode.STRICT:
        is_calibration = rng.permutation(len(nulls)) % 2 == 0
    result = _scored(stream, nulls, blocks or Blocks(), rng, examples, is_calibration, mode)
    n, null_score = len(nulls), result.score[: len(nulls)][is_calibration]
    score = result.score[n:]
    published = np.isin(stream.object_id, past.published)
    passed = np.isin(nulls.object_id[is_calibration], past.passed_nulls)
    decision = publish(score, null_score, fdr, published, passed)
    proven = mode == Mode.STRICT and not len(past.published) and not len(past.passed_nulls)
    control = Control.STRICT if proven else Control.CONTROLLED
    over = nulls.object_id[is_calibration][decision.over]
    return _selection(
        stream, nulls, result, decision.chosen, published, control=control, fdr=fdr, n_nulls=len(null_score),
        p_value=p_values(score, null_score), q_value=decision.q,
        history=History(
            np.union1d(past.published, stream.object_id[decision.chosen]), np.union1d(past.passed_nulls, over)
        ),
    )  # fmt: skip


def _checked(stream: Objects, nulls: Objects, novel: Objects | None, fdr: float) -> None:
    if not 0 < fdr < 1:
        raise ValueError(f"a false-discovery rate must lie between 0 and 1, found {fdr}")
    for role, others in (("nulls", nulls), ("labelled novel objects", novel)):
        if others is None:
            continue
        both = np.intersect1d(stream.object_id, others.object_id)
        if len(both):
            raise ValueError(f"object {both[0]} is in the stream and among the {role}: leave it out of the stream")
        if len(others) and others.vectors.shape[1] != stream.vectors.shape[1]:
            raise ValueError(
                f"the vectors of stream and {role} must be of the same model, found {stream.vectors.shape[1]} and "
                f"{others.vectors.shape[1]} columns"
            )


def _scored(
    stream: Objects,
    nulls: Objects,
    blocks: Blocks,
    rng: np.random.Generator,
    examples: NDArray[np.float32] | None,
    is_calibration: NDArray[np.bool_],
    mode: Mode,
) -> Scored:
    """Scores and places of nulls and then stream. Strict: nulls of the calibration are hidden among the stream."""
    n = len(nulls)
    is_stream = np.arange(n + len(stream)) >= n
    if mode == Mode.STRICT:
        is_stream[:n] = is_calibration
    vectors = np.concatenate([nulls.vectors, stream.vectors]).astype(np.float32)
    class_id = np.concatenate([nulls.class_id, stream.class_id])
    return scored(vectors, is_stream, class_id, blocks, rng, examples)


LEAST_NEIGHBOURS = 50
"""With fewer nulls the static score ranks the stream."""


def _ranked(
    stream: Objects,
    nulls: Objects,
    blocks: Blocks,
    rng: np.random.Generator,
    examples: NDArray[np.float32] | None,
) -> Scored:
    if len(nulls) >= LEAST_NEIGHBOURS:
        return _scored(stream, nulls, blocks, rng, examples, np.ones(len(nulls), bool), Mode.POWERFUL)
    vectors = np.concatenate([nulls.vectors, stream.vectors]).astype(np.float32)
    return Scored(np.concatenate([nulls.strangeness, stream.strangeness]), places(vectors, blocks))


def _uncontrolled(stream: Objects, nulls: Objects, result: Scored, fdr: float, past: History, most: int) -> Selection:
    score = result.score[len(nulls) :]
    published = np.isin(stream.object_id, past.published)
    chosen = published.copy()
    chosen[np.argsort(-score, kind="stable")[:most]] = True
    nothing = np.full(len(stream), np.nan)
    return _selection(
        stream, nulls, result, chosen, published, control=Control.UNCONTROLLED, fdr=fdr, n_nulls=len(nulls),
        p_value=nothing, q_value=nothing, history=past,
    )  # fmt: skip


def _selection(
    stream: Objects,
    nulls: Objects,
    result: Scored,
    chosen: NDArray[np.bool_],
    published: NDArray[np.bool_],
    *,
    control: Control,
    fdr: float,
    n_nulls: int,
    p_value: NDArray[np.float64],
    q_value: NDArray[np.float64],
    history: History,
) -> Selection:
    score = result.score[len(nulls) :]
    rows = np.flatnonzero(chosen)
    rows = rows[np.lexsort((rows, -score[rows]))]
    at = result.space[len(nulls) + rows]
    return Selection(
        control=control, fdr=fdr, n_nulls=n_nulls, score=score, p_value=p_value, q_value=q_value,
        selected=rows, is_new=~published[rows], group=groups(at, result.space[: len(nulls)], nulls.class_id),
        evidence=evidence(stream, nulls, rows, at, result.space[: len(nulls)]), history=history,
    )  # fmt: skip

"""The novelty suite: each class hidden in turn, and what of it is found in a stream, at which error rate."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.datasets.labelled import Labelled
from models.progress import Progress, silent
from models.suites import novelty_base, novelty_rows
from models.suites.novelty_base import Base
from models.suites.novelty_sky import HiddenSet, Sky, last_rows
from models.suites.novelty_streams import Answers, Size, ask
from models.suites.outcome import Outcome
from models.suites.scores import Interval, slug_of
from models.training.training_rows import TrainingRows

NAME = "novelty"
QUICK = Size(stream=240, splits=3, few=2, most_novel=60, nights=2, queries=10)

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class NoveltyOutcome(Outcome):
    """The outcome, and ``curves`` for the report: arrays over streams, by name, of the mean over the classes."""

    curves: dict[str, Array] = field(default_factory=dict)


def run(
    source: str,
    *,
    folder: Path,
    seed: int = 1,
    size: Size | None = None,
    progress: Progress = silent,
    n_jobs: int | None = None,
) -> NoveltyOutcome:
    """Hide each class of a data set in turn. Features are stored in ``folder``.

    Raises ValueError if there are too few objects or classes.
    """
    labelled, rows = novelty_rows.rows_of(source, folder, seed, progress=progress, n_jobs=n_jobs)
    return of_rows(labelled, rows, seed=seed, size=size or Size(), progress=progress, n_jobs=n_jobs)


def of_rows(
    labelled: Labelled,
    rows: TrainingRows,
    *,
    seed: int = 1,
    size: Size,
    hide: Sequence[int] | None = None,
    progress: Progress = silent,
    n_jobs: int | None = None,
) -> NoveltyOutcome:
    """As :func:`run`, from alerts with features; ``hide``: only these classes."""
    views = {"": rows.features}
    if np.isfinite(rows.host_photoz).any():
        views["photoz"] = novelty_rows.with_redshift(rows)
    hidden = [one for one in novelty_base.hidden_sets(rows) if hide is None or set(one) <= set(hide)]
    jobs = n_jobs or len(os.sched_getaffinity(0))
    tasks = [(view, one, seed) for view in views for one in hidden]
    made = list(_side_by_side(_base, tasks, rows, views, jobs, progress, "networks"))
    bases = {view: made[i * len(hidden) : (i + 1) * len(hidden)] for i, view in enumerate(views)}
    sets = {view: _sets(bases[view], rows, views[view]) for view in views}
    informed: Sequence[HiddenSet | None] = sets.get("photoz", [None] * len(sets[""]))
    todo = [(one, other, size, seed) for one, other in zip(sets[""], informed, strict=True)]
    answers = list(_side_by_side(_ask, todo, None, {}, jobs, progress, "streams"))
    metrics = _metrics(sets[""], answers) | _cost(sets[""][0], bases[""][0], seed)
    return _outcome(labelled, rows, metrics, answers)


def _base(arguments: tuple[str, tuple[int, ...], int]) -> Base:
    view, hidden, seed = arguments
    rows, views = _SHARED["rows"], _SHARED["views"]
    return novelty_base.base(rows, views[view], hidden, seed)


def _ask(arguments: tuple[HiddenSet, HiddenSet | None, Size, int]) -> Answers:
    return ask(*arguments)


_SHARED: dict[str, Any] = {}
"""What all tasks of a process read: given once, since it is large."""


def _share(rows: TrainingRows | None, views: dict[str, Array]) -> None:
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    _SHARED.update(rows=rows, views=views, limit=threadpool_limits(1))


def _side_by_side(
    task: Callable[[Any], Any],
    arguments: Sequence[Any],
    rows: TrainingRows | None,
    views: dict[str, Array],
    jobs: int,
    progress: Progress,
    stage: str,
) -> Iterator[Any]:
    """The results in order, from ``jobs`` processes."""
    progress(stage, 0, len(arguments))
    if jobs == 1:
        _share(rows, views)
        for done, one in enumerate(arguments):
            yield task(one)
            progress(stage, done + 1, len(arguments))
        _SHARED["limit"].restore_original_limits()
        return
    # Fresh processes: a fork of a process with threads may hang.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=context, initializer=_share, initargs=(rows, views)) as pool:
        for done, result in enumerate(pool.map(task, arguments)):
            yield result
            progress(stage, done + 1, len(arguments))


def _sets(bases: list[Base], rows: TrainingRows, features: Array) -> list[HiddenSet]:
    everything, others = bases[0], bases[1:]
    scenes = [(one.hidden, novelty_base.scene(one, rows)) for one in others]
    return [novelty_base.assembled(one, scenes, everything, rows, features) for one in others]


def _metrics(sets: list[HiddenSet], answers: list[Answers]) -> dict[str, Interval]:
    """Means over the classes that were hidden alone, and each class by itself with its name at the end."""
    names = list(dict.fromkeys(name for one in answers for name in one.figures))
    metrics: dict[str, Interval] = {}
    alone = [one for hidden, one in zip(sets, answers, strict=True) if "+" not in hidden.name] or answers
    for name in names:
        parts = [_mean_and_error(one.figures[name]) for one in alone if one.figures.get(name)]
        metrics[name] = _interval(
            float(np.mean([mean for mean, _ in parts])) if parts else float("nan"),
            float(np.sqrt(np.sum([error**2 for _, error in parts])) / max(len(parts), 1)),
        )
    for hidden, one in zip(sets, answers, strict=True):
        end = "_and_".join(slug_of(part) for part in hidden.name.split("+"))
        metrics |= {f"{name}_{end}": _interval(*_mean_and_error(values)) for name, values in one.figures.items()}
    return metrics


def _mean_and_error(values: list[float]) -> tuple[float, float]:
    """Mean over streams, and its standard error. Streams share objects: the error is that of the draws."""
    return float(np.mean(values)), float(np.std(values) / np.sqrt(max(len(values) - 1, 1)))


def _interval(mean: float, error: float) -> Interval:
    return mean, mean - 1.96 * error, mean + 1.96 * error


def _cost(hidden: HiddenSet, everything: Base, seed: int) -> dict[str, Interval]:
    """Microseconds of one core: of the networks, distances and scalars of an alert; of an object's nightly score."""
    alert, objects = everything.us_per_alert, nightly_cost(hidden, seed)
    return {"us_per_alert": (alert, alert, alert), "us_per_object": (objects, objects, objects)}


def _outcome(
    labelled: Labelled, rows: TrainingRows, metrics: dict[str, Interval], answers: list[Answers]
) -> NoveltyOutcome:
    curves = {
        name: np.mean([np.mean(one.curves[name], axis=0) for one in answers if name in one.curves], axis=0)
        for name in dict.fromkeys(key for one in answers for key in one.curves)
    }
    n = len(np.unique(rows.object_id))
    return NoveltyOutcome(
        suite=NAME, n_train=n * (novelty_base.FOLDS - 1) // novelty_base.FOLDS, n_test=n, metrics=metrics, peers=[],
        labelled=labelled, trials=[], learner="networks and the nightly selection", notes=NOTES, curves=curves,
    )  # fmt: skip


NOTES = [
    "intervals are over random streams, which share objects",
    "without an ending: mean over the classes that were hidden alone; the last words of a name are the hidden class",
]


def timed(work: Callable[[], Any], items: int) -> float:
    """Microseconds of processor time for each of the items."""
    start = time.process_time()
    work()
    return (time.process_time() - start) / max(items, 1) * 1e6


def nightly_cost(hidden: HiddenSet, seed: int) -> float:
    """Microseconds of one core an object for places, neighbours and the nightly score."""

    def work() -> None:
        sky = Sky(hidden, last_rows(hidden, 400, np.random.default_rng(seed)))
        sky.nightly(sky.draw(1500, 75, np.random.default_rng(seed)), np.random.default_rng(seed))

    return timed(work, int(hidden.is_last.sum()))

"""Train a bundle: snapshots with features, classifier, calibration, novelty, conformal scores, metrics."""

from __future__ import annotations

import multiprocessing
import os
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from features.catalogue import NAMES, fingerprint
from models import bundle
from models.datasets.labelled import Labelled
from models.datasets.plasticc import TEST_SET_COUNTS
from models.progress import Progress, silent
from models.scoring.calibration import survey_prior
from models.scoring.classifier import Classifier
from models.scoring.conformal import Conformal
from models.scoring.fusion import Fusion
from models.scoring.normal_scores import NormalScores
from models.scoring.scorer import Scorer
from models.training import novelty_training, view_training
from models.training.copied_rows import Copying, copied_table
from models.training.fusion_training import fused
from models.training.measures import DRAWS, held_out_intervals, held_out_metrics
from models.training.training_rows import TrainingRows, training_table
from schemas.whole_file import whole_folder

MIN_OBJECTS = 10
"""Least number of training objects of a class. With fewer the class stays unknown, like a class left out."""


@dataclass(frozen=True, slots=True)
class Trained:
    """A finished bundle: its folder, SHA-256, metrics on held-out objects, and parameters."""

    path: Path
    sha256: str
    metrics: dict[str, float]
    params: dict[str, str]


def train(
    labelled: Labelled,
    *,
    out: Path,
    store: Path,
    left_out: Collection[int] = (),
    seed: int = 1,
    copying: Copying | None = None,
    progress: Progress = silent,
    n_jobs: int | None = None,
) -> Trained:
    """Train on a data set. The bundle is written to ``out``, its training table to ``store/training``.

    ``left_out``: class ids to leave out of the training, so that they are novel. ``copying``: also train on copies at
    greater distances. ``n_jobs``: processes for the features. Raises ValueError if fewer than two classes have enough
    objects.
    """
    folder = store / "training"
    sources: dict[str, Any] = {"sources": [labelled.source], "fingerprint": labelled.fingerprint}
    if copying is None:
        table, file = training_table(labelled, seed, folder, progress=progress, n_jobs=n_jobs)
    else:
        table, file = copied_table(labelled, copying, seed, folder, progress=progress, n_jobs=n_jobs)
        sources["copies"] = copying.to_json(labelled)
    sources["table"] = file.stem
    return fit_bundle(
        table, out=out, left_out=left_out, seed=seed, sources=sources, draws=DRAWS, progress=progress, n_jobs=n_jobs
    )


def fit_bundle(
    table: pa.Table,
    *,
    out: Path,
    left_out: Collection[int] = (),
    seed: int = 1,
    sources: Mapping[str, Any] | None = None,
    fusion: Fusion | None = None,
    draws: int = 0,
    progress: Progress = silent,
    n_jobs: int | None = None,
) -> Trained:
    """A bundle from a training table (see models.training.training_rows), written to the folder ``out``.

    Classes in ``left_out`` and classes with fewer than ten training objects are left out of the training; their objects
    measure the detection of novelty. ``fusion``: of another bundle's novelty score, whose numbers do not depend on the
    classes; by default it is learnt, which takes longer than all else. ``draws``: draws of the bootstrap for intervals
    of the metrics; 0 for none. Raises ValueError if fewer than two classes remain.
    """
    if out.exists() and any(out.iterdir()) and not (out / bundle.MANIFEST).is_file():
        raise ValueError(f"{out}: a bundle is written to a new folder or over an old bundle; found other files there")
    rows = TrainingRows.of(table, NAMES)
    is_learnt = np.isin(rows.class_id, learnable(rows, left_out))
    parts = {name: rows.select(is_learnt & (rows.split == name)) for name in ("train", "tune", "calibration", "test")}
    fitted = parts["train"]
    apart, scores = _or(parts["calibration"], fitted), NormalScores.fit(fitted.features)
    classifier, trees_with_photoz, fusion = _learn(fitted, parts["tune"], seed, fusion, progress, n_jobs)
    of_light_curve = view_training.probabilities(fitted, apart, classifier, scores, seed)
    with_photoz = view_training.redshift_view(fitted, apart, trees_with_photoz, scores, classifier.class_ids, seed)
    progress("learning", 1, 1)
    network = of_light_curve.network
    novelty = novelty_training.fit(fitted, _or(parts["tune"], fitted), classifier, network, fusion)
    strangeness = novelty.score(novelty_training.evidence(apart, classifier, network, novelty.gaussians))
    manifest = _manifest(classifier, rows, left_out, seed, sources or {})
    scorer = Scorer(
        manifest=manifest,
        sha256="",
        of_light_curve=of_light_curve,
        with_photoz=with_photoz,
        novelty=novelty,
        conformal=Conformal.fit(strangeness, apart.object_id, apart.stream_weight),
    )
    progress("metrics", 0, 1)
    manifest["metrics"] = held_out_metrics(scorer, parts["test"], rows.select(~is_learnt))
    manifest["intervals"] = held_out_intervals(scorer, parts["test"], seed=seed, draws=draws) if draws else {}
    progress("metrics", 1, 1)
    return Trained(out, _write(out, manifest, scorer), manifest["metrics"], _params(manifest, classifier))


def _learn(
    fitted: TrainingRows,
    tune: TrainingRows,
    seed: int,
    fusion: Fusion | None,
    progress: Progress,
    n_jobs: int | None,
) -> tuple[Classifier, Classifier | None, Fusion]:
    """The slowest parts, in parallel: trees on the light curve alone; trees that also use the redshift, for the classes
    with hosts (None for fewer than two); and, unless it is given, the fusion of the novelty score, for which each class
    is hidden."""
    tasks: list[Task] = [(view_training.trees, fitted, tune, seed)]
    hosted = _frequent(_objects(fitted.select(fitted.host.is_told)))
    if len(hosted) > 1:
        hosted_rows = (view_training.with_redshift(part, hosted) for part in (fitted, tune))
        tasks.append((view_training.trees, *hosted_rows, seed))
    views, rehearsed = len(tasks), novelty_training.rehearsal_rows(fitted, seed)
    groups = novelty_training.hideable(rehearsed) if fusion is None else []
    tasks += [(novelty_training.rehearse, rehearsed, group, seed) for group in groups]
    progress("learning", 0, len(tasks) + 1)
    results = []
    for result in _side_by_side(tasks, n_jobs or len(os.sched_getaffinity(0))):
        results.append(result)
        progress("learning", len(results), len(tasks) + 1)
    if fusion is None:
        fusion = fused([scene for scenes in results[views:] for scene in scenes], seed)
    return results[0], results[1] if views == 2 else None, fusion


Task = tuple[Any, ...]
"""A function and its arguments."""


def _side_by_side(tasks: Sequence[Task], jobs: int) -> Iterator[Any]:
    """Results in the order of the tasks, computed by this many processes."""
    if jobs == 1:
        yield from (function(*arguments) for function, *arguments in tasks)
        return
    with ProcessPoolExecutor(min(jobs, len(tasks)), mp_context=multiprocessing.get_context("spawn")) as pool:
        pending = [pool.submit(*task) for task in tasks]
        yield from (one.result() for one in pending)


def learnable(rows: TrainingRows, left_out: Collection[int]) -> list[int]:
    """The classes with at least ten objects in the training split, those left out removed, in the order of ids."""
    counts = _objects(rows.select(rows.split == "train"))
    learnt = [class_id for class_id in _frequent(counts) if class_id not in set(left_out)]
    if len(learnt) < 2:
        raise ValueError(
            f"training needs at least two classes of {MIN_OBJECTS} training objects or more; found by class id "
            f"{dict(sorted(counts.items()))}, with {sorted(left_out)} left out: give more objects, or leave out fewer"
        )
    return learnt


def _objects(rows: TrainingRows) -> Counter[int]:
    """Objects of each class."""
    return Counter(rows.class_id[np.unique(rows.object_id, return_index=True)[1]].tolist())


def _frequent(counts: Mapping[int, int]) -> list[int]:
    """The classes with enough objects, in the order of ids."""
    return sorted(class_id for class_id, n in counts.items() if n >= MIN_OBJECTS)


def _or(rows: TrainingRows, instead: TrainingRows) -> TrainingRows:
    """``rows``, or ``instead`` if a small table leaves a split empty. With training rows the result is optimistic."""
    return rows if len(rows) else instead


def _manifest(
    classifier: Classifier,
    rows: TrainingRows,
    left_out: Collection[int],
    seed: int,
    sources: Mapping[str, Any],
) -> dict[str, Any]:
    classes, counts = classifier.class_ids.tolist(), _objects(rows)
    prior = survey_prior(classes, TEST_SET_COUNTS, counts)
    return {
        "classes": classes,
        "left_out": sorted(int(class_id) for class_id in left_out),
        "too_few": sorted(set(counts) - set(classes) - set(left_out)),
        "feature_names": list(NAMES),
        "feature_fingerprint": fingerprint(),
        "prior": {str(class_id): float(rate) for class_id, rate in zip(classes, prior, strict=True)},
        "prior_source": "class counts of PLAsTiCC's test set, arXiv:1903.11756",
        "training": {**sources, "n_objects": len(np.unique(rows.object_id)), "n_snapshots": len(rows), "seed": seed},
        "versions": {name: version(name) for name in ("gueststar", "numpy", "scikit-learn")},
    }


def _write(out: Path, manifest: dict[str, Any], scorer: Scorer) -> str:
    """Write the files of the bundle, all or none; a bundle that was at ``out`` is replaced."""
    with whole_folder(out, replace=True) as draft:
        scorer.save(draft)
        return bundle.seal(draft, manifest)


def _params(manifest: Mapping[str, Any], classifier: Classifier) -> dict[str, str]:
    """The parameters of the training, for the registry."""
    return {
        "classes": " ".join(map(str, manifest["classes"])),
        "left_out": " ".join(map(str, manifest["left_out"])) or "none",
        "n_objects": str(manifest["training"]["n_objects"]),
        "seed": str(manifest["training"]["seed"]),
        "data": ", ".join(manifest["training"].get("sources", [])) or "unknown",
        "data_fingerprint": str(manifest["training"].get("fingerprint", "unknown"))[:16],
        "iterations": str(classifier.iterations),
        "feature_fingerprint": manifest["feature_fingerprint"][:16],
    }

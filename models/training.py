"""Train a bundle: snapshots with features, classifier, calibration, novelty, conformal scores, metrics."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Collection, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from features.catalogue import NAMES, fingerprint
from models import bundle, novelty_training
from models.calibration import Calibration, survey_prior
from models.classifier import Classifier
from models.conformal import Conformal
from models.copied_rows import Copying, copied_table
from models.datasets.labelled import Labelled
from models.datasets.plasticc import TEST_SET_COUNTS
from models.measures import DRAWS, held_out_intervals, held_out_metrics
from models.network import Network
from models.novelty import COMPONENTS, Novelty
from models.scorer import Scorer
from models.training_rows import Progress, Rows, silent, training_table

MIN_OBJECTS = 10
"""A class is learnt once it has this many training objects; with fewer it stays unknown, like a class left out."""

DEFAULT_FDR = 0.1
EXPECTED_DISCOVERIES = 0.01
"""The threshold of the manifest is Benjamini and Hochberg's for a night in which this fraction of the
alerts is discovered: fdr × 0.01. The stream sets its own from the p-values it has seen."""


@dataclass(frozen=True, slots=True)
class Trained:
    """A finished bundle: its folder, SHA-256, metrics on held-out objects, and what went into it."""

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
    """Train on a data set; the bundle is written to ``out``, its table kept in ``store/training``.

    ``left_out``: class ids the bundle must not know, so that they are novel to it. ``copying``: learn from copies
    farther away too. ``n_jobs``: processes for the features. Raises ValueError where fewer than two classes can be
    learnt.
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
    draws: int = 0,
    progress: Progress = silent,
    n_jobs: int | None = None,
) -> Trained:
    """A bundle from a training table (see models.training_rows), written to the folder ``out``.

    Classes in ``left_out``, and classes with fewer than ten training objects, are not learnt; their
    objects serve to measure how well they are noticed. ``draws``: of the bootstrap for intervals of the metrics; with
    0 there are none. Raises ValueError where fewer than two are left.
    """
    if out.exists() and any(out.iterdir()) and not (out / bundle.MANIFEST).is_file():
        raise ValueError(f"{out}: a bundle is written to a new folder or over an old bundle; found other files there")
    rows = Rows.of(table, NAMES)
    known = np.isin(rows.class_id, learnable(rows, left_out))
    parts = {name: rows.select(known & (rows.split == name)) for name in ("train", "tune", "calibration", "test")}
    fitted = parts["train"]
    classifier, fusion = _learn(fitted, parts["tune"], seed, progress, n_jobs)
    network = _network(fitted, classifier.class_ids, seed)
    progress("learning", 3, 3)
    novelty = novelty_training.fit(fitted, _or(parts["tune"], fitted), classifier, network.normal_scores, fusion)
    calibrated, conformal = _calibrate(_or(parts["calibration"], fitted), classifier, network, novelty)
    counts = Counter(rows.class_id[np.unique(rows.object_id, return_index=True)[1]].tolist())
    manifest = _manifest(classifier, rows, left_out, seed, sources or {}, counts)
    manifest["novelty"]["fusion"] = dict(zip(COMPONENTS, novelty.fusion.tolist(), strict=True))
    scorer = Scorer(
        manifest=manifest,
        sha256="",
        classifier=classifier,
        network=network,
        calibration=calibrated,
        novelty=novelty,
        conformal=conformal,
    )
    progress("metrics", 0, 1)
    manifest["metrics"] = held_out_metrics(scorer, parts["test"], rows.select(~known))
    manifest["intervals"] = held_out_intervals(scorer, parts["test"], seed=seed, draws=draws) if draws else {}
    progress("metrics", 1, 1)
    return Trained(out, _write(out, manifest, scorer), manifest["metrics"], _params(manifest, classifier))


def _network(rows: Rows, class_ids: NDArray[np.int64], seed: int) -> Network:
    """Small networks on the same rows as the trees; the two err differently."""
    label = np.searchsorted(class_ids, rows.class_id)
    return Network.fit(rows.features, label, rows.weight, len(class_ids), seed=seed)


def _calibrate(rows: Rows, classifier: Classifier, network: Network, novelty: Novelty) -> tuple[Calibration, Conformal]:
    """Probabilities and novelty p-values, both from objects that nothing else has seen."""
    normal, raw = network.normal_scores.transform(rows.features), classifier.raw_scores(rows.features)
    both = np.stack([raw, network.raw_of_normal(normal, rows.features)])
    index = np.searchsorted(classifier.class_ids, rows.class_id)
    calibrated = Calibration.fit(both, index, rows.weight, rows.detections)
    scores = novelty.score(normal, raw, rows.detections)
    return calibrated, Conformal.fit(scores, rows.object_id, rows.stream_weight)


def _learn(
    fitted: Rows, tune: Rows, seed: int, progress: Progress, n_jobs: int | None
) -> tuple[Classifier, NDArray[np.float64]]:
    """The classifier, and the fusion of novelty scores: at the same time where there are two processors."""
    validation = (tune.features, tune.class_id, tune.weight)
    progress("learning", 0, 3)
    if (n_jobs or len(os.sched_getaffinity(0))) == 1:
        classifier = Classifier.fit(fitted.features, fitted.class_id, fitted.weight, seed=seed, validation=validation)
        progress("learning", 1, 3)
        fusion = novelty_training.rehearse(fitted, seed)
    else:
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
            pending = pool.submit(novelty_training.rehearse, fitted, seed)
            classifier = Classifier.fit(
                fitted.features, fitted.class_id, fitted.weight, seed=seed, validation=validation
            )
            progress("learning", 1, 3)
            fusion = pending.result()
    progress("learning", 2, 3)
    return classifier, fusion


def learnable(rows: Rows, left_out: Collection[int]) -> list[int]:
    """The classes with at least ten objects in the training split, those left out removed, in the order of ids."""
    first = np.unique(rows.object_id[rows.split == "train"], return_index=True)[1]
    counts = Counter(rows.class_id[rows.split == "train"][first].tolist())
    learnt = sorted(class_id for class_id, n in counts.items() if n >= MIN_OBJECTS and class_id not in set(left_out))
    if len(learnt) < 2:
        raise ValueError(
            f"training needs at least two classes of {MIN_OBJECTS} training objects or more; found by class id "
            f"{dict(sorted(counts.items()))}, with {sorted(left_out)} left out: give more objects, or leave out fewer"
        )
    return learnt


def _or(rows: Rows, instead: Rows) -> Rows:
    """Small tables may leave a split empty; the training rows then stand in, and are optimistic."""
    return rows if len(rows) else instead


def _manifest(
    classifier: Classifier,
    rows: Rows,
    left_out: Collection[int],
    seed: int,
    sources: Mapping[str, Any],
    counts: Mapping[int, int],
) -> dict[str, Any]:
    classes = classifier.class_ids.tolist()
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
        "novelty": {"fdr": DEFAULT_FDR, "threshold": DEFAULT_FDR * EXPECTED_DISCOVERIES},
        "versions": {name: version(name) for name in ("gueststar", "numpy", "scikit-learn", "skops")},
    }


def _write(out: Path, manifest: dict[str, Any], scorer: Scorer) -> str:
    """The bundle's files, complete or not at all; whatever bundle was at ``out`` is replaced."""
    out.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    scorer.save(draft)
    sha256 = bundle.seal(draft, manifest)
    if out.exists():
        shutil.rmtree(out)
    draft.rename(out)
    out.chmod(0o755)
    return sha256


def _params(manifest: Mapping[str, Any], classifier: Classifier) -> dict[str, str]:
    """What the registry shows of how a bundle came about."""
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

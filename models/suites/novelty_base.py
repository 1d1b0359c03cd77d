"""Networks that never saw a class, and what they make of all alerts: each is scored by networks of other objects."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.catalogue import NAMES
from models.class_weights import balanced
from models.discovery.objects import Blocks
from models.scoring.classifier import Classifier, softmax
from models.scoring.embedding import Embedding
from models.scoring.evidence import Evidence
from models.scoring.fusion import Scale
from models.scoring.network import Network
from models.scoring.normal_scores import NormalScores
from models.suites import novelty_peers, novelty_rows
from models.suites.novelty_sky import HiddenSet
from models.training import novelty_training
from models.training.fusion_training import Scene, fused
from models.training.training_rows import TrainingRows
from schemas.taxonomy import name_of

FOLDS = 3
FEWEST_TO_HIDE = 30
"""Objects of a class that is hidden; smaller classes are never hidden."""

FUSION_SEED = 1
"""Draws the alerts of the fusion and the features that its trees try."""

PAIR = (2232, 2243)
"""Kilonovae and tidal disruption events, which are hidden together too."""

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Base:
    """What networks without the classes ``hidden`` make of all rows; their normal scores are left out.

    ``scalars`` (n, s): of strangeness; ``peers``: scores of others, by name; ``odds`` (n, k) and ``class_ids`` (k,): of
    networks and trees, filled where nothing is hidden. ``us_per_alert``: of a core, for evidence and scalars.
    """

    hidden: tuple[int, ...]
    evidence: Evidence
    scalars: Array
    peers: dict[str, Array]
    odds: Array
    class_ids: NDArray[np.int64]
    us_per_alert: float


def hidden_sets(rows: TrainingRows) -> list[tuple[int, ...]]:
    """Nothing, each class in turn, and the pair."""
    ids, number = np.unique(rows.class_id[rows.is_last], return_counts=True)
    large = [int(one) for one in ids[number >= FEWEST_TO_HIDE]]
    if len(ids) < 3 or not large:
        raise ValueError(
            f"there must be three classes, one of {FEWEST_TO_HIDE} objects or more, found by class id "
            f"{dict(zip(ids.tolist(), number.tolist(), strict=True))}: give more objects"
        )
    pair = [PAIR] if set(PAIR) <= set(ids.tolist()) and len(ids) > 4 else []
    return [(), *((one,) for one in large), *pair]


def base(rows: TrainingRows, features: Array, hidden: tuple[int, ...], seed: int) -> Base:
    """Train on the known objects of the other folds, and score each fold. ``features``: (n, f) of the rows."""
    fold, learnt = novelty_rows.folds(rows, seed, FOLDS), novelty_rows.learnt(rows, seed)
    parts = []
    for number in range(FOLDS):
        is_known = ~np.isin(rows.class_id, hidden)
        train = np.flatnonzero(is_known & learnt & (fold != number))
        parts.append((np.flatnonzero(fold == number), _fold(rows, features, train, fold == number, hidden, seed)))
    order = np.argsort(np.concatenate([row for row, _ in parts]), kind="stable")
    bases = [part for _, part in parts]

    def joined(arrays: list[Array]) -> Array:
        return np.concatenate(arrays)[order]

    kept: dict[str, Any] = {name: joined([getattr(b.evidence, name) for b in bases]) for name in Evidence.__slots__}
    peers = {name: joined([b.peers[name] for b in bases]) for name in bases[0].peers}
    return Base(
        hidden, Evidence(**kept), joined([b.scalars for b in bases]), peers,
        joined([b.odds for b in bases]), bases[0].class_ids, float(np.mean([b.us_per_alert for b in bases])),
    )  # fmt: skip


def _fold(
    rows: TrainingRows, features: Array, train: NDArray[np.int64], shown: NDArray[np.bool_], hidden: tuple[int, ...],
    seed: int,
) -> Base:  # fmt: skip
    class_ids = np.unique(rows.class_id[train])
    label, weight = np.searchsorted(class_ids, rows.class_id[train]), rows.weight[train]
    network = Network.fit(features[train], label, weight, len(class_ids), seed=seed)
    trees = Classifier.fit(
        features[train], rows.class_id[train], weight, seed=seed, boosting=novelty_training.REHEARSAL
    )
    learnt, apart = (_with(rows, features, which) for which in (train, shown & np.isin(rows.class_id, class_ids)))
    # the usual distances are those of objects that the networks have not learnt from: nulls and stream alike
    novelty = novelty_training.fit(learnt, apart, trees, network, fused([], seed))
    normal = network.normal_scores.transform(features[shown])
    tree_logits = trees.raw_scores(features[shown])
    start = time.process_time()
    output = network.output(normal, features[shown])
    evidence = novelty.evidence(normal, output, tree_logits, rows.detections[shown])
    columns = novelty.scalars(evidence)
    seconds = time.process_time() - start
    odds = np.zeros((int(shown.sum()), len(class_ids)))
    if not hidden:
        full = Classifier.fit(features[train], rows.class_id[train], weight, seed=seed)
        odds = (evidence.logits + full.raw_scores(features[shown])) / 2
    peers = _peers(rows, features, train, shown, network, evidence, seed) if hidden else {}
    return Base(hidden, _light(evidence), columns, peers, odds, class_ids, 1e6 * seconds / len(columns))


def _with(rows: TrainingRows, features: Array, which: NDArray) -> TrainingRows:
    chosen = rows.select(which)
    return TrainingRows(
        **{name: features[which] if name == "features" else getattr(chosen, name) for name in TrainingRows.__slots__}
    )


def _light(evidence: Evidence) -> Evidence:
    """Without the normal scores: those of one fold are not those of another."""
    rest = {name: getattr(evidence, name) for name in Evidence.__slots__ if name != "normal"}
    return Evidence(normal=np.zeros((len(evidence), 0)), **rest)


def _peers(
    rows: TrainingRows, features: Array, train: NDArray[np.int64], shown: NDArray[np.bool_], network: Network,
    evidence: Evidence, seed: int,
) -> dict[str, Array]:  # fmt: skip
    """Scores of other methods, NaN for alerts that are not the last of their object."""
    last = np.flatnonzero(rows.is_last[shown])
    learnt = train[rows.is_last[train]]
    both = [network.normal_scores.transform(features[which]) for which in (learnt, np.flatnonzero(shown)[last])]
    latent = [
        np.concatenate(network.output(normal, features[which]).hidden, axis=1)
        for normal, which in zip(both, (learnt, np.flatnonzero(shown)[last]), strict=True)
    ]
    p = softmax(evidence.logits)
    values = {
        "isolation_forest": novelty_peers.isolation_forest(both[0], both[1], seed),
        "mcif": novelty_peers.multi_class_forest(latent[0], rows.class_id[learnt], latent[1], seed),
        "entropy": -(p * np.log(np.maximum(p, 1e-12))).sum(axis=1)[last],
        "mahalanobis": evidence.normal_distances.min(axis=1)[last],
    }
    out = {name: np.full(int(shown.sum()), np.nan) for name in values}
    for name, value in values.items():
        out[name][last] = value
    return out


def scene(one: Base, rows: TrainingRows) -> Scene:
    """The last alerts for the fusion of the static score: known ones, and those of the hidden class."""
    last = np.flatnonzero(rows.is_last)
    is_hidden = np.isin(rows.class_id[last], one.hidden)
    scaled = _scaled(one, rows, last)
    return Scene(scaled.astype(np.float32), is_hidden, balanced(is_hidden, rows.weight[last]) / len(last))


def _scaled(one: Base, rows: TrainingRows, which: NDArray[np.int64]) -> Array:
    ordinary = np.flatnonzero(~np.isin(rows.class_id, one.hidden))
    scale = Scale.fit(one.scalars[ordinary], rows.detections[ordinary])
    return scale.apply(one.scalars[which], rows.detections[which])


def assembled(
    one: Base, scenes: Sequence[tuple[tuple[int, ...], Scene]], everything: Base, rows: TrainingRows, features: Array
) -> HiddenSet:
    """The set of one hidden class. The fusion of its static score comes from the ``scenes`` of other classes, without
    any object of this one; ``everything``: the base that knows all classes, for the oracle."""
    last_class = rows.class_id[rows.is_last]
    apart = []
    for hidden, shown in scenes:
        if len(hidden) == 1 and not set(hidden) & set(one.hidden):
            keep = ~np.isin(last_class, one.hidden)
            apart.append(Scene(shown.scaled[keep], shown.is_hidden[keep], shown.weight[keep]))
    static = fused(apart, FUSION_SEED).score(_scaled(one, rows, np.arange(len(rows))))
    ordinary = np.flatnonzero(rows.is_last & ~np.isin(rows.class_id, one.hidden))
    normal_scores = NormalScores.fit(features[ordinary])
    normal = normal_scores.transform(features)
    kept = {name: getattr(one.evidence, name) for name in Evidence.__slots__ if name != "normal"}
    evidence = Evidence(normal=normal, **kept)
    apart_evidence = Evidence(normal=normal[ordinary], **{name: value[ordinary] for name, value in kept.items()})
    embedding = Embedding.fit(normal[ordinary], apart_evidence, one.scalars[ordinary], static[ordinary])
    vectors = embedding.vectors(evidence, one.scalars, static).wide
    p = softmax(
        everything.odds + np.log(np.bincount(np.searchsorted(everything.class_ids, last_class)) / len(last_class))
    )
    of_hidden = p[:, np.isin(everything.class_ids, one.hidden)].sum(axis=1)
    return HiddenSet(
        name="+".join(name_of(c) for c in one.hidden),
        object_id=rows.object_id,
        class_id=rows.class_id,
        is_hidden=np.isin(rows.class_id, one.hidden),
        is_last=rows.is_last,
        detections=rows.detections,
        vectors=vectors,
        blocks=Blocks.of_wide(vectors.shape[1], evidence.logits.shape[1]),
        static=static,
        oracle=np.log(of_hidden + 1e-9) - np.log(1 - of_hidden + 1e-9),
        peers=one.peers,
        brightness=np.nan_to_num(features[:, NAMES.index("max_snr")]),
    )

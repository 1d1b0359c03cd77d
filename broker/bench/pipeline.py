"""From bytes to scores on one core, without Spark: as the broker does it, and as one would with the usual tools."""

from __future__ import annotations

import io
from importlib.metadata import version
from typing import Any

import fastavro
import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import IsolationForest

from broker.bench import alerts
from broker.bench.contest import Contestant, Progress, Timing, side_by_side
from broker.fetch import Messages
from broker.row_batches import RowContext
from broker.scoring import MessageScorer
from broker.source import CHUNK_MESSAGES
from features import extract
from models.scorer import Scorer
from schemas import packets
from schemas.light_curves import LightCurves

N_ALERTS = 2 * CHUNK_MESSAGES
PEER_ALERTS = 25
ROUNDS = 5

OURS, BATCHED, ONE_BY_ONE = (
    "gueststar",
    "fastavro, george, models in batches",
    "fastavro, george, models one by one",
)


def contest(scorer: Scorer, progress: Progress) -> tuple[dict[str, Timing], dict[str, Any]]:
    """CPU time of an alert from its bytes to the row that is published, by contestant; and what was measured with."""
    curves = alerts.simulated(N_ALERTS)
    wire = alerts.messages(curves)
    context = RowContext(scorer.sha256, scorer.novelty_threshold, "bench", packets.SIZE_LIMIT_BYTES)
    ours = MessageScorer(scorer, context)
    chunks = [in_messages(wire[i : i + CHUNK_MESSAGES]) for i in range(0, len(wire), CHUNK_MESSAGES)]
    usual = UsualTools(scorer, wire, curves)
    found = side_by_side(
        [
            Contestant(OURS, lambda: [ours.rows(chunk) for chunk in chunks], len(wire)),
            Contestant(BATCHED, lambda: usual.batched(PEER_ALERTS), PEER_ALERTS),
            Contestant(ONE_BY_ONE, lambda: usual.one_by_one(PEER_ALERTS), PEER_ALERTS),
        ],
        progress,
        ROUNDS,
    )
    return found, {
        "peer": f"fastavro {version('fastavro')}, george {version('george')}, scikit-learn's boosted trees and forest",
        "bytes": round(sum(map(len, wire)) / len(wire)),
        "points_mean": round(float(curves.n_points.mean()), 1),
        "points_median": float(np.median(curves.n_points)),
    }


def in_messages(wire: list[bytes]) -> Messages:
    """Messages as they are fetched from a topic."""
    n = len(wire)
    return Messages(["bench"] * n, [0] * n, list(range(n)), [0] * n, wire)


class UsualTools:
    """Each alert decoded to a dictionary, its process fitted by george, the features the same as ours, scored by
    scikit-learn's own trees and an isolation forest of 100."""

    def __init__(self, scorer: Scorer, wire: list[bytes], curves: LightCurves) -> None:
        self.schema = fastavro.parse_schema(packets.as_avro(wire[0])[0])
        self.records = [packets.as_avro(message)[1] for message in wire]
        self.curves, self.classifier = curves, scorer.classifier
        self.forest = IsolationForest(n_estimators=100, random_state=0)
        self.forest.fit(np.nan_to_num(extract(curves).values))

    def batched(self, n: int) -> None:
        """Decode and fit one by one, score together."""
        self._score(np.concatenate([self._features(i) for i in range(n)]))

    def one_by_one(self, n: int) -> None:
        """Everything one by one."""
        for i in range(n):
            self._score(self._features(i))

    def _features(self, i: int) -> NDArray[np.float64]:
        fastavro.schemaless_reader(io.BytesIO(self.records[i]), self.schema, None)
        return extract(self.curves.select([i]), backend="george").values

    def _score(self, features: NDArray[np.float64]) -> None:
        self.classifier.model.predict_proba(features)
        self.forest.score_samples(np.nan_to_num(features))

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
from broker.bench.scikit_trees import scikit_model
from broker.kafka.fetching import Messages
from broker.records.build import RowContext
from broker.stream.scoring import MessageScorer
from broker.stream.source import CHUNK_MESSAGES
from features import extract
from models.scoring.scorer import Scorer
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
    context = RowContext(scorer.sha256, "bench", packets.SIZE_LIMIT_BYTES)
    ours = MessageScorer(scorer, context)
    chunks = [in_messages(wire[i : i + CHUNK_MESSAGES]) for i in range(0, len(wire), CHUNK_MESSAGES)]
    usual, few = UsualTools(scorer, curves), wire[:PEER_ALERTS]
    timings = side_by_side(
        [
            Contestant(OURS, lambda: [ours.rows(chunk) for chunk in chunks], len(wire)),
            Contestant(BATCHED, lambda: usual.batched(few), PEER_ALERTS),
            Contestant(ONE_BY_ONE, lambda: usual.one_by_one(few), PEER_ALERTS),
        ],
        progress,
        ROUNDS,
    )
    return timings, {
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
    scikit-learn's own trees and an isolation forest of 100, which is fitted to ``training``."""

    def __init__(self, scorer: Scorer, training: LightCurves) -> None:
        self.classifier = scikit_model(scorer.of_light_curve.classifier, len(scorer.feature_names))
        self.forest = IsolationForest(n_estimators=100, random_state=0)
        self.forest.fit(np.nan_to_num(extract(training).values))
        self.schemas: dict[bytes, Any] = {}

    def score_message(self, message: bytes) -> list[float]:
        """The probabilities of one wire message's alert, and its score from the forest."""
        return self.score(self.features(message))[0]

    def features(self, message: bytes) -> NDArray[np.float64]:
        """The features of one wire message's alert, (1, f)."""
        schema, record = packets.as_avro(message)
        header = message[: -len(record)]
        if header not in self.schemas:
            self.schemas[header] = fastavro.parse_schema(schema)
        fastavro.schemaless_reader(io.BytesIO(record), self.schemas[header], None)
        return extract(packets.read([message])[0], backend="george").values

    def score(self, features: NDArray[np.float64]) -> list[list[float]]:
        """Probabilities and the forest's score of each row."""
        p = self.classifier.predict_proba(features)
        return np.column_stack([p, self.forest.score_samples(np.nan_to_num(features))]).tolist()

    def batched(self, wire: list[bytes]) -> None:
        """Decode and fit one by one, score together."""
        self.score(np.concatenate([self.features(message) for message in wire]))

    def one_by_one(self, wire: list[bytes]) -> None:
        """Everything one by one."""
        for message in wire:
            self.score_message(message)

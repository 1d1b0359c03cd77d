"""The result of a suite: figures with intervals, published figures of others, and the predictions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from models.datasets.labelled import Labelled
from models.suites.scores import Interval
from models.suites.trial import Predictions, Trial


@dataclass(frozen=True, slots=True)
class Peer:
    """A published figure: the name of our figure that it is compared with, its value, its source, and what differs."""

    metric: str
    value: float
    source: str
    differs: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """Numbers of training and test objects, and each figure as (value, low, high) with a 95 % interval over objects.

    ``trials`` holds every trial with its predictions, the main one first; ``labelled`` the objects; ``notes`` remarks
    for the reader.
    """

    suite: str
    n_train: int
    n_test: int
    metrics: dict[str, Interval]
    peers: list[Peer]
    labelled: Labelled
    trials: list[tuple[Trial, Predictions]]
    learner: str
    notes: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Plain values; a figure that is not finite is null."""
        keys = ("value", "low", "high")
        return {
            "suite": self.suite,
            "n_train": self.n_train,
            "n_test": self.n_test,
            "learner": self.learner,
            "metrics": {
                name: {key: _plain(value) for key, value in zip(keys, figure, strict=True)}
                for name, figure in self.metrics.items()
            },
            "peers": {
                peer.metric: {"value": peer.value, "source": peer.source, "differs": peer.differs}
                for peer in self.peers
            },
            "notes": self.notes,
        }


def _plain(value: float) -> float | None:
    return float(value) if abs(value) < float("inf") else None

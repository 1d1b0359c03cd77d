"""Which objects are worth asking about: uncertain, novel, and drawn at random. The rules, without a store.

A store keeps three pools for each night in which alerts arrived (``input_time_ms``, :mod:`schemas.night`), and the
newest record of each object. :class:`Pools` says what comes into a pool, and which candidates the pools of several
nights make together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from active_learning.acquisition import entropy_nats
from active_learning.sampling import lot_of
from schemas.night import night_of_unix_ms
from schemas.taxonomy import NOT_CLASSIFIED

Record = dict[str, Any]
POOLS = ("uncertain", "novel", "random")

FIELDS = (
    "alert_id",
    "object_id",
    "alert_mjd",
    "input_time_ms",
    "p_survey",
    "class_id",
    "not_classified_reason",
    "novelty_p_value",
)
"""Columns of a classification that decide which pools its object is in."""

ASKED_P_VALUE = 0.05
"""An object whose novelty p-value is at most this may be asked about as novel: a spectrum is how weak evidence becomes
strong."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An object that may be asked about, as its newest alert was classified.

    ``pools``: those of :data:`POOLS` it is in. ``pool_probability``: the probability in (0, 1] with
    which an object of the stream came into the random pool; 0 where it is not in that pool.
    """

    record: Record
    pools: frozenset[str]
    pool_probability: float

    @property
    def object_id(self) -> int:
        """The survey's 64-bit number of the object."""
        return int(self.record["object_id"])


@dataclass(frozen=True, slots=True)
class Pools:
    """The sizes of the pools and the seed of the lots.

    - uncertain: the ``uncertain_size`` objects of a night with the greatest entropy of ``p_survey``;
    - novel: those that are strange, the ``novel_size`` lowest p-values;
    - random: the ``random_size`` objects with the lowest lots of *all* that arrived, classified or not.
      Lots do not change, so nights merge into one sample: a bottom-k sketch, whose inclusion
      probability is the first lot beyond it (Cohen & Kaplan 2007, doi:10.1145/1281100.1281133).
    """

    uncertain_size: int = 500
    novel_size: int = 500
    random_size: int = 1000
    seed: int = 20260

    def kept(self) -> dict[str, int]:
        """How many objects of a night a store keeps of each pool: of the random one also the first lot beyond it."""
        return {"uncertain": self.uncertain_size, "novel": self.novel_size, "random": self.random_size + 1}

    def ranks(self, alerts: pa.RecordBatch) -> dict[str, NDArray[np.float64]]:
        """For each pool the ranks of alerts (columns :data:`FIELDS`), shape (n,); the highest are kept.

        -infinity where an alert does not belong into the pool, or others of its night leave no place for it.
        """
        night = night_of_unix_ms(alerts.column("input_time_ms").to_numpy())
        values = {
            "uncertain": np.where(_are_classified(alerts), _entropies(alerts), -np.inf),
            "novel": np.where(_are_strange(alerts), -_p_values(alerts), -np.inf),
            "random": -lot_of(alerts.column("object_id").to_numpy(), self.seed),
        }
        return {pool: _highest(values[pool], night, size) for pool, size in self.kept().items()}

    def members(self, ranked: Mapping[str, Sequence[Mapping[int, float]]]) -> tuple[dict[str, set[int]], float]:
        """The objects of each pool over several nights, and the inclusion probability of the random one.

        ``ranked``: for each pool, night by night, object ids and their ranks; in the random pool their lots.
        """
        drawn, probability = self._drawn(ranked["random"])
        uncertain = _best(ranked["uncertain"], self.uncertain_size)
        novel = _best(ranked["novel"], self.novel_size)
        return {"uncertain": uncertain, "novel": novel, "random": drawn}, probability

    def _drawn(self, nights: Sequence[Mapping[int, float]]) -> tuple[set[int], float]:
        """The random pool of several nights: every lot below the lowest of their thresholds."""
        lots = {object_id: lot for night in nights for object_id, lot in night.items()}
        limits = [max(night.values()) for night in nights if len(night) > self.random_size]
        below = {object_id: lot for object_id, lot in lots.items() if lot < min(limits, default=1.0)}
        lowest = sorted(below, key=below.__getitem__)
        if len(lowest) > self.random_size:
            return set(lowest[: self.random_size]), below[lowest[self.random_size]]
        return set(lowest), min(limits, default=1.0)


def candidates_of(
    records: Mapping[int, Record], members: Mapping[str, set[int]], probability: float
) -> list[Candidate]:
    """The candidates among objects' newest records, in their order; an object that left its pool since is not one."""
    return [
        Candidate(record, pools, probability if "random" in pools else 0.0)
        for object_id, record in records.items()
        if (pools := _pools(object_id, record, members))
    ]


def newest_of_each(alerts: pa.RecordBatch) -> NDArray[np.int64]:
    """Rows of the newest alert of each object, by time and then by id, ascending.

    Rows without an object (Solar System, dead letters with a null ``alert_id``) are passed over.
    """
    object_id = alerts.column("object_id").fill_null(0).to_numpy(zero_copy_only=False)
    rows = np.flatnonzero(alerts.column("alert_id").is_valid().to_numpy(zero_copy_only=False) & (object_id != 0))
    if not len(rows):
        return rows
    alert_id = alerts.column("alert_id").fill_null(0).to_numpy(zero_copy_only=False)
    alert_mjd = alerts.column("alert_mjd").to_numpy(zero_copy_only=False)
    ordered = rows[np.lexsort((alert_id[rows], np.round(alert_mjd[rows], 9), object_id[rows]))]
    is_last = np.append(np.diff(object_id[ordered]) != 0, True)
    return np.sort(ordered[is_last])


def _highest(values: NDArray[np.float64], night: NDArray[np.int64], size: int) -> NDArray[np.float64]:
    """The ``size`` highest values of each night; -infinity for the others: no pool could hold them."""
    kept = np.full(len(values), -np.inf)
    for one in np.unique(night).tolist():
        rows = np.flatnonzero((night == one) & np.isfinite(values))
        rows = rows[np.argsort(-values[rows], kind="stable")[:size]]
        kept[rows] = values[rows]
    return kept


def _entropies(alerts: pa.RecordBatch) -> NDArray[np.float64]:
    """Entropy of each alert's ``p_survey``, nats; 0 where it has none."""
    lists = alerts.column("p_survey")
    lengths = lists.value_lengths().fill_null(0).to_numpy(zero_copy_only=False)
    p = lists.flatten().to_numpy(zero_copy_only=False).astype(np.float64)
    surprise = entropy_nats(p[:, None])  # of one term each
    total = np.bincount(np.repeat(np.arange(len(lists)), lengths), surprise, minlength=len(lists))
    return np.asarray(total, np.float64)


def _are_classified(alerts: pa.RecordBatch) -> NDArray[np.bool_]:
    classified = pc.and_(
        pc.and_(pc.not_equal(alerts.column("class_id"), NOT_CLASSIFIED), pc.equal(alerts["not_classified_reason"], "")),
        pc.greater(alerts.column("p_survey").value_lengths(), 0),
    )
    return classified.fill_null(False).to_numpy(zero_copy_only=False)


def _are_strange(alerts: pa.RecordBatch) -> NDArray[np.bool_]:
    return _p_values(alerts) <= ASKED_P_VALUE


def _p_values(alerts: pa.RecordBatch) -> NDArray[np.float64]:
    return alerts.column("novelty_p_value").to_numpy(zero_copy_only=False).astype(np.float64)


def _best(nights: Sequence[Mapping[int, float]], size: int) -> set[int]:
    newest = {object_id: rank for night in nights for object_id, rank in night.items()}
    return set(sorted(newest, key=lambda object_id: (-newest[object_id], object_id))[:size])


def _pools(object_id: int, record: Record, members: Mapping[str, set[int]]) -> frozenset[str]:
    classified = (
        record["class_id"] != NOT_CLASSIFIED and not record["not_classified_reason"] and len(record["p_survey"]) > 0
    )
    strange = bool(record["novelty_p_value"] <= ASKED_P_VALUE)
    holds = {"uncertain": classified, "novel": strange, "random": True}
    return frozenset(pool for pool in POOLS if holds[pool] and object_id in members[pool])

"""The objects worth asking about, kept in Redis as the alerts go by: uncertain, novel, and drawn at random."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import redis
from numpy.typing import NDArray

from active_learning.acquisition import entropy_nats
from active_learning.sampling import lot_of
from schemas import messages
from schemas.night import night_of_unix_ms
from schemas.taxonomy import NOT_CLASSIFIED

Record = dict[str, Any]
POOLS = ("uncertain", "novel", "random")

ASKED_P_VALUE = 0.05
"""An object whose novelty p-value is at most this may be asked about as novel, also where the false-discovery rate
does not select it for the topic of novel alerts: a spectrum is how weak evidence becomes strong."""

_ROWS_PER_CALL = 500

_ORDER_DIGITS = 40

_OFFER = """
local prefix, ttl, uncertain, novel, random = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local pools, touched = prefix .. ':candidates:', {}
for i, row in ipairs(cjson.decode(ARGV[6])) do
    local id, night, newest = row[1], row[2], ARGV[6 + i]
    local state = prefix .. ':object:' .. id
    if redis.call('GETRANGE', state, 0, 39) <= string.sub(newest, 1, 40) then
        redis.call('SET', state, newest, 'EX', ttl)
        for j, pool in ipairs({'uncertain:', 'novel:'}) do
            local rank = row[2 + j]
            if rank == '' then redis.call('ZREM', pools .. pool .. night, id)
            else redis.call('ZADD', pools .. pool .. night, rank, id) end
        end
    end
    if row[5] ~= '' then redis.call('ZADD', pools .. 'random:' .. night, row[5], id) end
    touched[night] = true
end
for night, _ in pairs(touched) do
    redis.call('ZADD', pools .. 'nights', night, night)
    redis.call('ZREMRANGEBYRANK', pools .. 'uncertain:' .. night, 0, -1 - uncertain)
    redis.call('ZREMRANGEBYRANK', pools .. 'novel:' .. night, 0, -1 - novel)
    redis.call('ZREMRANGEBYRANK', pools .. 'random:' .. night, random + 1, -1)
    for _, pool in ipairs({'uncertain:', 'novel:', 'random:'}) do
        redis.call('EXPIRE', pools .. pool .. night, ttl)
    end
end
return redis.status_reply('OK')
"""
"""Arguments: sizes; then as JSON for each object its id, night, ranks in the pools uncertain and novel, and its lot,
all text, empty where it does not belong; then for each object the order and the record of its alert as one string."""


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
class CandidateStore:
    """Pools of candidates by the night in which alerts arrived (``input_time_ms``, :mod:`schemas.night`), in Redis.

    - uncertain: the ``uncertain_size`` objects of a night with the greatest entropy of ``p_survey``;
    - novel: those selected as novel, the ``novel_size`` lowest p-values;
    - random: the ``random_size`` objects with the lowest lots of *all* that arrived, classified or not.
      Lots do not change, so nights merge into one sample: a bottom-k sketch, whose inclusion
      probability is the first lot beyond it (Cohen & Kaplan 2007, doi:10.1145/1281100.1281133).

    Beside them every object's newest record, ``<prefix>:object:<object_id>``. All is forgotten
    ``days_kept`` days after its last alert. What is offered twice changes nothing, and an older alert
    of an object never replaces a newer one, in whatever order and from however many tasks they come.
    Redis losing it all loses no data: the next alerts fill it again.
    """

    redis_url: str
    prefix: str = "gueststar"
    uncertain_size: int = 500
    novel_size: int = 500
    random_size: int = 1000
    days_kept: int = 14
    seed: int = 20260

    def offer(self, records: Sequence[Mapping[str, Any]], encoded: Sequence[bytes] | None = None) -> int:
        """Take classification records of a batch; returns how many objects it had. Raises redis.RedisError.

        Rows without an object (Solar System, dead letters with a null ``alert_id``) are passed over.
        ``encoded``: the same records as ``schemas.messages`` bytes, where the caller has them already.
        """
        newest: dict[int, int] = {}
        orders = [_order(row) for row in records]
        for i, row in enumerate(records):
            if orders[i] and orders[newest.setdefault(row["object_id"], i)] <= orders[i]:
                newest[row["object_id"]] = i
        chosen = list(newest.values())
        if not chosen:
            return 0
        rows = [records[i] for i in chosen]
        stored = [encoded[i] for i in chosen] if encoded else [messages.encode("classification", dict(r)) for r in rows]
        places = self._places(rows)
        states = [orders[i].encode() + message for i, message in zip(chosen, stored, strict=True)]
        with redis.Redis.from_url(self.redis_url) as client:
            script = client.register_script(_OFFER)
            with client.pipeline(transaction=False) as pipeline:
                for part in (slice(i, i + _ROWS_PER_CALL) for i in range(0, len(rows), _ROWS_PER_CALL)):
                    script(args=[*self._sizes(), json.dumps(places[part]), *states[part]], client=pipeline)
                pipeline.execute()
        return len(chosen)

    def candidates(self) -> list[Candidate]:
        """All candidates, each once, in the order of their object ids; stale entries of the pools are left out."""
        with redis.Redis.from_url(self.redis_url) as client:
            nights = [int(night) for night in client.zrange(self._key("nights"), 0, -1)]
            recent = [night for night in nights if night > max(nights) - self.days_kept]
            ranked = {pool: self._ranked(client, pool, recent) for pool in POOLS}
            drawn, probability = self._drawn(ranked["random"])
            members = {
                "uncertain": _best(ranked["uncertain"], self.uncertain_size),
                "novel": _best(ranked["novel"], self.novel_size),
                "random": drawn,
            }
            records = self._records(client, sorted(set().union(*members.values())))
        return [
            Candidate(record, pools, probability if "random" in pools else 0.0)
            for object_id, record in records.items()
            if (pools := _pools(object_id, record, members))
        ]

    def object_state(self, object_id: int) -> Record | None:
        """The newest classification record of an object; None where none arrived within ``days_kept``."""
        with redis.Redis.from_url(self.redis_url) as client:
            return self._records(client, [object_id]).get(object_id)

    def clear(self) -> None:
        """Forget every candidate and object state under this prefix."""
        with redis.Redis.from_url(self.redis_url) as client:
            for pattern in (f"{self.prefix}:candidates:*", f"{self.prefix}:object:*"):
                for key in client.scan_iter(pattern, count=1000):
                    client.delete(key)

    def _key(self, name: str) -> str:
        return f"{self.prefix}:candidates:{name}"

    def _sizes(self) -> list[Any]:
        return [self.prefix, self.days_kept * 86_400, self.uncertain_size, self.novel_size, self.random_size]

    def _places(self, rows: list[Mapping[str, Any]]) -> list[list[str]]:
        """Per row: object id, night, and its ranks in the three pools."""
        ids = [row["object_id"] for row in rows]
        entropy = np.where([_is_classified(row) for row in rows], _entropies(rows), -np.inf)
        novelty = np.array([-row["novelty_p_value"] if _is_strange(row) else -np.inf for row in rows])
        nights = night_of_unix_ms([row["input_time_ms"] for row in rows]).tolist()
        ranks = (
            _ranks(entropy, nights, self.uncertain_size),
            _ranks(novelty, nights, self.novel_size),
            _ranks(-lot_of(ids, self.seed), nights, self.random_size + 1),
        )
        return [
            [str(object_id), str(night), uncertain, novel, lot.removeprefix("-")]
            for object_id, night, uncertain, novel, lot in zip(ids, nights, *ranks, strict=True)
        ]

    def _ranked(self, client: redis.Redis, pool: str, nights: list[int]) -> list[dict[int, float]]:
        with client.pipeline(transaction=False) as pipeline:
            for night in nights:
                pipeline.zrange(self._key(f"{pool}:{night}"), 0, -1, withscores=True)
            return [{int(member): score for member, score in reply} for reply in pipeline.execute()]

    def _drawn(self, nights: list[dict[int, float]]) -> tuple[set[int], float]:
        """The random pool of several nights: every lot below the lowest of their thresholds."""
        lots = {object_id: lot for night in nights for object_id, lot in night.items()}
        limits = [max(night.values()) for night in nights if len(night) > self.random_size]
        below = {object_id: lot for object_id, lot in lots.items() if lot < min(limits, default=1.0)}
        lowest = sorted(below, key=below.__getitem__)
        if len(lowest) > self.random_size:
            return set(lowest[: self.random_size]), below[lowest[self.random_size]]
        return set(lowest), min(limits, default=1.0)

    def _records(self, client: redis.Redis, object_ids: list[int]) -> dict[int, Record]:
        with client.pipeline(transaction=False) as pipeline:
            for object_id in object_ids:
                pipeline.get(f"{self.prefix}:object:{object_id}")
            replies = cast(list[bytes | None], pipeline.execute())
        return {
            object_id: messages.decode(stored[_ORDER_DIGITS:])[1]
            for object_id, stored in zip(object_ids, replies, strict=True)
            if stored is not None
        }


def _order(row: Mapping[str, Any]) -> str:
    """A text that sorts as the alerts of an object do, by time and then by id; empty for rows without an object."""
    if row.get("alert_id") is None or not row.get("object_id"):
        return ""
    return f"{max(row['alert_mjd'], 0):020.9f}{row['alert_id'] + 2**63:020d}"


def _ranks(values: NDArray[np.float64], nights: list[int], size: int) -> list[str]:
    """As text, the ``size`` highest values of each night; empty for the others: no pool could hold them."""
    texts = [""] * len(values)
    for night in set(nights):
        rows = np.flatnonzero((np.array(nights) == night) & np.isfinite(values))
        for row in rows[np.argsort(-values[rows], kind="stable")[:size]].tolist():
            texts[row] = repr(float(values[row]))
    return texts


def _entropies(rows: list[Mapping[str, Any]]) -> NDArray[np.float64]:
    lengths = np.array([len(row["p_survey"]) for row in rows])
    probabilities = np.zeros((len(rows), max(int(lengths.max()), 1)))
    filled = np.arange(probabilities.shape[1]) < lengths[:, None]
    probabilities[filled] = np.concatenate([np.asarray(row["p_survey"], np.float64) for row in rows])
    return entropy_nats(probabilities)


def _is_classified(record: Mapping[str, Any]) -> bool:
    return record["class_id"] != NOT_CLASSIFIED and not record["not_classified_reason"] and len(record["p_survey"]) > 0


def _is_strange(record: Mapping[str, Any]) -> bool:
    return bool(record["is_novel"] or record["novelty_p_value"] <= ASKED_P_VALUE)


def _best(nights: list[dict[int, float]], size: int) -> set[int]:
    newest = {object_id: rank for night in nights for object_id, rank in night.items()}
    return set(sorted(newest, key=lambda object_id: (-newest[object_id], object_id))[:size])


def _pools(object_id: int, record: Record, members: dict[str, set[int]]) -> frozenset[str]:
    holds = {"uncertain": _is_classified(record), "novel": _is_strange(record), "random": True}
    return frozenset(pool for pool in POOLS if holds[pool] and object_id in members[pool])

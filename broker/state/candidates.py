"""The objects worth asking about, kept in Redis as the alerts go by, and every object's newest record.

The rules are :mod:`active_learning.candidates`'; here is where they are kept. What is offered twice changes nothing,
and an older alert of an object never replaces a newer one, in whatever order and from however many tasks they come.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
import pyarrow as pa
import redis
from numpy.typing import NDArray

from active_learning.candidates import POOLS, Candidate, Pools, Record, candidates_of, newest_of_each
from broker.settings import Settings
from broker.state.connection import client as redis_client
from broker.state.keys import Keys
from schemas import messages
from schemas.night import night_of_unix_ms

PLANNING_TIMEOUT_S = 10.0
"""A person waits for a plan, not the stream."""

_ROWS_PER_CALL = 500

_ORDER_DIGITS = 40

_OFFER = """
local size, ttl, n_nights = {tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])}, ARGV[4], tonumber(ARGV[5])
local nights, rows = cjson.decode(ARGV[6]), cjson.decode(ARGV[7])
for i, row in ipairs(rows) do
    local id, pools = row[1], 1 + 3 * (row[2] - 1)
    local state, newest = KEYS[1 + 3 * n_nights + i], ARGV[7 + i]
    if redis.call('GETRANGE', state, 0, 39) <= string.sub(newest, 1, 40) then
        redis.call('SET', state, newest, 'EX', ttl)
        for j = 1, 2 do
            if row[2 + j] == '' then redis.call('ZREM', KEYS[pools + j], id)
            else redis.call('ZADD', KEYS[pools + j], row[2 + j], id) end
        end
    end
    if row[5] ~= '' then redis.call('ZADD', KEYS[pools + 3], row[5], id) end
end
for night = 1, n_nights do
    local pools = 1 + 3 * (night - 1)
    redis.call('ZADD', KEYS[1], nights[night], nights[night])
    redis.call('ZREMRANGEBYRANK', KEYS[pools + 1], 0, -1 - size[1])
    redis.call('ZREMRANGEBYRANK', KEYS[pools + 2], 0, -1 - size[2])
    redis.call('ZREMRANGEBYRANK', KEYS[pools + 3], size[3], -1)
    for j = 1, 3 do redis.call('EXPIRE', KEYS[pools + j], ttl) end
end
return redis.status_reply('OK')
"""
"""Keys: of the nights; then of each night its pools uncertain, novel, random; then of each object its state.
Arguments: how many each pool keeps; the time to live in seconds; how many nights; the nights as JSON; as JSON for each
object its id, which of the nights (1, 2, …), ranks in the pools uncertain and novel, and its lot, empty where it does
not belong; then for each object the order and the record of its alert as one string."""


@dataclass(frozen=True, slots=True)
class CandidateStore:
    """The pools of candidates of one broker. All is forgotten ``days_kept`` days after an object's last alert.

    Redis losing it all loses no data: the next alerts fill it again. Methods raise redis.RedisError.
    """

    client: redis.Redis
    keys: Keys
    pools: Pools = field(default_factory=Pools)
    days_kept: int = 14

    def offer(self, alerts: pa.RecordBatch, encoded: Sequence[bytes]) -> int:
        """Take a batch of classifications; returns how many objects it had.

        ``alerts``: with the columns ``active_learning.candidates.FIELDS``; rows without an object are passed over.
        ``encoded``: each row's record as the bytes of ``schemas.messages``.
        """
        rows = newest_of_each(alerts)
        if not len(rows):
            return 0
        newest = alerts.take(pa.array(rows))
        nights, night_index = np.unique(night_of_unix_ms(newest["input_time_ms"].to_numpy()), return_inverse=True)
        places = self._places(newest, night_index)
        states = [order + encoded[row] for order, row in zip(_orders(newest), rows.tolist(), strict=True)]
        state_keys = [self.keys.object_state(object_id) for object_id in newest["object_id"].to_pylist()]
        shared = [self.keys.candidate_nights()]
        shared += [self.keys.candidate_pool(pool, night) for night in nights.tolist() for pool in POOLS]
        sizes = [*self.pools.kept().values(), self.days_kept * 86_400, len(nights), json.dumps(nights.tolist())]
        script = self.client.register_script(_OFFER)
        with self.client.pipeline(transaction=False) as pipeline:
            for part in (slice(i, i + _ROWS_PER_CALL) for i in range(0, len(rows), _ROWS_PER_CALL)):
                arguments = [*sizes, json.dumps(places[part]), *states[part]]
                script(keys=[*shared, *state_keys[part]], args=arguments, client=pipeline)
            pipeline.execute()
        return len(rows)

    def candidates(self) -> list[Candidate]:
        """All candidates, each once, in the order of their object ids; stale entries of the pools are left out."""
        kept_nights = cast(list[bytes], self.client.zrange(self.keys.candidate_nights(), 0, -1))
        nights = [int(night) for night in kept_nights]
        recent = [night for night in nights if night > max(nights) - self.days_kept]
        members, probability = self.pools.members({pool: self._ranked(pool, recent) for pool in POOLS})
        records = self._records(sorted(set().union(*members.values())))
        return candidates_of(records, members, probability)

    def object_state(self, object_id: int) -> Record | None:
        """The newest classification record of an object; None where none arrived within ``days_kept``."""
        return self._records([object_id]).get(object_id)

    def clear(self) -> None:
        """Forget every candidate and object state of this broker."""
        for pattern in self.keys.of_candidates():
            for key in self.client.scan_iter(pattern, count=1000):
                self.client.delete(key)

    def _places(self, newest: pa.RecordBatch, night_index: NDArray[np.int64]) -> list[list[Any]]:
        """Per row: object id, its night's place among the nights from 1, and as text its ranks in the pools."""
        ranks = self.pools.ranks(newest)
        texts = [_texts(ranks["uncertain"]), _texts(ranks["novel"]), _texts(-ranks["random"])]
        columns = zip(newest["object_id"].to_pylist(), (night_index + 1).tolist(), *texts, strict=True)
        return [[str(object_id), *place] for object_id, *place in columns]

    def _ranked(self, pool: str, nights: list[int]) -> list[dict[int, float]]:
        with self.client.pipeline(transaction=False) as pipeline:
            for night in nights:
                pipeline.zrange(self.keys.candidate_pool(pool, night), 0, -1, withscores=True)
            return [{int(member): score for member, score in reply} for reply in pipeline.execute()]

    def _records(self, object_ids: list[int]) -> dict[int, Record]:
        with self.client.pipeline(transaction=False) as pipeline:
            for object_id in object_ids:
                pipeline.get(self.keys.object_state(object_id))
            replies = cast(list[bytes | None], pipeline.execute())
        return {
            object_id: messages.decode(stored[_ORDER_DIGITS:])[1]
            for object_id, stored in zip(object_ids, replies, strict=True)
            if stored is not None
        }


def all_candidates(settings: Settings) -> list[Candidate]:
    """What a night may be planned from. Raises LookupError where no Redis runs, redis.RedisError where it fails."""
    with redis_client(settings.redis_address(), PLANNING_TIMEOUT_S) as client:
        return CandidateStore(client, Keys(settings.topic_prefix)).candidates()


def _orders(alerts: pa.RecordBatch) -> list[bytes]:
    """For each alert 40 bytes that sort as the alerts of an object do, by time and then by id."""
    columns = zip(alerts["alert_mjd"].to_pylist(), alerts["alert_id"].to_pylist(), strict=True)
    return [f"{max(mjd, 0):020.9f}{alert_id + 2**63:020d}".encode() for mjd, alert_id in columns]


def _texts(ranks: NDArray[np.float64]) -> list[str]:
    """Numbers with all their digits; empty where a row is not in the pool."""
    return [repr(rank) if np.isfinite(rank) else "" for rank in ranks.tolist()]

"""The night's novelty p-values so far, counted in Redis: from them comes the threshold of the next batch.

A hash for each night: field = a task's name, value = JSON list of counts between
``models.scoring.conformal.histogram_edges()``. A task that is done again sets its own field again, so nothing counts
twice. Only the last tasks can come again, so older fields are added up in one, and the hash stays small.
"""

from __future__ import annotations

import json

import numpy as np
import redis
from numpy.typing import ArrayLike, NDArray

from broker.state.keys import Keys
from models.scoring.conformal import histogram_edges
from schemas.night import night_of_unix_ms

FIELDS_KEPT = 200
"""Tasks that keep a field of their own, more than a batch has."""

DAYS_KEPT = 3

_SET = """
local counts, order, old = KEYS[1], KEYS[2], ARGV[4]
if redis.call('HSET', counts, ARGV[1], ARGV[2]) == 1 then redis.call('RPUSH', order, ARGV[1]) end
while redis.call('LLEN', order) > tonumber(ARGV[3]) do
    local task = redis.call('LPOP', order)
    local sum, of_task = redis.call('HGET', counts, old), cjson.decode(redis.call('HGET', counts, task))
    if sum then
        sum = cjson.decode(sum)
        for i = 1, #of_task do sum[i] = sum[i] + of_task[i] end
    else sum = of_task end
    redis.call('HSET', counts, old, cjson.encode(sum))
    redis.call('HDEL', counts, task)
end
redis.call('EXPIRE', counts, ARGV[5])
redis.call('EXPIRE', order, ARGV[5])
return redis.status_reply('OK')
"""


def count(p_values: ArrayLike) -> NDArray[np.int64]:
    """How many p-values lie between the edges, each bin with its upper edge; what is no number counts as 1."""
    edges = histogram_edges()
    p = np.nan_to_num(np.asarray(p_values, np.float64), nan=1.0)
    bins = np.clip(np.searchsorted(edges, p, side="left") - 1, 0, len(edges) - 2)
    return np.bincount(bins, minlength=len(edges) - 1)


def add(
    client: redis.Redis, keys: Keys, task: str, p_values: ArrayLike, time_ms: ArrayLike, fields_kept: int = FIELDS_KEPT
) -> None:
    """Set a task's counts, night by night; the task's p-values all come in one call. Raises redis.RedisError."""
    p, nights = np.asarray(p_values, np.float64), night_of_unix_ms(time_ms)
    for night in np.unique(nights).tolist():
        counts = json.dumps(count(p[nights == night]).tolist(), separators=(",", ":"))
        arguments: list[str | int] = [task, counts, fields_kept, "older tasks", DAYS_KEPT * 86_400]
        client.eval(_SET, 2, keys.night_histogram(night), keys.night_histogram_order(night), *arguments)


def read(client: redis.Redis, keys: Keys, night: int) -> NDArray[np.int64]:
    """The night's counts so far, over all tasks, shape (bins,).

    Raises redis.RedisError, also where a field holds anything but counts.
    """
    total = np.zeros(len(histogram_edges()) - 1, np.int64)
    fields: dict[bytes, bytes] = client.hgetall(keys.night_histogram(night))  # type: ignore[assignment]
    for task, counts in fields.items():
        try:
            total += np.asarray(json.loads(counts), np.int64)
        except (ValueError, TypeError) as error:
            raise redis.DataError(
                f"the field {task.decode(errors='replace')!r} of {keys.night_histogram(night)} must be a JSON list of "
                f"{len(total)} counts: {error}; delete the key, and the night is counted from now on"
            ) from error
    return total

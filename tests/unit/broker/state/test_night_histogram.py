"""The night's counts of p-values in a real Redis: each task counts once, and each broker for itself."""

from __future__ import annotations

import numpy as np
import pytest
import redis

from broker.state import night_histogram
from broker.state.keys import Keys
from schemas.night import night_of_unix_ms

TIME_MS = 1_790_000_000_000
NIGHT = int(night_of_unix_ms(TIME_MS))
P_VALUES = np.array([1e-9, 1e-3, 0.5, 1.0, np.nan])


def test_the_histogram_stays_small_and_whole(asked: redis.Redis, keys: Keys) -> None:
    for task in range(12):
        night_histogram.add(asked, keys, f"t{task}", P_VALUES, np.full(5, TIME_MS), fields_kept=4)
    counts = night_histogram.read(asked, keys, NIGHT)
    assert asked.hlen(keys.night_histogram(NIGHT)) == 5
    night_histogram.add(asked, keys, "t11", P_VALUES, np.full(5, TIME_MS), fields_kept=4)
    np.testing.assert_array_equal(night_histogram.read(asked, keys, NIGHT), counts)
    assert counts.sum() == 60
    assert counts[0] == 12
    assert counts[-1] == 24, "what is no number counts as 1"


def test_two_brokers_on_one_redis_count_apart(asked: redis.Redis, keys: Keys) -> None:
    other = Keys(f"{keys.prefix}-other")
    night_histogram.add(asked, keys, "t", P_VALUES, np.full(5, TIME_MS))
    assert night_histogram.read(asked, other, NIGHT).sum() == 0
    night_histogram.add(asked, other, "t", P_VALUES[:2], np.full(2, TIME_MS))
    assert night_histogram.read(asked, keys, NIGHT).sum() == 5
    assert night_histogram.read(asked, other, NIGHT).sum() == 2


@pytest.mark.parametrize("damaged", [b"nonsense", b"[1, 2]", b"{}", b"null", b'["a"]'])
def test_a_field_that_holds_no_counts_is_an_error_of_redis_with_its_key(
    asked: redis.Redis, keys: Keys, damaged: bytes
) -> None:
    asked.hset(keys.night_histogram(NIGHT), "t", damaged)
    with pytest.raises(redis.RedisError, match=keys.night_histogram(NIGHT)):
        night_histogram.read(asked, keys, NIGHT)

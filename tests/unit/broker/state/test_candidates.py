"""What the store keeps of a stream of classified alerts, in a real server."""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import numpy as np
import pyarrow as pa
import pytest
import redis

from active_learning.candidates import ASKED_P_VALUE, FIELDS, Pools
from active_learning.sampling import lot_of
from broker.records.fields import arrow_schema
from broker.state.candidates import CandidateStore
from broker.state.keys import Keys
from schemas import messages

RecordOf = Callable[..., dict[str, Any]]
DAY_MS = 86_400_000
EVEN = [0.34, 0.33, 0.33]


@pytest.fixture
def store(asked: redis.Redis, keys: Keys) -> CandidateStore:
    return CandidateStore(asked, keys, Pools(uncertain_size=5, novel_size=4, random_size=20))


def offer(store: CandidateStore, records: list[dict[str, Any]]) -> int:
    """Offer records as the sink does: as columns, with their messages."""
    schema = pa.schema([arrow_schema().field(name) for name in FIELDS])
    alerts = pa.RecordBatch.from_pylist([{name: record[name] for name in FIELDS} for record in records], schema=schema)
    return store.offer(alerts, [messages.encode("classification", _named(r)) for r in records])


def _named(record: dict[str, Any]) -> dict[str, Any]:
    return record | {"alert_id": record["alert_id"] or 0}


def pool(store: CandidateStore, name: str) -> set[int]:
    return {candidate.object_id for candidate in store.candidates() if name in candidate.pools}


def test_the_most_uncertain_are_kept(store: CandidateStore, record_of: RecordOf) -> None:
    sure = [record_of(i, p_survey=[0.98, 0.01, 0.01]) for i in range(1, 30)]
    unsure = [record_of(i, p_survey=EVEN) for i in range(100, 105)]
    assert offer(store, sure[:10] + unsure + sure[10:]) == 34
    assert pool(store, "uncertain") == {100, 101, 102, 103, 104}


def test_novel_ones_by_their_p_value(store: CandidateStore, record_of: RecordOf) -> None:
    novel = [record_of(i, novelty_p_value=i * 1e-5) for i in range(1, 8)]
    offer(store, [*novel, record_of(50)])
    assert pool(store, "novel") == {1, 2, 3, 4}


def test_strange_ones_are_asked_about_without_being_selected(store: CandidateStore, record_of: RecordOf) -> None:
    p_values = {1: 0.001, 2: ASKED_P_VALUE, 3: 0.06, 4: float("nan")}
    offer(store, [record_of(i, novelty_p_value=p_value) for i, p_value in p_values.items()])
    assert pool(store, "novel") == {1, 2}


def test_what_was_not_classified_is_not_uncertain_but_may_be_drawn(store: CandidateStore, record_of: RecordOf) -> None:
    offer(store, [record_of(1, class_id=300, p_survey=[], not_classified_reason="fewer than 3 points")])
    (candidate,) = store.candidates()
    assert candidate.pools == {"random"}
    assert candidate.pool_probability == 1.0


def test_rows_without_an_object_are_passed_over(store: CandidateStore, record_of: RecordOf) -> None:
    dead = record_of(3) | {"alert_id": None}
    assert offer(store, [record_of(0), dead]) == 0
    assert store.candidates() == []


def test_the_newest_alert_of_an_object_wins_in_any_order(store: CandidateStore, record_of: RecordOf) -> None:
    alerts = [
        record_of(7, alert_id=70 + day, alert_mjd=61_000.0 + day, novelty_p_value=p_value, p_survey=EVEN)
        for day, p_value in enumerate([1e-4] * 5 + [0.5])
    ]
    random.Random(1).shuffle(alerts)
    for alert in alerts:
        offer(store, [alert])
    (candidate,) = store.candidates()
    assert candidate.record["alert_id"] == 75
    assert candidate.pools == {"uncertain", "random"}, "its last alert is not novel"
    state = store.object_state(7)
    assert state is not None
    assert state["alert_id"] == 75


def test_of_alerts_at_the_same_time_the_higher_id_wins(store: CandidateStore, record_of: RecordOf) -> None:
    for alert_id in (2**60 + 1, 2**60, 9):
        offer(store, [record_of(7, alert_id=alert_id)])
    state = store.object_state(7)
    assert state is not None
    assert state["alert_id"] == 2**60 + 1


def test_replay_changes_nothing(store: CandidateStore, record_of: RecordOf) -> None:
    generator = np.random.default_rng(4)
    records = [
        record_of(int(i), alert_id=n, alert_mjd=61_000.0 + n, p_survey=generator.dirichlet([1, 1, 1]).tolist())
        for n, i in enumerate(generator.integers(1, 60, 300))
    ]
    offer(store, records)
    first = store.candidates()
    offer(store, records[100:200])
    offer(store, records)
    assert str(store.candidates()) == str(first)


def test_tasks_at_the_same_time_agree_with_one_after_the_other(store: CandidateStore, record_of: RecordOf) -> None:
    parts = [
        [record_of(i, alert_id=1000 * task + i, alert_mjd=61_000.0 + (task * 7 + i) % 8) for i in range(1, 200)]
        for task in range(8)
    ]
    with ThreadPoolExecutor(8) as pool_of_threads:
        list(pool_of_threads.map(lambda part: offer(store, part), parts))
    expected: dict[int, dict[str, Any]] = {}
    for record in sorted((r for part in parts for r in part), key=lambda r: r["alert_mjd"]):
        expected[record["object_id"]] = record
    stored_candidates = store.candidates()
    assert stored_candidates
    assert [c.record["alert_id"] for c in stored_candidates] == [
        expected[c.object_id]["alert_id"] for c in stored_candidates
    ]


def test_the_random_pool_is_the_lowest_lots_with_its_probability(store: CandidateStore, record_of: RecordOf) -> None:
    records = [record_of(i, p_survey=[0.99, 0.005, 0.005] if i % 2 else EVEN) for i in range(1, 401)]
    offer(store, records)
    lots = lot_of(np.arange(1, 401), store.pools.seed)
    order = np.argsort(lots)
    drawn = [candidate for candidate in store.candidates() if "random" in candidate.pools]
    assert {candidate.object_id for candidate in drawn} == set((order[:20] + 1).tolist())
    assert [candidate.pool_probability for candidate in drawn] == pytest.approx([lots[order[20]]] * 20)


def test_nights_merge_into_one_sample(store: CandidateStore, record_of: RecordOf) -> None:
    first = [record_of(i) for i in range(1, 300)]
    second = [record_of(i, input_time_ms=1_790_000_000_000 + DAY_MS) for i in range(200, 600)]
    offer(store, second)
    offer(store, first)
    lots = lot_of(np.arange(1, 600), store.pools.seed)
    assert pool(store, "random") == set((np.argsort(lots)[:20] + 1).tolist())


def test_nights_longer_ago_than_the_window_are_left_out(store: CandidateStore, record_of: RecordOf) -> None:
    offer(store, [record_of(1)])
    offer(store, [record_of(2, input_time_ms=1_790_000_000_000 + 14 * DAY_MS)])
    assert {candidate.object_id for candidate in store.candidates()} == {2}


def test_inverse_probability_weights_estimate_the_number_of_objects(asked: redis.Redis, record_of: RecordOf) -> None:
    estimates = []
    records = [record_of(i) for i in range(1, 301)]
    for seed in range(20):
        store = CandidateStore(asked, Keys(f"test-{uuid4().hex}"), Pools(random_size=40, seed=seed))
        offer(store, records)
        estimates.append(sum(1 / c.pool_probability for c in store.candidates() if "random" in c.pools))
        store.clear()
    error = np.std(estimates) / np.sqrt(len(estimates))
    assert abs(np.mean(estimates) - 300) < 4 * error


def test_encoded_records_are_taken_as_they_are(store: CandidateStore, record_of: RecordOf) -> None:
    records = [record_of(0), record_of(4), record_of(5)]
    offer(store, records)
    assert [candidate.record["object_name"] for candidate in store.candidates()] == ["4", "5"]


def test_everything_expires(store: CandidateStore, record_of: RecordOf, asked: redis.Redis) -> None:
    offer(store, [record_of(1, novelty_p_value=1e-4)])
    keys = [key for key in asked.scan_iter(f"{store.keys.prefix}:*") if not key.endswith(b":nights")]
    assert len(keys) == 4
    assert all(0 < asked.ttl(key) <= 14 * 86_400 for key in keys)
    store.clear()
    assert store.candidates() == []


def test_brokers_of_other_prefixes_share_nothing(asked: redis.Redis, record_of: RecordOf) -> None:
    name = f"test-{uuid4().hex}"
    one, other = CandidateStore(asked, Keys(name)), CandidateStore(asked, Keys(f"{name}2"))
    offer(one, [record_of(1), record_of(2)])
    offer(other, [record_of(3)])
    assert [candidate.object_id for candidate in one.candidates()] == [1, 2]
    one.clear()
    assert [candidate.object_id for candidate in other.candidates()] == [3]


def test_a_large_batch_of_several_nights_is_taken_in_parts(asked: redis.Redis, keys: Keys, record_of: RecordOf) -> None:
    store = CandidateStore(asked, keys)
    times = [1_790_000_000_000 + DAY_MS * (i % 3) for i in range(1, 1_201)]
    assert offer(store, [record_of(i, input_time_ms=ms) for i, ms in enumerate(times, 1)]) == 1_200
    assert len(pool(store, "random")) == 1_000
    assert all(store.object_state(i) is not None for i in (1, 500, 501, 1_000, 1_200))


def test_lots_are_uniform_and_differ_by_seed() -> None:
    lots = lot_of(np.arange(-5000, 5000), 3)
    assert ((lots >= 0) & (lots < 1)).all()
    assert np.abs(np.histogram(lots, 10, (0, 1))[0] - 1000).max() < 150
    assert abs(np.corrcoef(lots, lot_of(np.arange(-5000, 5000), 4))[0, 1]) < 0.05

"""A log that is followed while its Kafka ends and comes back."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from active_learning.logs import CutOff, NotSaved
from broker.kafka.following import FollowedLog
from broker.kafka.message_log import requests_log
from broker.local import start, stop
from broker.settings import Settings
from tests.waiting import wait_for

pytestmark = pytest.mark.services


def test_it_says_since_when_it_is_cut_off_and_goes_on_by_itself(
    house: Settings, tmp_path: Path, request_of: Callable[..., dict[str, Any]]
) -> None:
    with requests_log(house) as written:
        written.append([request_of(1)])
    followed = FollowedLog(house, requests_log(house, timeout_s=2.0))
    followed.start()
    try:
        assert followed.wait_until_read(60)
        assert [record["object_id"] for record in followed.records()] == [1]
        assert followed.cut_off is None
        address, before_ms = house.bootstrap_servers(), 1000 * time.time()
        stop(house)
        cut_off = wait_for(lambda: followed.cut_off, 60, "the follower to notice")
        assert address in cut_off.why
        assert before_ms - 10_000 < cut_off.since_ms < 1000 * time.time()
        with pytest.raises(NotSaved, match="NOT saved"):
            followed.append(request_of(2))
        assert [record["object_id"] for record in followed.records()] == [1], "what was read stays at hand"
        start(house)
        with requests_log(house) as written:
            written.append([request_of(3)])
        wait_for(lambda: len(followed.records()) == 2, 60, "the record written after the cut")
        wait_for(lambda: followed.cut_off is None, 60, "the follower to say that all is well")
    finally:
        followed.close()


def test_kafka_that_never_came_is_told_with_its_address(tmp_path: Path) -> None:
    nowhere = Settings(home=tmp_path, kafka_bootstrap_servers="127.0.0.1:1")
    followed = FollowedLog(nowhere, requests_log(nowhere))
    followed.start()
    try:
        cut_off: CutOff = wait_for(lambda: followed.cut_off, 60, "the follower to notice")
        assert "127.0.0.1:1" in cut_off.why
        assert not followed.wait_until_read(0.1)
    finally:
        followed.close()


def test_only_the_newest_are_kept_where_only_they_are_wanted(
    services: Settings, request_of: Callable[..., dict[str, Any]]
) -> None:
    settings = services.model_copy(update={"topic_prefix": f"newest-{uuid4().hex[:8]}"})
    followed = FollowedLog(settings, requests_log(settings), newest=3)
    with requests_log(settings) as log:
        log.append([request_of(i) for i in range(5)])
        followed.start()
        try:
            assert followed.wait_until_read(60)
            assert [record["object_id"] for record in followed.records()] == [2, 3, 4]
            log.append([request_of(5)])
            wait_for(lambda: [r["object_id"] for r in followed.records()] == [3, 4, 5], 60, "the newest record")
        finally:
            followed.close()

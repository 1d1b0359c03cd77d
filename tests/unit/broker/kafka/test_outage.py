"""One who waits for messages is told when Kafka goes, and when it is back; each once."""

from __future__ import annotations

import pytest

from broker.kafka import outage
from broker.kafka.outage import Outage
from broker.local import start, stop
from broker.settings import Settings
from tests.waiting import wait_for

pytestmark = pytest.mark.services


def test_an_outage_is_told_at_its_beginning_and_its_end(
    house: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(outage, "CHECK_S", 0.0)
    address, watched = house.bootstrap_servers(), Outage(house, "alerts")

    def told() -> list[str]:
        watched.look()
        return [record.getMessage() for record in caplog.records if record.name == outage.__name__]

    assert told() == []
    stop(house)
    (beginning,) = wait_for(told, 60, "the beginning")
    assert address in beginning
    assert beginning.endswith("waiting for it")
    assert told() == [beginning], "once"
    start(house)
    wait_for(lambda: len(told()) > 1, 60, "the end")
    assert told()[1].startswith("Kafka answers again, after ")
    assert len(told()) == 2

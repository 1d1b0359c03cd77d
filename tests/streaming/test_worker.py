"""What a worker keeps between tasks: made once, closed once; a task that fails takes only its own client with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from broker.kafka.writing import UndeliveredError
from broker.settings import Settings
from broker.stream import worker
from broker.stream.sink import GueststarWriter
from tests.streaming.sink_rows import alert_rows, routed

pytestmark = pytest.mark.services


def test_a_process_has_one_worker_for_each_home(settings: Settings, tmp_path: Path) -> None:
    one = worker.worker_of(settings.home)
    assert worker.worker_of(str(settings.home)) is one
    other = tmp_path / "other"
    assert worker.worker_of(other) is not one
    worker.close(other)


def test_a_sink_task_that_fails_takes_only_the_writer_with_it(home: Path) -> None:
    one = worker.worker_of(home)
    bundle = one.settings.registry().model("production").sha256
    scorer = one.scorer(bundle)
    with one.fetcher() as fetcher, one.writer() as writer:
        pass
    with pytest.raises(UndeliveredError, match="no topic!"):
        GueststarWriter(str(home)).write(iter([routed(alert_rows(3), "no topic!")]))
    assert worker.worker_of(home) is one, "settings, Redis and history stay"
    assert one.scorer(bundle) is scorer
    with one.fetcher() as fetcher_after, one.writer() as writer_after:
        assert fetcher_after is fetcher
        assert writer_after is not writer


def test_a_source_task_that_fails_takes_only_the_fetcher_with_it(settings: Settings) -> None:
    one = worker.worker_of(settings.home)
    with one.writer() as writer, pytest.raises(KeyboardInterrupt), one.fetcher() as fetcher:
        raise KeyboardInterrupt
    with one.fetcher() as fetcher_after, one.writer() as writer_after:
        assert fetcher_after is not fetcher
        assert writer_after is writer


def test_closed_once_everything_is_made_anew(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    one = worker.worker_of(settings.home)
    with one.fetcher(), one.writer():
        pass
    assert one.redis.ask(lambda client: bool(client.ping()), False)
    monkeypatch.setenv("GUESTSTAR_TOPIC_PREFIX", "another")
    worker.close(settings.home)
    worker.close(settings.home)  # nothing is left to close
    assert worker.worker_of(settings.home).settings.topic_prefix == "another"


def test_a_worker_that_nobody_asked_has_no_clients(settings: Settings) -> None:
    """So that Spark may fork its workers from a process that has one."""
    import threading

    before = threading.active_count()
    worker.worker_of(settings.home)
    assert threading.active_count() == before
    assert not Path(settings.home, "models").exists()

"""The demonstration empties its own home only: not under a command at work, and people's labels after a question."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from active_learning.labels import label_of
from broker.demo import home
from broker.kafka.message_log import labels_log
from broker.local import start, stop
from broker.local.services import running
from broker.settings import Settings
from tests.command_line import command, gueststar
from tests.kafka_topics import create_topic

pytestmark = pytest.mark.services


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A home of the demonstration's, whose Kafka may be stopped and emptied."""
    settings = Settings(home=tmp_path_factory.mktemp("demo-home"))
    start(settings)
    home.remember(settings.home, {"first_model": "ab"})
    yield settings
    stop(settings)


@pytest.fixture(scope="module")
def labelled(settings: Settings, request_of: Callable[..., dict[str, Any]]) -> Settings:
    """Three labels of two people, and one of the demonstration's own."""
    with labels_log(settings) as log:
        given = zip((home.SPECTROGRAPH, "ada", "grace", "ada"), range(4), strict=True)
        log.append([label_of(request_of(number), 2222, who, 1) for who, number in given])
    return settings


def test_it_refuses_under_a_page_and_says_how_to_stop_it(settings: Settings) -> None:
    environment = os.environ | {"GUESTSTAR_HOME": str(settings.home)}
    with subprocess.Popen(command("label", "--json"), env=environment, stdout=subprocess.PIPE) as page:
        try:
            assert page.stdout is not None
            page.stdout.readline()
            refused = gueststar(settings.home, "demo", "--exit", "--yes")
            assert refused.returncode == 1
            assert f"`gueststar label` (process {page.pid}) is at work in {settings.home}" in refused.stderr
            assert f"`kill {page.pid}`" in refused.stderr
            assert "Traceback" not in refused.stderr
            assert running(settings, "kafka") is not None
        finally:
            page.send_signal(signal.SIGTERM)
    home.check_may_be_emptied(settings)


def test_labels_of_people_are_counted_also_while_kafka_is_down(labelled: Settings) -> None:
    stop(labelled)
    assert home.labels_of_people(labelled) == {"ada": 2, "grace": 1}
    assert running(labelled, "kafka") is None, "it is left as it was"


def test_without_anybody_to_ask_labels_of_people_stay(labelled: Settings) -> None:
    refused = gueststar(labelled.home, "demo", "--exit")
    assert refused.returncode == 1
    assert "3 labels given by ada, grace" in refused.stderr
    assert "--yes" in refused.stderr
    assert home.labels_of_people(labelled).total() == 3


def test_a_home_with_messages_that_no_demonstration_left_is_refused(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    start(settings)
    try:
        home.check_may_be_emptied(settings)
        create_topic(settings, 1).produce([b"someone's alert"])
        with pytest.raises(ValueError, match="not the demo's"):
            home.check_may_be_emptied(settings)
    finally:
        stop(settings)


def test_emptied_it_keeps_what_makes_the_next_run_quick(settings: Settings) -> None:
    (settings.home / "models").mkdir(exist_ok=True)
    (settings.home / "checkpoint").mkdir(exist_ok=True)
    assert home.prepare(settings) == {"first_model": "ab"}
    assert (settings.home / "models").exists()
    assert not any((settings.home / name).exists() for name in home.STREAM_FOLDERS)

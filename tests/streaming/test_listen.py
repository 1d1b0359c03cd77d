"""Subscribers on a real Kafka: each alert once, from where they ask."""

from __future__ import annotations

import doctest
import json
import os
import re
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from broker import client
from broker.client import listening
from broker.commands.listen import listen as listen_command
from broker.kafka import topics
from broker.settings import Settings
from broker.stream.sink import GueststarWriter
from tests.streaming.sink_rows import alert_rows, routed
from tests.waiting import wait_for

pytestmark = pytest.mark.services


def publish(settings: Settings, first: int, n: int) -> list[int]:
    rows = alert_rows(n, first=first)
    GueststarWriter(str(settings.home)).write(iter([routed(rows, topics.sample(settings))]))
    ids: list[int] = rows.column("alert_id").to_pylist()
    return ids


def test_repeats_are_passed_over(settings: Settings) -> None:
    first = publish(settings, 0, 20)
    publish(settings, 0, 20)
    second = publish(settings, 20, 5)
    with client.listen("sample", start="earliest", limit=25, settings=settings) as alerts:
        given = [alert["alert_id"] for alert in alerts]
        assert alerts.topic == topics.sample(settings)
    assert sorted(given) == first + second


def test_the_memory_for_repeats_is_bounded(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("broker.client.listening.KEYS_KEPT", 3)
    topics.create(settings, [topics.sample(settings)], partitions=1)
    publish(settings, 0, 5)
    publish(settings, 4, 1)  # remembered
    publish(settings, 0, 1)  # forgotten
    with client.listen("sample", start="earliest", limit=6, settings=settings) as alerts:
        given = [alert["input_offset"] for alert in alerts]
        assert alerts.repeats == 1
    assert given == [0, 1, 2, 3, 4, 0]


def test_where_to_start(settings: Settings) -> None:
    before = publish(settings, 0, 6)
    between = datetime.now(UTC)
    wait_for(lambda: datetime.now(UTC).timestamp() > between.timestamp() + 0.002, 5, "the clock to move on")
    after = publish(settings, 6, 3)
    for start in (between.isoformat(), between.replace(tzinfo=None).isoformat(), "-3"):
        with client.listen("sample", start=start, limit=3, settings=settings) as alerts:
            assert sorted(alert["alert_id"] for alert in alerts) == after, start
    with client.listen("sample", start="-100", limit=9, settings=settings) as alerts:
        assert sorted(alert["alert_id"] for alert in alerts) == before + after
        assert alerts.lag() == 0
    with client.listen("sample", start="now", limit=2, settings=settings) as alerts:
        new = publish(settings, 100, 2)
        assert sorted(alert["alert_id"] for alert in alerts) == new


def test_without_waiting_it_ends_where_the_topic_does(settings: Settings) -> None:
    topics.create(settings, [topics.sample(settings)], partitions=3)
    with client.listen("sample", start="earliest", settings=settings, wait=False) as alerts:
        assert list(alerts) == []
    published = publish(settings, 0, 7)
    for start, expected in (("earliest", published), ("-100", published), ("now", [])):
        with client.listen("sample", start=start, settings=settings, wait=False) as alerts:
            assert sorted(alert["alert_id"] for alert in alerts) == expected, start
    ran = CliRunner().invoke(listen_command, ["sample", "--no-wait", "--json"])
    assert (ran.exit_code, ran.stdout) == (0, "")
    assert ran.stderr.startswith(f"{topics.sample(settings)}: 0 alerts after the start; --start-at earliest reads")
    ran = CliRunner().invoke(listen_command, ["sample", "--start-at", "earliest", "--no-wait", "--json"])
    assert ran.exit_code == 0, ran.output
    assert len(ran.stdout.splitlines()) == 7


def test_a_start_that_is_none(settings: Settings) -> None:
    publish(settings, 0, 1)
    with pytest.raises(ValueError, match=r"a start must be latest, earliest, -N .* or a time in .*, found 'yesterday'"):
        client.listen("sample", start="yesterday", settings=settings)


def test_a_group_goes_on_where_it_left_off(settings: Settings) -> None:
    ids = publish(settings, 0, 10)
    given: list[int] = []
    for limit in (4, 6):
        with client.listen("sample", start="earliest", limit=limit, group="mine", settings=settings) as alerts:
            given += [alert["alert_id"] for alert in alerts]
    assert sorted(given) == ids


def read_until(last: int, listener: client.Alerts, into: list[int]) -> None:
    """Read a listener's alerts until the one with the id ``last`` has come."""
    for alert in listener:
        into.append(alert["alert_id"])
        if alert["alert_id"] == last:
            return


@pytest.mark.parametrize("partitions", [4, 1])
def test_without_waiting_a_listener_ends_beside_another_of_its_group(settings: Settings, partitions: int) -> None:
    """With the partitions that are its own; where one partition is for two, that may be none."""
    topics.create(settings, [topics.sample(settings)], partitions=partitions)
    ids, last = publish(settings, 0, 40), 170_000_000_000_000_099
    given: tuple[list[int], list[int]] = ([], [])
    with (
        client.listen("sample", start="earliest", group="shared", settings=settings) as staying,
        ThreadPoolExecutor(1) as thread,
    ):
        reading = thread.submit(read_until, last, staying, given[0])
        wait_for(lambda: len(given[0]) == 40, 60, "the first listener to read everything")
        more = publish(settings, 40, 8)
        with client.listen("sample", start="earliest", group="shared", settings=settings, wait=False) as ending:
            given[1].extend(alert["alert_id"] for alert in ending)
            assert ending.lag() == 0
        assert publish(settings, 99, 1) == [last]
        reading.result(timeout=60)
    assert set(given[0] + given[1]) == {*ids, *more, last}


def test_the_example_of_the_documentation_runs(settings: Settings) -> None:
    rows = alert_rows(3, band=["r"] * 3, novelty_p_value=np.full(3, 0.0005))
    GueststarWriter(str(settings.home)).write(iter([routed(rows, topics.sample(settings))]))
    example = doctest.DocTestParser().get_doctest(
        listening.listen.__doc__ or "", {"listen": client.listen}, "listen", None, None
    )
    assert example.examples
    assert doctest.DocTestRunner().run(example) == doctest.TestResults(0, len(example.examples))


def test_an_unknown_topic_names_those_that_exist(settings: Settings) -> None:
    publish(settings, 0, 1)
    with pytest.raises(LookupError, match=r"no topic .*\.sampel; did you mean sample\? there are: sample \(`gues"):
        client.listen("sampel", settings=settings)
    topics.create(settings, topics.all_topics(settings, ["mine"]))
    with pytest.raises(LookupError) as raised:
        client.listen("class.kilonova", settings=settings)
    assert re.fullmatch(
        r"no topic \S+\.class\.kilonova; did you mean class\.kn\? there are: classifications, "
        r"deadletters, labels, novel, requests, sample, selections, strange, votes, "
        r"class\.NAME \(\d+\), filter\.NAME \(1\) \(`gueststar status` lists them\)",
        str(raised.value),
    )


def test_a_topic_that_is_still_to_come_is_told_as_such(settings: Settings) -> None:
    for name, reason in (("filter.mine", "a filter's topic is made when the job next"), ("novel", "first starts")):
        with pytest.raises(LookupError, match=rf"no topic .*\.{name} yet: .*{reason}"):
            client.listen(name, settings=settings)
    with pytest.raises(LookupError, match=r"no topic .*\.navel, and no other .*: start the job first"):
        client.listen("navel", settings=settings)


def test_the_command_prints_a_line_an_alert(settings: Settings) -> None:
    ids = publish(settings, 0, 4)
    arguments = ["sample", "--start-at", "earliest", "--limit", "4"]
    lines = CliRunner().invoke(listen_command, arguments).stdout.splitlines()
    assert len(lines) == 4
    assert all("p-value" in line and "MJD" in line for line in lines)
    records = [
        json.loads(line) for line in CliRunner().invoke(listen_command, [*arguments, "--json"]).stdout.splitlines()
    ]
    assert sorted(int(record["alert_id"]) for record in records) == ids
    assert all(isinstance(record["object_id"], str) for record in records)


def test_ctrl_c_ends_it_cleanly(settings: Settings, tmp_path: Path) -> None:
    publish(settings, 0, 1)
    command = [sys.executable, "-m", "broker.cli", "listen", "sample", "--start-at", "earliest", "--json"]
    out, log = tmp_path / "out", tmp_path / "log"
    # A shell's background job ignores the signal, and so would whatever it starts.
    given = signal.signal(signal.SIGINT, signal.default_int_handler)
    with out.open("wb") as file, log.open("wb") as errors_file:
        process = subprocess.Popen(command, stdout=file, stderr=errors_file, env=os.environ.copy())
    signal.signal(signal.SIGINT, given)
    try:
        wait_for(lambda: out.read_bytes() or process.poll() is not None, 60, "the first alert")
        process.send_signal(signal.SIGINT)
        process.wait(timeout=60)
    finally:
        process.kill()
        process.wait()
    errors = log.read_bytes()
    assert process.returncode == 0, errors
    assert b"Traceback" not in errors
    assert len(out.read_bytes().splitlines()) == 1

"""Alert files to a real Kafka: all of them, in time order, an object's alerts in one partition."""

from __future__ import annotations

import json
import re
import uuid
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from broker.commands.convert import convert
from broker.commands.replay import replay as replay_command
from broker.kafka import reading, topics
from broker.kafka.errors import UndeliveredError
from broker.operate import replay
from broker.settings import Settings
from schemas import packets
from schemas.light_curves import LightCurves
from schemas.other_files import NoAlertsError
from tests.kafka_topics import create_topic

pytestmark = pytest.mark.services


@pytest.fixture
def settings(services: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("GUESTSTAR_KAFKA_BOOTSTRAP_SERVERS", services.bootstrap_servers())
    monkeypatch.setenv("GUESTSTAR_HOME", str(tmp_path))
    return Settings(home=tmp_path)


def light_curves(times_mjd: list[float], object_ids: list[int]) -> LightCurves:
    """An alert of two points for each time."""
    n = len(times_mjd)
    times = np.array(times_mjd)
    points = {
        "time_mjd": np.column_stack([times - 1, times]).ravel(),
        "flux_njy": np.full(2 * n, 5000.0),
        "flux_err_njy": np.full(2 * n, 100.0),
        "band": np.full(2 * n, 2),
        "is_detection": np.ones(2 * n, bool),
    }
    alerts = {
        "alert_id": np.arange(n) + 1,
        "object_id": np.array(object_ids),
        "alert_mjd": times,
        "ra_deg": np.full(n, 10.0),
        "dec_deg": np.full(n, -10.0),
        "survey": np.zeros(n, int),
        "schema_id": np.full(n, 1101),
        "is_solar_system": np.zeros(n, bool),
        "reliability": np.full(n, 0.9),
    }
    return LightCurves.from_points(alert=np.repeat(np.arange(n), 2), columns=points, alerts=alerts)


def new_topic() -> str:
    return f"alerts-{uuid.uuid4().hex[:8]}"


def test_messages_are_sent_in_time_order(settings: Settings, tmp_path: Path) -> None:
    times = [61_003.5, 61_001.5, 61_002.5, 61_000.5, 61_004.5]
    wire = packets.write(light_curves(times, [7, 8, 7, 8, 7]))
    for number, message in enumerate(wire):
        (tmp_path / f"{number}.avro").write_bytes(message)
    (tmp_path / "broken.avro").write_bytes(b"\x00\x00")
    messages = replay.read([tmp_path / f"{number}.avro" for number in range(5)] + [tmp_path / "broken.avro"])
    assert [message.time_mjd for message in messages] == [*sorted(times), np.inf]
    assert [message.key for message in messages] == [b"8", b"8", b"7", b"7", b"7", None]

    topic, seen = new_topic(), []
    sent = replay.send(settings, topic, messages, progress=seen.append)
    assert (sent.alerts, seen[-1]) == (6, 6)
    entries = list(reading.read(settings, topic))
    assert len(reading.bounds(settings, topic)) == replay.PARTITIONS
    assert sorted(entry.value or b"" for entry in entries) == sorted([*wire, b"\x00\x00"])
    for key, number in ((b"7", 3), (b"8", 2)):
        of_key = [entry for entry in entries if entry.key == key]
        assert len({entry.partition for entry in of_key}) == 1
        light, _ = packets.read([entry.value or b"" for entry in of_key])
        assert len(light) == number
        assert (np.diff(light.alert_mjd) > 0).all()


def test_a_table_of_messages(settings: Settings, tmp_path: Path) -> None:
    wire = packets.write(light_curves([61_001.5, 61_000.5], [1, 2]))
    table = tmp_path / "alerts.parquet"
    pq.write_table(pa.table({"message": pa.array(wire, pa.binary())}), table)
    assert [message.value for message in replay.read([table])] == wire[::-1]


def test_the_rate_is_kept(settings: Settings) -> None:
    messages = replay.in_time_order(packets.write(light_curves([61_000.5 + i for i in range(21)], list(range(1, 22)))))
    assert replay.send(settings, new_topic(), messages, rate=40).seconds >= 0.5, "20 intervals of 25 ms"


def test_a_message_that_kafka_refuses_is_an_error(settings: Settings) -> None:
    topic = new_topic()
    create_topic(settings, 1, topic, max_message_bytes="5000")
    messages = [replay.Message(b"a", 1.0, None), replay.Message(bytes(20_000), 2.0, None)]
    with pytest.raises(UndeliveredError, match=r"1 of 2 messages refused .* of 20000 bytes"):
        replay.send(settings, topic, messages)
    assert [entry.value for entry in reading.read(settings, topic)] == [b"a"]


def test_what_is_no_alert_is_not_sent(settings: Settings, tmp_path: Path) -> None:
    """A table of light curves is refused by its name; the truth beside the alerts is passed over."""
    table, stream = tmp_path / "mine.csv", tmp_path / "stream"
    head = "object,time_mjd,band,flux_njy,flux_err_njy,ra_deg,dec_deg"
    table.write_text(f"{head}\nsn0,60000,g,500,10,5,5\nsn0,60001,r,500,10,5,5\n")
    topic = new_topic()
    refused = CliRunner().invoke(replay_command, [str(table), "--topic", topic])
    assert isinstance(refused.exception, NoAlertsError)
    assert "`gueststar convert` makes alerts of them" in str(refused.exception)
    assert topic not in topics.existing(settings)
    converted = CliRunner().invoke(convert, ["table", str(table), str(stream)])
    assert converted.stdout.splitlines()[-1] == f"send the alerts with: gueststar replay {stream}"
    sent = CliRunner().invoke(replay_command, [str(stream), "--topic", topic])
    assert sent.exit_code == 0, sent.output
    assert sent.stdout.startswith(f"2 alerts to {topic}")
    assert re.fullmatch(r"gueststar: passed over: .*truth\.parquet .*\n", sent.stderr)
    assert len(list(reading.read(settings, topic))) == 2


def test_no_alert_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no alert in these files"):
        replay.read([tmp_path])


def test_the_command(settings: Settings, shared_data: Path) -> None:
    topic = new_topic()
    folder = shared_data / "rubin-wire"
    result = CliRunner().invoke(replay_command, [str(folder), "--topic", topic, "--json"])
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert report["alerts"] == len(list(folder.iterdir())) == len(list(reading.read(settings, topic)))
    assert report["seconds"] >= 0

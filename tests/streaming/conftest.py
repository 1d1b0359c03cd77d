"""Fixtures of the streaming tests: a small model in production, and readers that run without Spark."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from broker.fetch import close_worker_fetcher
from broker.settings import Settings
from features.catalogue import fingerprint
from models.registry import Registry
from models.scorer import Scorer
from tests.streaming import small_models


@pytest.fixture(scope="session")
def small_bundle(pytestconfig: pytest.Config) -> Path:
    """A bundle trained on made-up objects, kept in pytest's cache for as long as it can be loaded."""
    cache = getattr(pytestconfig, "cache", None)
    assert cache is not None
    folder = cache.mkdir(f"small-bundle-{fingerprint()[:16]}") / "bundle"
    try:
        Scorer.load(folder)
    except Exception:
        shutil.rmtree(folder, ignore_errors=True)
        small_models.train_small(folder)
    return folder


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
    close_worker_fetcher()

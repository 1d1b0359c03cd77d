"""Fixtures that every test may use."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from platformdirs import user_data_path
from xdist.scheduler import LoadScopeScheduling

from broker.local.processes import locked
from broker.settings import Settings
from schemas.compiled_code import use_cache
from tests.kafka_topics import Topic, create_topic

CHROMIUM_FLAGS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]

KEPT_VARIABLES = {"GUESTSTAR_TEST_DATA", "GUESTSTAR_JARS", "GUESTSTAR_IVY_SETTINGS", "GUESTSTAR_TRACEBACK"}


def pytest_configure(config: pytest.Config) -> None:
    """No test reads the user's settings or writes to the user's home; the compiled numba code is kept between runs."""
    for name in [name for name in os.environ if name.startswith("GUESTSTAR_") and name not in KEPT_VARIABLES]:
        del os.environ[name]
    os.environ["GUESTSTAR_HOME"] = tempfile.mkdtemp(prefix="gueststar-test-home-")
    os.environ.setdefault("GUESTSTAR_JARS", str(user_data_path("gueststar") / "jars"))
    use_cache(config.rootpath / ".pytest_cache" / "numba")


def pytest_unconfigure(config: pytest.Config) -> None:
    shutil.rmtree(os.environ["GUESTSTAR_HOME"], ignore_errors=True)


def pytest_xdist_setupnodes(config: pytest.Config) -> None:
    """Compile once before the processes begin: each would do it for itself."""
    subprocess.run([sys.executable, "-m", "broker.cli", "warm"], cwd=config.rootpath, check=True)


LONG_FOLDERS = ("/end_to_end/", "/web/", "/streaming/")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long files first: processes that share the work by file then end at about the same time."""
    items.sort(key=lambda item: next((k for k, name in enumerate(LONG_FOLDERS) if name in item.nodeid), 3))


class ByFile(LoadScopeScheduling):
    """Processes that share the work take it file by file; all that watches the one demonstration stays together."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return "end_to_end" if "/end_to_end/" in file else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile:
    """Asked only where processes share the work."""
    return ByFile(config, log)


LARGE_DATA = Path(os.environ.get("GUESTSTAR_TEST_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")
"""The large folder of real alerts and light curves, on machines that have it."""

SMALL_DATA = Path(__file__).resolve().parent / "data" / "real"
"""Some of its alerts and light curves, laid out alike: tests/data/README.md says which, and whose."""


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real alerts and light curves: the large folder, or the small set where that is missing."""
    return LARGE_DATA if LARGE_DATA.is_dir() else SMALL_DATA


@pytest.fixture(scope="session")
def large_data() -> Path:
    """The large folder, for what only whole sets can show; tests that need it are skipped where it is missing."""
    if not LARGE_DATA.is_dir():
        pytest.skip(f"no folder of whole data sets at {LARGE_DATA}: set GUESTSTAR_TEST_DATA to read them")
    return LARGE_DATA


@pytest.fixture(scope="session")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A real Kafka and a real Redis in a home of their own, ended with the session: the settings that reach them.

    The Kafka server's jars are kept between sessions, in the folder GUESTSTAR_JARS or the user's default home.
    A command run as another process finds these services with GUESTSTAR_HOME=settings.home.
    """
    from broker.local import start, stop

    settings = Settings(home=tmp_path_factory.mktemp("services"))
    try:
        start(settings)
        yield settings
    finally:
        stop(settings)


@pytest.fixture(scope="session")
def small_bundle(pytestconfig: pytest.Config) -> Path:
    """A bundle trained on made-up objects, kept in pytest's cache for as long as it can be loaded."""
    from features.catalogue import fingerprint
    from models.scoring.scorer import Scorer
    from tests.streaming import small_models

    cache = getattr(pytestconfig, "cache", None)
    assert cache is not None
    folder = cache.mkdir(f"small-bundle-{fingerprint()[:16]}") / "bundle"
    with locked(folder.parent / "lock", deadline_s=200):  # the session's processes need it at the same time
        try:
            Scorer.load(folder)
        except Exception:
            shutil.rmtree(folder, ignore_errors=True)
            small_models.train_small(folder)
    return folder


@pytest.fixture
def topic(services: Settings) -> Iterator[Callable[..., Topic]]:
    """Makes topics: ``topic(partitions=2, **config)``. They are deleted when the test ends."""
    made: list[Topic] = []

    def make(partitions: int = 2, name: str = "", **config: str) -> Topic:
        made.append(create_topic(services, partitions, name, **config))
        return made[-1]

    yield make
    for one in made:
        one.delete()


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium of this machine: the variable GUESTSTAR_CHROMIUM, else found by name."""
    path = os.environ.get("GUESTSTAR_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        if os.environ.get("CI", "").lower() == "true":
            pytest.fail("CI must have chromium, none is found: install it, the page is not tested without")
        pytest.skip("no chromium found: install it to test the labelling page")
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=30_000)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=CHROMIUM_FLAGS)
        yield chromium
        chromium.close()

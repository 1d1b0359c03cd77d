"""Every key begins with the broker's prefix, and none stands for two things."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from active_learning.candidates import POOLS
from broker.state.keys import Keys


def every_key(keys: Keys) -> list[str]:
    pools = [keys.candidate_pool(pool, 61_000) for pool in POOLS]
    return [keys.object_state(7), keys.candidate_nights(), *pools, keys.points(1, 7)]


def test_keys_are_the_brokers_own() -> None:
    mine, others = every_key(Keys("a")), every_key(Keys("ab"))
    assert len(set(mine + others)) == 2 * len(mine)
    assert all(key.startswith("a:") for key in mine)


def test_without_a_prefix_there_are_no_keys() -> None:
    with pytest.raises(ValueError, match="topic_prefix"):
        Keys("")


def test_no_other_module_builds_a_key_or_a_client() -> None:
    root = Path(__file__).parents[4]
    files = subprocess.run(["git", "ls-files", "*.py"], cwd=root, capture_output=True, text=True, check=True).stdout
    texts = {name: (root / name).read_text() for name in files.split() if not name.startswith("tests/")}
    with_client = {name for name, text in texts.items() if "redis.Redis(" in text or "Redis.from_url" in text}
    assert with_client == {"broker/state/connection.py"}
    words = (":object:", ":candidates:", ":points:")
    assert {name for name, text in texts.items() if any(word in text for word in words)} == {"broker/state/keys.py"}

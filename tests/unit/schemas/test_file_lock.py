"""The lock that one process holds at a time; killed holders and many writers: tests of the registry and of services."""

from __future__ import annotations

from pathlib import Path

import pytest

from schemas.file_lock import locked


def test_the_caller_s_error_names_the_file_and_what_to_do(tmp_path: Path) -> None:
    file = tmp_path / "run" / "lock"
    with (
        locked(file, 1.0, TimeoutError),
        pytest.raises(LookupError, match=r"run/lock: another process has held this lock for 0 s: end it, then try"),
        locked(file, 0.0, LookupError),
    ):
        pytest.fail("the lock was held twice")
    with locked(file, 0.0, TimeoutError):
        assert file.exists()

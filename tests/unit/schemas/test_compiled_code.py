"""Compiled code is kept for the sources it was made from, and for no others."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from schemas import compiled_code


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "schemas" / "compiled_code.py"
    file.parent.mkdir()
    file.write_text("one")
    monkeypatch.setattr(compiled_code, "__file__", str(file))
    return file


def test_a_changed_source_gets_another_folder(sources: Path, tmp_path: Path) -> None:
    first = compiled_code.cache_folder(tmp_path / "cache")
    assert compiled_code.cache_folder(tmp_path / "cache") == first
    sources.write_text("another")
    assert compiled_code.cache_folder(tmp_path / "cache") != first


def test_old_folders_go(sources: Path, tmp_path: Path) -> None:
    for number in range(6):
        sources.write_text("x" * number)
        folder = compiled_code.cache_folder(tmp_path / "cache")
        os.utime(folder, (number, number))
    kept = [one.stat().st_mtime for one in (tmp_path / "cache").iterdir()]
    assert len(kept) == compiled_code.FOLDERS_KEPT
    assert folder.exists()


def test_a_place_that_was_set_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(compiled_code.VARIABLE, "elsewhere")
    compiled_code.use_cache(tmp_path)
    assert os.environ[compiled_code.VARIABLE] == "elsewhere"
    assert not list(tmp_path.iterdir())


def test_complete_holds_until_a_source_changes(sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(compiled_code.VARIABLE, str(tmp_path))
    assert not compiled_code.is_complete()
    compiled_code.completed()
    assert compiled_code.is_complete()
    sources.write_text("another")
    assert not compiled_code.is_complete()

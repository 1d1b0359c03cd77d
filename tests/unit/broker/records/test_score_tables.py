"""Tables of recent scores in the home: named by their SHA-256, checked when read, old ones removed."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from broker.records import score_tables
from broker.records.score_tables import DamagedTable
from models.scoring.recent_scores import RankedScores, RecentScores


def table(first: float, model: str = "aa") -> RecentScores:
    return RecentScores(model, {(0, 4): RankedScores(first + np.arange(600, dtype=np.float32))})


def test_the_newest_table_of_each_model_is_current(tmp_path: Path) -> None:
    assert score_tables.current(tmp_path) == {}
    first = score_tables.make_current(tmp_path, table(1))
    second = score_tables.make_current(tmp_path, table(2))
    assert score_tables.current(tmp_path) == {"aa": second}
    for model in "bcd":
        score_tables.make_current(tmp_path, table(3, model))
    assert list(score_tables.current(tmp_path)) == ["b", "c", "d"]
    np.testing.assert_array_equal(score_tables.read(tmp_path, first).cells[0, 4].scores, table(1).cells[0, 4].scores)


def test_the_same_table_again_is_the_newest_again(tmp_path: Path) -> None:
    first = score_tables.make_current(tmp_path, table(1))
    file = tmp_path / score_tables.FOLDER / f"{first}.npz"
    os.utime(file, (1, 1))
    assert score_tables.make_current(tmp_path, table(1)) == first
    assert file.stat().st_mtime > 1_000
    file.write_bytes(b"damaged")
    score_tables.make_current(tmp_path, table(1))
    assert score_tables.read(tmp_path, first).model_sha256 == "aa"


def test_what_is_missing_or_changed_is_named(tmp_path: Path) -> None:
    with pytest.raises(DamagedTable, match=r"bab.npz: the table of recent scores cannot be read: No such"):
        score_tables.read(tmp_path, "ab" * 32)
    sha256 = score_tables.make_current(tmp_path, table(1))
    file = tmp_path / score_tables.FOLDER / f"{sha256}.npz"
    data = file.read_bytes()
    for damaged in (b"", data[:-1], data[:500] + b"x" + data[501:]):
        file.write_bytes(damaged)
        with pytest.raises(DamagedTable, match="its SHA-256 must be its name"):
            score_tables.read(tmp_path, sha256)


@pytest.mark.parametrize("text", ["", "{", "[1]", "null", "\xff"])
def test_a_damaged_list_of_the_newest_names_none(tmp_path: Path, text: str) -> None:
    sha256 = score_tables.make_current(tmp_path, table(1))
    (tmp_path / score_tables.FOLDER / score_tables.CURRENT).write_text(text, encoding="latin-1")
    assert score_tables.current(tmp_path) == {}
    score_tables.make_current(tmp_path, table(1))
    assert score_tables.current(tmp_path) == {"aa": sha256}


def test_old_tables_are_removed_the_needed_ones_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(score_tables, "TABLES_KEPT", 3)
    monkeypatch.setattr("schemas.whole_file.os.fsync", lambda descriptor: None)
    of_another = score_tables.make_current(tmp_path, table(0, "bb"))
    made = []
    for number in range(1, 7):
        made.append(score_tables.make_current(tmp_path, table(number)))
        os.utime(tmp_path / score_tables.FOLDER / f"{made[-1]}.npz", (number, number))
        os.utime(tmp_path / score_tables.FOLDER / f"{of_another}.npz", (0, 0))
    left = {file.stem for file in (tmp_path / score_tables.FOLDER).glob("*.npz")}
    assert left == {of_another, *made[-3:]}

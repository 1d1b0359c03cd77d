"""A file is complete or absent, whatever happens while it is written; nobody reads a draft."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from schemas.whole_file import whole_file, whole_folder, write_whole


def test_a_block_that_raises_changes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    write_whole(file, "old")
    with pytest.raises(ZeroDivisionError), whole_file(file) as draft:
        draft.write_text(f"half of the n{1 / 0}" if draft.write_text("half of the n") else "")
    with pytest.raises(FileNotFoundError), whole_file(file):
        pass  # nothing was written
    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]


def test_folders_on_the_way_are_made(tmp_path: Path) -> None:
    write_whole(tmp_path / "b" / "c" / "d.txt", "å")
    assert (tmp_path / "b" / "c" / "d.txt").read_bytes() == "å".encode()


def test_readers_of_data_sets_pass_a_draft_over(tmp_path: Path) -> None:
    pq.write_table(pa.table({"x": [1]}), tmp_path / "one.parquet")
    with whole_file(tmp_path / "two.parquet") as draft:
        pq.write_table(pa.table({"x": [2]}), draft)
        assert ds.dataset(tmp_path).to_table().column("x").to_pylist() == [1]
        assert [file.name for file in tmp_path.glob("*.parquet")] == ["one.parquet"]
        assert [f.name for f in tmp_path.rglob("*.parquet") if not f.name.startswith(".")] == ["one.parquet"]
    assert sorted(ds.dataset(tmp_path).to_table().column("x").to_pylist()) == [1, 2]


def test_many_who_write_at_once_leave_one_whole_file(tmp_path: Path) -> None:
    file = tmp_path / "shared.txt"
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda i: write_whole(file, f"{i}" * 100_000), range(8)))
    text = file.read_text()
    assert text == text[0] * 100_000
    assert list(tmp_path.iterdir()) == [file]


def test_a_program_that_is_killed_leaves_the_old_file(tmp_path: Path) -> None:
    write_whole(tmp_path / "kept.txt", "old")
    code = (
        "import sys; from pathlib import Path; from schemas.whole_file import whole_file\n"
        "with whole_file(Path(sys.argv[1])) as draft:\n"
        "    draft.write_text('new'); print('written', flush=True); input()"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "kept.txt")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == "written\n"
        assert list(tmp_path.rglob(".kept.txt"))
        program.kill()
    assert (tmp_path / "kept.txt").read_text() == "old"


def test_a_folder_appears_whole_and_replaces_only_where_told_so(tmp_path: Path) -> None:
    folder = tmp_path / "bundle"
    for text, replace, expected in (("1", False, "1"), ("2", False, "1"), ("3", True, "3")):
        with whole_folder(folder, replace=replace) as draft:
            (draft / "a.txt").write_text(text)
            (draft / "deeper").mkdir()
            (draft / "deeper" / "b.txt").write_text(text)
        assert (folder / "a.txt").read_text() == (folder / "deeper" / "b.txt").read_text() == expected
    with pytest.raises(ZeroDivisionError), whole_folder(folder, replace=True) as draft:
        raise ZeroDivisionError
    assert (folder / "a.txt").read_text() == "3"
    assert list(tmp_path.iterdir()) == [folder]


def test_an_error_names_the_file_that_was_asked_for(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with (
        pytest.raises(NotADirectoryError, match=f"a file is in the way: '{tmp_path}/file/x.csv'"),
        whole_file(tmp_path / "file" / "x.csv"),
    ):
        pass
    with pytest.raises(OSError, match=r"it cannot be written: .*: '/proc/x\.csv'"), whole_file(Path("/proc/x.csv")):
        pass
    target = tmp_path / "full.csv"
    expected = f"it cannot be written: No space left on device: '{target}'"
    with pytest.raises(OSError, match=expected), whole_file(target) as draft:
        Path("/dev/full").write_text(str(draft))
    assert not target.exists()


def test_an_error_about_another_file_stays_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="'/nowhere'"), whole_file(tmp_path / "x.csv"):
        Path("/nowhere").read_text()

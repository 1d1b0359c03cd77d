"""The index of the registry: read whole or not at all, changed by one process at a time."""

from __future__ import annotations

import json
import math
import multiprocessing
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.registry import index
from models.registry.index import ALIASES, CANDIDATE, PREVIOUS, PRODUCTION, Index, RegistryError, Version
from models.registry.versions import Registry
from tests.waiting import wait_for

START = "from models.registry.index import *; from models.registry.versions import Registry; from pathlib import Path; "


def version(number: int) -> Version:
    return Version(number, f"{number:064x}", 1_700_000_000_000 + number, {"log_loss_flat": number / 7})


def of_versions(number: int) -> Index:
    index = Index()
    for one in range(1, number + 1):
        index = index.with_version(version(one))
    return index


@given(st.lists(st.sampled_from(["register", "rollback", 1, 2, 3, 4])), st.floats())
def test_whatever_happens_there_is_one_model_in_production_and_the_file_says_so(
    tmp_path_factory: pytest.TempPathFactory, steps: list[str | int], metric: float
) -> None:
    store = tmp_path_factory.mktemp("store")
    current = Index().with_version(Version(1, "0" * 64, 0, {"metric": metric}))
    for step in steps:
        if step == "register":
            current = current.with_version(version(current.next_number))
        elif step == "rollback":
            if PREVIOUS in current.aliases:
                assert current.rolled_back().rolled_back() == current
                current = current.rolled_back()
        elif step in {one.number for one in current.versions}:
            current = current.promoted(int(step))
            assert current.aliases[PRODUCTION] == step
    taken = list(current.aliases.values())
    assert PRODUCTION in current.aliases
    assert len(set(taken)) == len(taken) or current.aliases.get(CANDIDATE) == current.aliases.get(PREVIOUS)
    index.write(store, current)
    again = index.read(store)
    assert again is not None
    assert (again.aliases, again.versions[1:]) == (current.aliases, current.versions[1:])
    number = again.versions[0].metrics["metric"]
    assert number == metric if math.isfinite(metric) else math.isnan(number)


def test_a_folder_without_an_index_has_none(tmp_path: Path) -> None:
    assert index.read(tmp_path) is None
    assert index.read(tmp_path / "nowhere") is None


GOOD = {"version": 1, "sha256": "a" * 64, "created_ms": 0, "metrics": {}}


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "Expecting value"),
        ('{"format": "gueststar-registry-1"', "Expecting"),
        ("[]", "list indices"),
        ("[" * 100_000, "recursion"),
        (b"\x80\x81", "decode"),
        (
            '{"format": "gueststar-registry-9"}',
            "its format must be 'gueststar-registry-1', found 'gueststar-registry-9'",
        ),
        ('{"format": "gueststar-registry-1"}', "'versions' is missing"),
        ([{**GOOD, "sha256": "../../secret"}], "64 hexadecimal digits, found '../../secret'"),
        ([GOOD, GOOD], r"numbers of versions must rise, found \[1, 1\]"),
        ([{**GOOD, "version": None}], "NoneType"),
        ([{**GOOD, "version": 2}], "an alias must be one of .* and name a version, found {'production': 1}"),
    ],
)
def test_a_damaged_index_is_refused_in_one_line(tmp_path: Path, text: str | bytes | list, what: str) -> None:
    if isinstance(text, list):
        text = json.dumps({"format": index.FORMAT, "versions": text, "aliases": {PRODUCTION: 1}})
    (tmp_path / index.FILE).write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(RegistryError, match=rf"registry\.json: not an index of models \(.*{what}.*restore") as error:
        index.read(tmp_path)
    assert "\n" not in str(error.value)


def _promote(store: Path, numbers: list[int]) -> None:
    registry = Registry("sqlite:///unused", store)
    for number in numbers:
        registry.promote(number)


def _register(store: Path, numbers: list[int]) -> None:
    for number in numbers:
        with index.locked(store):
            current = index.read(store) or Index()
            added = Version(current.next_number, f"{number:064x}", 0, {})
            index.write(store, current.with_version(added))


def test_processes_that_write_at_once_lose_nothing_and_a_reader_sees_whole_states(tmp_path: Path) -> None:
    index.write(tmp_path, of_versions(3))
    context = multiprocessing.get_context("spawn")
    work = [
        *((_promote, [1 + (i + n) % 3 for i in range(60)]) for n in range(2)),
        *((_register, list(range(1000 * n, 1000 * n + 25))) for n in (1, 2)),
    ]
    processes = [context.Process(target=target, args=(tmp_path, numbers)) for target, numbers in work]
    for process in processes:
        process.start()
    states = 0
    while any(process.is_alive() for process in processes):
        current = index.read(tmp_path)  # raises where it is half an index
        assert current is not None
        assert current.aliases[PRODUCTION] != current.aliases.get(PREVIOUS)
        states += 1
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0, 0]
    assert states > 0
    final = index.read(tmp_path)
    assert final is not None
    assert [one.number for one in final.versions] == list(range(1, 3 + 50 + 1))
    assert {int(one.sha256, 16) for one in final.versions[3:]} == {*range(1000, 1025), *range(2000, 2025)}


def test_a_writer_that_is_killed_leaves_a_whole_index_and_no_lock(tmp_path: Path) -> None:
    index.write(tmp_path, of_versions(3))
    endless = (
        f"{START}r = Registry('sqlite:///unused', Path({str(tmp_path)!r}))\nwhile True: r.promote(1); r.promote(2)"
    )
    writer = subprocess.Popen([sys.executable, "-c", endless])
    before = (tmp_path / index.FILE).stat().st_ino

    def rewritten() -> bool:
        assert writer.poll() is None
        return (tmp_path / index.FILE).stat().st_ino != before

    wait_for(rewritten, 60, "the writer to write")
    os.kill(writer.pid, signal.SIGKILL)
    writer.wait()
    assert index.read(tmp_path) is not None
    assert Registry("sqlite:///unused", tmp_path).promote(3).aliases == (PRODUCTION,)


def test_a_lock_that_is_kept_is_told(tmp_path: Path) -> None:
    with index.locked(tmp_path), pytest.raises(RegistryError, match=r"\.registry\.lock: another process has held"):  # noqa: SIM117
        with index.locked(tmp_path, wait_s=0.0):
            pass


def test_who_asks_which_model_is_in_production_does_not_import_mlflow(tmp_path: Path) -> None:
    index.write(tmp_path, of_versions(2))
    asked = f"{START}import sys; r = Registry('http://127.0.0.1:9', Path({str(tmp_path)!r})); "
    asked += "print(r.model(PRODUCTION).version, r.promote(2).version, 'mlflow' in sys.modules, 'numba' in sys.modules)"
    asked_process = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert asked_process.stdout.split() == ["1", "2", "False", "False"]


def test_aliases_are_three() -> None:
    with pytest.raises(ValueError, match="staging"):
        Index((version(1),), {"staging": 1})
    assert ALIASES == (PRODUCTION, CANDIDATE, PREVIOUS)

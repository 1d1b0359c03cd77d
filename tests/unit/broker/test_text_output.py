"""Standard output of any encoding, and one whose reader leaves."""

from __future__ import annotations

import codecs
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from broker.text_output import ESCAPED, escaped, printable
from tests.command_line import command, gueststar

ALERT = Path(__file__).parents[2] / "data" / "faults" / "p1_alert.avro.gz"
NAME = "Näcτ-☄-🌟.avro.gz"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return Path(shutil.copy(ALERT, tmp_path / NAME))


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_an_output_that_lacks_letters_escapes_them(tmp_path: Path, file: Path, encoding: str) -> None:
    done = run(tmp_path, "show", str(file), "--json", PYTHONIOENCODING=encoding)
    (alert,) = json.loads(done.stdout.decode("utf-8" if encoding == "ascii" else encoding))["alerts"]
    assert alert["file"] == str(file)
    assert alert["n_points"] == 14


def test_a_table_and_a_card_are_shown_in_any_encoding(tmp_path: Path, file: Path) -> None:
    assert b"2752190653015010019" in run(tmp_path, "show", str(file), PYTHONIOENCODING="latin-1").stdout
    assert run(tmp_path, "data", "show", "plasticc", PYTHONIOENCODING="latin-1").stdout
    run(tmp_path, "--help", LC_ALL="C", PYTHONCOERCECLOCALE="0", PYTHONUTF8="0")


def run(home: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[bytes]:
    done = subprocess.run(command(*words), env=environment(home, variables), capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert b"Traceback" not in done.stderr
    return done


def test_letters_are_escaped_as_in_json() -> None:
    codecs.register_error(ESCAPED, escaped)
    text = "µ ☄ 🌟 \udcff"
    shown = text.encode("ascii", ESCAPED).decode()
    assert shown == r"\u00b5 \u2604 \ud83c\udf1f \udcff"
    assert json.loads(f'"{shown}"') == text


def test_a_name_that_is_no_text_is_shown(tmp_path: Path) -> None:
    name = os.fsencode(tmp_path) + b"/\xff.avro.gz"
    shutil.copy(ALERT, name)
    done = gueststar(tmp_path / "home", "show", os.fsdecode(name))
    assert done.returncode == 0, done.stderr
    assert "2752190653015010019" in done.stdout


def test_a_reader_who_leaves_early_is_no_error(tmp_path: Path, file: Path) -> None:
    words = command("show", *[str(file)] * 100)
    with subprocess.Popen(
        words, env=environment(tmp_path, {}), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.readline()
        running.stdout.close()
        assert running.stderr.read() == b""
        assert running.wait(60) in (0, 1)


def environment(home: Path, variables: dict[str, str]) -> dict[str, str]:
    return os.environ | {"GUESTSTAR_HOME": str(home)} | variables


def test_what_steers_a_terminal_is_escaped_as_in_json() -> None:
    text = "\x1b[31mred\x9b0m\n\0\u202eabc\u2028 SN 2011fe µ 🌟 \U000e0001"
    shown = printable(text)
    assert shown.isprintable()
    assert shown.endswith(" SN 2011fe µ 🌟 \\udb40\\udc01")
    assert json.loads(printable(json.dumps({"name": text}, ensure_ascii=False))) == {"name": text}

"""The command line: help, exit codes, and what errors look like."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import click
import pytest
import redis
from confluent_kafka import KafkaError, KafkaException

from broker import cli
from broker.local.jars import JarError
from tests.command_line import gueststar


def run(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    """The exit code of ``main`` called in this process."""
    monkeypatch.setattr(sys, "argv", ["gueststar", *words])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert isinstance(ended.value.code, int)
    return ended.value.code


def test_help_lists_every_command_that_exists(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "--help") == 0
    out = capsys.readouterr().out
    for name in cli.gueststar.list_commands(click.Context(cli.gueststar)):
        assert cli.COMMANDS[name][1].split()[0] in out
        assert f"  {name} " in out


def test_help_loads_nothing_heavy() -> None:
    code = "import sys, broker.cli; print(sorted({'pyspark', 'numba', 'numpy', 'astropy'} & sys.modules.keys()))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_a_misspelt_command_is_told_with_the_likely_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "stauts") == 2
    assert "There is no command 'stauts'; did you mean status?" in capsys.readouterr().err


def test_the_exit_code_of_a_command_is_the_program_s(monkeypatch: pytest.MonkeyPatch) -> None:
    leave = click.Command("leave", callback=lambda: click.get_current_context().exit(3))
    monkeypatch.setattr(cli.gueststar, "resolve_command", lambda ctx, args: ("leave", leave, args[1:]))
    assert run(monkeypatch, "leave") == 3


def test_what_a_command_returns_is_no_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = click.Command("answer", callback=lambda: {"alerts": 1})
    monkeypatch.setattr(cli.gueststar, "resolve_command", lambda ctx, args: ("answer", answer, args[1:]))
    assert run(monkeypatch, "answer") == 0


def test_a_setting_that_cannot_be_is_one_line_and_exit_code_1(tmp_path: Path) -> None:
    done = gueststar(tmp_path, "status", GUESTSTAR_NOVELTY_FDR="7")
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == (
        "gueststar: setting novelty_fdr (from GUESTSTAR_NOVELTY_FDR) must be less than 1, found '7'\n"
    )


def test_a_traceback_is_shown_where_it_is_asked_for(tmp_path: Path) -> None:
    done = gueststar(tmp_path, "status", GUESTSTAR_NOVELTY_FDR="7", GUESTSTAR_TRACEBACK="1")
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert "broker/settings.py" in done.stderr


def test_json_is_the_only_thing_on_standard_output(tmp_path: Path) -> None:
    done = gueststar(tmp_path, "status", "--json", GUESTSTAR_INPUT_TOPIC="a")
    assert json.loads(done.stdout)["kafka"]["running"] is False
    assert "did you mean GUESTSTAR_INPUT_TOPICS?" in done.stderr


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (LookupError("no kafka runs"), "no kafka runs"),
        (FileNotFoundError(2, "No such file or directory", "a.avro"), "[Errno 2] No such file or directory: 'a.avro'"),
        (JarError("another sum"), "another sum"),
        (redis.ConnectionError("refused"), "refused (`gueststar status` tells what runs)"),
        (
            KafkaException(KafkaError(KafkaError._TRANSPORT, "broker is down")),
            "broker is down (`gueststar status` tells what runs)",
        ),
    ],
)
def test_an_error_that_a_user_can_mend_is_one_line(error: Exception, told: str) -> None:
    assert cli.in_one_line(error) == told


@pytest.mark.parametrize(
    "error",
    [KeyError("flux"), IndexError("index"), TypeError("x"), AttributeError("x"), RuntimeError("x"), ValueError()],
)
def test_a_fault_of_the_program_is_shown_with_its_place(error: Exception) -> None:
    assert cli.in_one_line(error) is None

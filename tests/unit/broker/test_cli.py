"""The command line: help, exit codes, and what errors look like."""

from __future__ import annotations

import json
import lzma
import os
import re
import shlex
import subprocess
import sys
import zlib
from pathlib import Path

import click
import pytest
import redis
from click.testing import CliRunner

from broker import cli
from broker.error_lines import in_one_line
from broker.kafka.errors import Unreachable
from broker.local.jars import JarError
from tests.command_line import command, gueststar


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


def failing(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> int:
    """The exit code where a command raises this error."""

    def fail() -> None:
        raise error

    command = click.Command("fail", callback=fail)
    monkeypatch.setattr(cli.gueststar, "resolve_command", lambda ctx, args: ("fail", command, args[1:]))
    return run(monkeypatch, "fail")


@pytest.mark.parametrize(
    "error",
    [
        EOFError("Compressed file ended before the end-of-stream marker was reached"),
        EOFError(),
        KeyError("flux"),
        IndexError("list index out of range"),
        TypeError("a\nlong story"),
        AttributeError("x"),
        RuntimeError(),
        ValueError(),
        UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"),
        zlib.error("incorrect header check"),
        lzma.LZMAError("Corrupt input data"),
        ZeroDivisionError("division by zero"),
        MemoryError(),
        RecursionError("deep"),
        AssertionError(),
        NotImplementedError("That compression method"),
        BrokenPipeError(32, "Broken pipe"),
    ],
)
def test_no_error_ends_in_a_traceback_or_in_silence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: Exception
) -> None:
    assert failing(monkeypatch, error) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("gueststar: ")
    text = getattr(error, "strerror", None) or str(error)
    assert text.splitlines()[:1] == [] or text.splitlines()[0] in line


def test_the_line_of_an_error_that_nobody_foresaw_says_how_to_see_more(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failing(monkeypatch, KeyError("flux"))
    line = capsys.readouterr().err
    assert re.fullmatch(
        r"gueststar: KeyError: 'flux' \(at \S+\.py:\d+; GUESTSTAR_TRACEBACK=1 shows the way there\)\n", line
    )


def test_the_traceback_of_any_error_can_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GUESTSTAR_TRACEBACK", "1")
    for error in (KeyError("flux"), EOFError(), LookupError("no kafka runs")):
        with pytest.raises(type(error)):
            failing(monkeypatch, error)


@pytest.mark.parametrize(("error", "code"), [(KeyboardInterrupt(), 130), (click.Abort(), 130)])
def test_an_interrupt_is_no_error(monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int) -> None:
    assert failing(monkeypatch, error) == code


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (LookupError("no kafka runs"), "no kafka runs"),
        (FileNotFoundError(2, "No such file or directory", "a.avro"), "a.avro: No such file or directory"),
        (JarError("another sum"), "another sum"),
        (redis.ConnectionError("refused"), "refused (`gueststar status` tells what runs)"),
        (Unreachable("Kafka does not answer at a:1"), "Kafka does not answer at a:1"),
    ],
)
def test_an_error_that_a_user_can_mend_is_told_in_its_own_words(error: Exception, words: str) -> None:
    assert in_one_line(error) == words


def test_what_a_path_or_a_file_holds_cannot_steer_the_terminal_or_fill_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failing(monkeypatch, ValueError("a\nb.csv: found \x1b[31mred\u202e"))
    assert capsys.readouterr().err == "gueststar: a\\u000ab.csv: found \\u001b[31mred\\u202e\n"
    failing(monkeypatch, FileNotFoundError(2, "No such file or directory", "x/" * 4_000))
    line = capsys.readouterr().err
    assert len(line) < 2_000
    assert line.endswith("x/: No such file or directory\n")


def test_a_path_that_is_not_there_is_told_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "show", "no\nsuch\x1b" + 200 * "/x" * 10) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert "no\\nsuch\\x1b" in error
    assert error.endswith("does not exist.")
    assert len(error) < 2_000


def test_an_error_of_the_system_names_the_file_and_no_number(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failing(monkeypatch, PermissionError(13, "Permission denied", "/data/x.csv"))
    assert capsys.readouterr().err == "gueststar: /data/x.csv: Permission denied\n"


@pytest.mark.parametrize("words", [("models", "list", "--json"), ("data", "list"), ("--help",)])
def test_a_full_disk_behind_standard_output_is_told(tmp_path: Path, words: tuple[str, ...]) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            command(*words),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            env=os.environ | {"GUESTSTAR_HOME": str(tmp_path)},
        )
    assert done.returncode == 1
    assert done.stderr == "gueststar: standard output: No space left on device\n"


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_closed_standard_stream_is_one_that_nobody_reads(tmp_path: Path, closed: str) -> None:
    table = tmp_path / "x.csv"
    table.write_text("object,time_mjd,band,flux_njy,flux_err_njy\na,60000,g,500,10\n")
    out = tmp_path / "out.parquet"
    line = shlex.join(command("data", "export", str(table), str(out)))
    done = subprocess.run(
        ["sh", "-c", f"{line} {closed}"],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"GUESTSTAR_HOME": str(tmp_path)},
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert out.exists()


def test_every_error_begins_alike(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert failing(monkeypatch, click.ClickException("no data set 'x'")) == 1
    assert capsys.readouterr().err == "gueststar: no data set 'x'\n"
    assert failing(monkeypatch, ValueError("no data set 'x'")) == 1
    assert capsys.readouterr().err == "gueststar: no data set 'x'\n"


@pytest.mark.parametrize("name", sorted(cli.COMMANDS))
def test_a_list_of_commands_cuts_no_sentence_off(name: str) -> None:
    command = cli.gueststar.get_command(click.Context(cli.gueststar), name)
    if not isinstance(command, click.Group):
        return
    text = " ".join(CliRunner().invoke(command, ["--help"]).stdout.split()).partition("Commands:")[2]
    assert "..." not in text
    for one in command.commands.values():
        first = " ".join((one.help or "").split("\n\n")[0].split())
        assert first.endswith(".") or first.endswith("…")
        assert first in text, one.name


def test_a_condition_that_begins_with_a_dash_is_told_how_to_be_given(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "filters", "add", "x", "-1 < n_points") == 2
    assert "Put -- before what begins with a dash." in capsys.readouterr().err
    assert run(monkeypatch, "filters", "add", "x", "--jsn") == 2
    assert "Put --" not in capsys.readouterr().err

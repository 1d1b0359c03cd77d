"""Options that commands share."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from broker.cli import COMMANDS
from broker.commands.options import FilePath
from tests.command_line import gueststar


def parameters(command: click.Command) -> list[click.Parameter]:
    """Those of a command and of the commands below it."""
    below = command.commands.values() if isinstance(command, click.Group) else ()
    return [*command.params, *(parameter for child in below for parameter in parameters(child))]


@pytest.mark.parametrize("name", COMMANDS)
def test_no_path_of_any_command_may_be_empty(name: str) -> None:
    command = getattr(import_module(f"broker.commands.{COMMANDS[name][0]}"), name)
    paths = [parameter for parameter in parameters(command) if isinstance(parameter.type, click.Path)]
    assert all(isinstance(parameter.type, FilePath) for parameter in paths)
    for parameter in paths:
        with pytest.raises(click.BadParameter, match="it is empty"):
            parameter.type.convert("", parameter, None)


def test_a_path_is_one() -> None:
    @click.command()
    @click.argument("file", type=FilePath(dir_okay=False))
    def show(file: Path) -> None:
        click.echo(repr(file.name))

    assert CliRunner().invoke(show, ["a/b"]).output == "'b'\n"
    assert "it is empty: give a path" in CliRunner().invoke(show, [""]).output


@pytest.mark.parametrize("words", [("data", "export", "", "x.csv"), ("status", "--home", "")])
def test_an_empty_name_of_a_set_or_a_home_is_not_the_folder_one_is_in(tmp_path: Path, words: tuple[str, ...]) -> None:
    done = gueststar(tmp_path, *words)
    assert done.returncode == 1
    assert "empty" in done.stderr
    assert len(done.stderr.splitlines()) == 1

"""What exists is documented: every command with its options, every setting with its variable and default."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import click
import pytest

from broker.cli import COMMANDS, gueststar
from broker.settings import Settings
from models.datasets import table_files
from schemas import taxonomy

ROOT = Path(__file__).resolve().parents[2]
EXISTING = gueststar.list_commands(click.Context(gueststar))


def section(page: str, heading: str) -> str:
    text = (ROOT / "docs" / page).read_text()
    match = re.search(rf"^## {re.escape(heading)}$(.*?)(?=^## |\Z)", text, re.M | re.S)
    assert match, f"docs/{page} has no section '## {heading}'"
    return match.group(1)


def leaves(command: click.Command, path: str) -> list[tuple[str, click.Command]]:
    if isinstance(command, click.Group):
        return [leaf for name, child in command.commands.items() for leaf in leaves(child, f"{path} {name}")]
    return [(path, command)]


@pytest.mark.parametrize("name", EXISTING)
def test_every_command_and_option_is_documented(name: str) -> None:
    command = getattr(import_module(f"broker.commands.{COMMANDS[name][0]}"), name)
    text = section("commands.md", f"`gueststar {name}`")
    for path, leaf in leaves(command, name):
        assert f"gueststar {path}" in text + f"gueststar {name}", (
            f"docs/commands.md does not tell of `gueststar {path}`"
        )
        for option in (o for o in leaf.params if isinstance(o, click.Option)):
            assert any(flag in text for flag in option.opts), (
                f"`gueststar {path}` has {option.opts}, docs/commands.md does not"
            )


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_every_setting_is_documented(name: str) -> None:
    page = (ROOT / "docs" / "settings.md").read_text()
    assert f"| `{name}` |" in page, f"docs/settings.md has no row for {name}"
    row = next(line for line in page.splitlines() if line.startswith(f"| `{name}` |"))
    default = Settings.model_fields[name].default
    if isinstance(default, bool | int | float) or (isinstance(default, str) and default):
        assert f"`{default}`" in row.replace("_", "_"), f"docs/settings.md does not give {name}'s default {default!r}"


def test_every_documented_command_exists() -> None:
    named = set(re.findall(r"^## `gueststar (\w+)`$", (ROOT / "docs" / "commands.md").read_text(), re.M))
    assert named == set(EXISTING)


@pytest.mark.parametrize("name", EXISTING)
def test_every_command_teaches(name: str) -> None:
    command = getattr(import_module(f"broker.commands.{COMMANDS[name][0]}"), name)
    assert command.help
    for path, leaf in leaves(command, name):
        assert leaf.help, f"`gueststar {path} --help` explains nothing"
        assert all(o.help for o in leaf.params if isinstance(o, click.Option)), (
            f"an option of `gueststar {path}` has no help"
        )


def test_the_leaderboard_is_that_of_its_files() -> None:
    code = (ROOT / "docs" / "leaderboard" / "table.py").read_text()
    space = {"__file__": str(ROOT / "docs" / "leaderboard" / "table.py"), "__name__": "table"}
    exec(compile(code, space["__file__"], "exec"), space)
    assert (ROOT / "docs" / "leaderboard.md").read_text() == space["page"](), "python docs/leaderboard/table.py"
    for suite in space["FIGURES"]:
        assert list((ROOT / "docs" / "leaderboard" / suite).glob("*.json")), f"no report of {suite}"


def test_the_classes_that_a_table_may_name_are_listed() -> None:
    text = section("data.md", "Your own light curves")
    for leaf in taxonomy.leaves():
        assert leaf.name in text or leaf.name.endswith("/Other") or leaf.parent_id == 0, leaf.name


def test_the_forms_of_tables_are_listed() -> None:
    text = section("data.md", "Your own light curves")
    for ending in table_files.READERS:
        assert ending.removesuffix(".gz") in text or ending == ".hdf5", ending

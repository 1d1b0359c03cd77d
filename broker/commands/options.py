"""Options that commands share: settings as flags, and ``--json``."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import click
from pydantic.fields import FieldInfo

from broker.setting_errors import variable_of
from broker.settings import Settings

json_option = click.option(
    "--json", "as_json", is_flag=True, help="One JSON object on standard output, nothing else there."
)


SEED = click.IntRange(0, 2**32 - 1)
"""Seeds that every generator of random numbers takes."""


class FilePath(click.Path):
    """A path as click takes it, but not an empty one: that would be the folder one is in."""

    def __init__(self, **rules: Any) -> None:
        super().__init__(path_type=Path, **rules)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == "":
            self.fail("it is empty: give a path, or '.' for the folder you are in", param, ctx)
        return super().convert(value, param, ctx)


class CommandGroup(click.Group):
    """A group whose help gives the first paragraph of each command's help whole: click cuts it off after a line."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        commands = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        rows = [(name, " ".join((one.help or "").split("\n\n")[0].split())) for name, one in commands if one]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


def with_settings(*names: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a command the keyword argument ``settings``, and a flag for each of the settings named."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(command)
        def call(*args: Any, **kwargs: Any) -> Any:
            given = {name: kwargs.pop(f"setting_{name}") for name in names}
            return command(*args, settings=Settings(**_without_unset(given)), **kwargs)

        decorated: Callable[..., Any] = call
        for name in reversed(names):
            decorated = _flag(name)(decorated)
        return decorated

    return decorate


def _flag(name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    field = Settings.model_fields[name]
    many = field.annotation == list[str]
    return click.option(
        "--" + name.replace("_", "-"),
        f"setting_{name}",
        type=_kind(field),
        multiple=many,
        default=() if many else None,
        help=f"{field.description} [variable {variable_of(name)}{_default(field)}]",
    )


def _kind(field: FieldInfo) -> Any:
    if get_origin(field.annotation) is Literal:
        return click.Choice(get_args(field.annotation))
    return field.annotation if field.annotation in (int, float) else str


def _default(field: FieldInfo) -> str:
    """The default as a person would type it; the description of a setting says what an empty one means."""
    default = field.get_default(call_default_factory=True)
    if default in (None, ""):
        return ""
    return f"; default {', '.join(default) if isinstance(default, list) else default}"


def _without_unset(given: dict[str, Any]) -> dict[str, Any]:
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in given.items()
        if value not in (None, ())
    }

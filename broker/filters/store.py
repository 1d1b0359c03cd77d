"""Subscribers' filters: named expressions, kept in <home>/filters.toml, each with a topic of its own."""

from __future__ import annotations

import json
import os
import re
import tomllib
from pathlib import Path

from broker.filters.expression import FilterError, render
from broker.settings import Settings

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


def file_of(settings: Settings) -> Path:
    """Where the filters are kept."""
    return settings.home / "filters.toml"


def load(settings: Settings) -> dict[str, str]:
    """Name → expression, in the order of the file; empty where there is none.

    Raises FilterError where the file holds anything but good filters, with its name and what to mend.
    """
    file = file_of(settings)
    if not file.exists():
        return {}
    try:
        kept = tomllib.loads(file.read_text(encoding="utf-8")).get("filters", {})
    except tomllib.TOMLDecodeError as error:
        raise FilterError(f"{file} is not TOML: {error}") from error
    for name, expression in kept.items():
        try:
            check_name(name)
            render(expression)
        except FilterError as error:
            raise FilterError(f"the filter {name} in {file} is no filter: {error}") from error
    return dict(kept)


def add(settings: Settings, name: str, expression: str) -> bool:
    """Keep a filter, in place of one of the same name; True where it is new. FilterError where it is no filter."""
    check_name(name)
    render(expression)
    kept = load(settings)
    is_new = name not in kept
    _save(settings, kept | {name: expression})
    return is_new


def remove(settings: Settings, name: str) -> None:
    """Forget a filter; its topic stays, and gets nothing more. LookupError where there is none of the name."""
    kept = load(settings)
    get(settings, name)
    del kept[name]
    _save(settings, kept)


def get(settings: Settings, name: str) -> str:
    """A filter's expression; LookupError names those that exist."""
    kept = load(settings)
    if name not in kept:
        raise LookupError(f"no filter {name!r}; there are: {', '.join(kept) or 'none'}")
    return kept[name]


def check_name(name: str) -> None:
    """FilterError where a name can't be part of a topic's name."""
    if not _NAME.fullmatch(name):
        raise FilterError(
            f"a filter's name must be 1 to 64 small letters, digits, - or _, and begin with a letter or digit: {name!r}"
        )


def _save(settings: Settings, filters: dict[str, str]) -> None:
    # A JSON string of one line is a TOML basic string, too.
    lines = [f"{json.dumps(name)} = {json.dumps(expression)}" for name, expression in filters.items()]
    text = "\n".join(["# Subscribers' filters: a job takes changes up when it starts again.", "[filters]", *lines])
    file = file_of(settings)
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}.{os.getpid()}.draft")
    draft.write_text(text + "\n", encoding="utf-8")
    draft.replace(file)

"""Subscribers' filters: named expressions, kept in <home>/filters.toml, each with a topic of its own.

People write in that file, too. A filter that is damaged there is told and left out; the good ones go on.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from broker.filters.expression import Condition, parse
from broker.filters.tokens import FilterError
from broker.kafka import topics
from broker.local.processes import locked
from broker.setting_kinds import TOPIC_LENGTH
from broker.settings import Settings
from schemas.whole_file import write_whole

LOCK_FILE = Path("run") / "filters.lock"
"""In the home: held while the file changes, so that two who add filters at once both find theirs."""

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_HEADING = "Subscribers' filters: a job takes changes up when it starts again."


@dataclass(frozen=True)
class RefusedFilter:
    """A filter that is kept but can't run, and why. ``name`` is empty where a line of the file has none."""

    name: str
    expression: str
    reason: str

    def line(self) -> str:
        """What to tell of it."""
        return f"{_one_line(self.name) or '(no name)'}: {_one_line(self.reason)}"


@dataclass(frozen=True)
class Filters:
    """What the file holds: the filters that may run by their names, in its order, and those that can't."""

    conditions: dict[str, Condition] = field(default_factory=dict)
    refused: list[RefusedFilter] = field(default_factory=list)


def file_of(settings: Settings) -> Path:
    """Where the filters are kept."""
    return settings.home / "filters.toml"


def load(settings: Settings) -> Filters:
    """The filters of the file, checked; none where there is no file. Whatever the file holds, this does not raise."""
    kept = Filters()
    for name, expression, damage in _entries(file_of(settings)):
        try:
            if damage:
                raise FilterError(damage)
            if name in kept.conditions:
                raise FilterError("a filter of this name stands above")
            check_name(settings, name)
            if not isinstance(expression, str):
                raise FilterError(f"an expression must be text in quotes, this is {expression!r}")
            kept.conditions[name] = parse(expression)
        except FilterError as error:
            kept.refused.append(RefusedFilter(name, str(expression), str(error)))
    return kept


def add(settings: Settings, name: str, expression: str) -> bool:
    """Keep a filter, in place of one of the same name; True where it is new.

    Raises FilterError where it is no filter, or where the file was damaged so that it can't be written again.
    """
    check_name(settings, name)
    parse(expression)
    with _changed(settings) as table:
        is_new = name not in table
        table[name] = expression
    return is_new


def remove(settings: Settings, name: str) -> None:
    """Forget a filter, a refused one too; its topic stays, and gets nothing more. LookupError where there is none."""
    with _changed(settings) as table:
        if name not in table:
            raise LookupError(_no_filter(name, table))
        del table[name]


def get(settings: Settings, name: str) -> Condition:
    """A filter's condition; FilterError where the one of the name is refused, LookupError where there is none."""
    kept = load(settings)
    for refused in kept.refused:
        if refused.name == name and name not in kept.conditions:
            raise FilterError(f"the filter {name} in {file_of(settings)} is refused: {refused.reason}")
    if name not in kept.conditions:
        raise LookupError(_no_filter(name, kept.conditions))
    return kept.conditions[name]


def check_name(settings: Settings, name: str) -> None:
    """FilterError where a name can't be part of a topic's name."""
    if not _NAME.fullmatch(name):
        raise FilterError(
            f"a filter's name must be 1 to 64 small letters, digits, - or _, and begin with a letter or digit: {name!a}"
        )
    topic = topics.of_filter(settings, name)
    if len(topic) > TOPIC_LENGTH:
        raise FilterError(f"a topic's name may have {TOPIC_LENGTH} characters, {topic} has {len(topic)}")


def _one_line(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 500 else f"{text[:500]}…"


def _no_filter(name: str, names: Any) -> str:
    return f"no filter {name!r}; there are: {', '.join(names) or 'none'}"


def _entries(file: Path) -> Iterator[tuple[str, Any, str]]:
    """Name, expression and damage (empty where there is none) of each entry of the file."""
    try:
        text = file.read_bytes().decode("utf-8-sig")
        tables = tomllib.loads(text)
    except FileNotFoundError:
        return
    except tomllib.TOMLDecodeError:
        yield from _entries_by_line(text)
        return
    except RecursionError:
        yield "", "", f"{file.name} can't be read: brackets stand too deep in each other"
        return
    except (OSError, UnicodeDecodeError) as error:
        yield "", "", f"{file.name} can't be read: {error}"
        return
    for key, table in tables.items():
        if key == "filters" and isinstance(table, dict):
            yield from ((name, expression, "") for name, expression in table.items())
        else:
            yield "", key, f"filters stand under the line [filters] of {file.name}, this is {key!r}"


def _entries_by_line(text: str) -> Iterator[tuple[str, Any, str]]:
    """Of a file that is no TOML as a whole: each line that is a filter by itself, and the others as damage."""
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip() == "[filters]":
            continue
        try:
            entries = tomllib.loads(line)
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            yield "", line, f"line {number} is not TOML: {error}"
            continue
        yield from ((name, expression, "") for name, expression in entries.items())


@contextmanager
def _changed(settings: Settings) -> Iterator[Any]:
    """The file's table of filters, to be changed inside; what else stands in the file stays as it was written."""
    file = file_of(settings)
    with locked(settings.home / LOCK_FILE, deadline_s=30):
        document = _document(file)
        table = document.setdefault("filters", tomlkit.table())
        if not isinstance(table, dict):
            raise FilterError(f"`filters` in {file} must be a table, [filters], this is {table!r}: mend the file first")
        yield table
        text = tomlkit.dumps(document)
        if tomllib.loads(text) != document.unwrap():
            raise FilterError(f"{file} would not be read as it is written: mend the file first")
        write_whole(file, text)


def _document(file: Path) -> tomlkit.TOMLDocument:
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        document = tomlkit.document()
        document.add(tomlkit.comment(_HEADING))
        return document
    except UnicodeDecodeError as error:
        raise FilterError(f"{file} is no text in UTF-8, mend it first: {error}") from error
    try:
        tomllib.loads(text)
        return tomlkit.parse(text)
    except (tomllib.TOMLDecodeError, TOMLKitError, RecursionError) as error:
        raise FilterError(f"{file} is not TOML, mend it first: {error}") from error

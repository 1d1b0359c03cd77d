"""What the last job refused: filters that Spark could not run, kept in <home>/run for ``gueststar filters list``."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from broker.filters.store import Filters, RefusedFilter
from broker.settings import Settings
from schemas.whole_file import write_whole

FILE = Path("run") / "refused_filters.json"
"""In the home."""


def keep(settings: Settings, refused: Iterable[RefusedFilter]) -> None:
    """Write what a job refused, in place of what the job before it did."""
    write_whole(settings.home / FILE, json.dumps([asdict(one) for one in refused]))


def without_refused(settings: Settings, kept: Filters) -> Filters:
    """The filters, those that the last job refused among the refused; one that was changed since then is not."""
    refused = {one.name: one for one in _read(settings.home / FILE)}
    conditions, again = {}, []
    for name, condition in kept.conditions.items():
        if name in refused and refused[name].expression == condition.expression:
            again.append(refused[name])
        else:
            conditions[name] = condition
    return Filters(conditions, [*kept.refused, *again])


def _read(file: Path) -> list[RefusedFilter]:
    """Empty where there is no such file, or none that a job wrote."""
    try:
        return [RefusedFilter(one["name"], one["expression"], one["reason"]) for one in json.loads(file.read_bytes())]
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return []

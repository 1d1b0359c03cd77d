"""Progress on standard error: bars where it is a terminal, elsewhere a line now and then."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from broker.progress_lines import progress_lines


@contextmanager
def progress_bars() -> Iterator[Callable[[str, int, int], None]]:
    """A callable (stage, done, of) that shows how far each stage is while the context lasts."""
    if not sys.stderr.isatty():
        with progress_lines() as show_line:
            yield show_line
        return
    from rich import progress as rich
    from rich.console import Console

    columns = (
        rich.TextColumn("{task.description:>12}"),
        rich.SpinnerColumn(),
        rich.BarColumn(),
        rich.MofNCompleteColumn(),
        rich.TimeElapsedColumn(),
    )
    with rich.Progress(*columns, console=Console(stderr=True)) as bars:
        tasks: dict[str, rich.TaskID] = {}

        def show(stage: str, done: int, of: int) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=of)
            bars.update(tasks[stage], completed=done, total=of)

        yield show

"""What the demonstration shows while it runs: numbered steps with progress, and the summary at its end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from broker.demo.measure import Figures
from broker.progress_lines import Progress as ShowProgress
from broker.progress_lines import progress_lines
from schemas.taxonomy import NOT_CLASSIFIED, name_of

PIPE_WIDTH = 110
"""Columns to write where nobody says how wide the screen is."""

NAME_WIDTH = 7
"""Letters of a class name at the head of a column."""

UNLIMITED = 1_000
"""Columns of a screen on which every table fits."""


class Screen:
    """Writes to standard error, so that ``--json`` has standard output to itself."""

    def __init__(self, n_steps: int) -> None:
        self.console = Console(stderr=True)
        if not self.console.is_terminal:
            self.console = Console(stderr=True, width=PIPE_WIDTH)
        self._n_steps, self._step, self._began = n_steps, 0, time.monotonic()

    @contextmanager
    def step(self, title: str) -> Iterator[Callable[[str], None]]:
        """A numbered step; call what it yields with a sentence on its outcome."""
        self._step += 1
        began, outcome = time.monotonic(), [""]
        self.console.print(f"[bold]{self._step:2d}/{self._n_steps}[/bold] {title}", highlight=False)
        yield lambda text: outcome.__setitem__(0, text)
        self.console.print(
            f"      [green]✓[/green] {outcome[0]} [dim]({time.monotonic() - began:.0f} s)[/dim]", highlight=False
        )

    @contextmanager
    def bar(self) -> Iterator[ShowProgress]:
        """A progress bar that names the stage, moves while the stage stands, and goes away when it is done.

        Where no bar can be drawn, a line every few seconds says the same.
        """
        if not self.console.is_terminal:
            with progress_lines(lambda line: self.say(f"      {line}")) as show_line:
                yield show_line
            return
        columns = (SpinnerColumn(), TextColumn("    {task.description}"), BarColumn(), MofNCompleteColumn())
        with Progress(*columns, TimeElapsedColumn(), console=self.console, transient=True) as bars:
            task = bars.add_task("", total=None)
            yield lambda stage, done, of: bars.update(task, description=stage, completed=done, total=of)

    def say(self, text: str) -> None:
        """A line of its own."""
        self.console.print(text, highlight=False)


def summary(screen: Screen, result: dict[str, Any], figures: Figures, left_out: tuple[int, ...]) -> None:
    """The figures, for a newcomer."""
    console = screen.console
    console.rule("What happened")
    console.print(_accounts(result))
    console.print(confusion_table(figures, left_out, console))
    console.print(_sentences(result, figures, left_out), highlight=False)


def confusion_table(figures: Figures, left_out: tuple[int, ...], console: Console) -> Table | str:
    """True classes down, given classes across: numbers of objects, by each object's last alert before any label.

    Where the names of the columns do not fit on the console, the rows' numbers stand for them; where these do not fit
    either, a sentence stands for the table.
    """
    for with_names in (True, False):
        table = _confusion_table(figures, left_out, with_names)
        if console.measure(table, options=console.options.update(width=UNLIMITED)).maximum <= console.width:
            return table
    return "(This screen is too narrow for the table of true classes and classes given.)"


def _confusion_table(figures: Figures, left_out: tuple[int, ...], with_names: bool) -> Table:
    given = sorted({given for _, given in figures.confusion})
    rows = sorted({true for true, _ in figures.confusion})
    if not with_names:
        rows = sorted({*rows, *given} - {NOT_CLASSIFIED})
    table = Table(
        title="True class (rows) and the class given (columns), objects, by the last alert before any label",
        caption="* left out of the training: no column can be right for it",
        title_justify="left",
        caption_justify="left",
        box=box.SIMPLE,
        padding=(0, 1, 0, 0),
    )
    table.add_column("true class", no_wrap=True)
    for class_id in given:
        name = name_of(class_id)[:NAME_WIDTH].strip() if with_names else _number(class_id, rows)
        table.add_column("none" if class_id == NOT_CLASSIFIED else name, justify="right", no_wrap=True)
    for number, true in enumerate(rows, 1):
        cells = [_cell(figures.confusion[true, class_id], true == class_id) for class_id in given]
        name = name_of(true) + (" *" if true in left_out else "")
        table.add_row(name if with_names else f"{number:2d} {name}", *cells)
    return table


def _number(class_id: int, rows: list[int]) -> str:
    return str(rows.index(class_id) + 1) if class_id in rows else ""


def _cell(count: int, is_right: bool) -> str:
    if not count:
        return "[dim]·[/dim]"
    return f"[bold green]{count}[/bold green]" if is_right else str(count)


def _accounts(result: dict[str, Any]) -> Table:
    table = Table(show_header=False, title="Every alert accounted for", title_justify="left")
    rows = {
        "alerts in": result["alerts_in"],
        "= alerts out": result["alerts_out"],
        "+ dead letters, with the reason": result["dead_letters"],
        "lost": result["lost"],
        "published twice": result["duplicates"],
    }
    if result["duplicates"]:
        rows |= {
            "  because a batch was done again": result["done_again"],
            "  because the input holds the alert twice": result["twice_in_input"],
        }
    for name, number in rows.items():
        table.add_row(name, f"{number:,}")
    return table


def _sentences(result: dict[str, Any], figures: Figures, left_out: tuple[int, ...]) -> str:
    names = " and ".join(name_of(class_id) for class_id in left_out)
    p50, p99 = np.percentile(figures.latency_s, [50, 99])
    return "\n".join(
        [
            f"Rate: {result['rate_alerts_per_s']:,.0f} alerts/s while it streamed; from the input's Kafka time to the "
            f"output's {p50:.2f} s in the median, {p99:.2f} s for the slowest 1 %.",
            f"Classes: {figures.accuracy:.0%} of the objects of known classes have their true class at the end.",
            f"Novel: {result['novel']} objects were selected as belonging to no known class; {result['novel_true']} of "
            f"them truly are of a left-out class ({names}; {result['left_out_objects']} such objects in the stream)."
            + (f" One of them: {result['novel_picture']}" if result["novel_picture"] else ""),
            f"Labels: {result['requests']} spectra were requested in {result['nights']} nights and answered with the "
            f"truth; the retrained model was {'accepted' if result['retrained'] else 'not accepted'}"
            + (
                f" and scored {result['alerts_with_new_model']:,} alerts."
                if result["retrained"]
                else " (it was worse on held-out objects, see above): the old one scored the rest."
            ),
        ]
    )

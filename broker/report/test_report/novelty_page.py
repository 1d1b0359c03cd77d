"""The report of the novelty suite: one HTML page that needs nothing else, and the figures as JSON."""

from __future__ import annotations

import json
from pathlib import Path

from broker.report.test_report import novelty_figures
from broker.report.test_report.page import NUMBERS, PAGE, embedded, template
from models.progress import Progress, silent
from models.suites.novelty import NoveltyOutcome

PICTURES = (
    ("Selected, and how much of it is wrong", novelty_figures.power),
    ("P-values before and after looking at the whole stream", novelty_figures.p_values),
    ("Each hidden class", novelty_figures.classes),
    ("What decides", novelty_figures.crowds),
)


def write(outcome: NoveltyOutcome, folder: Path, progress: Progress = silent) -> Path:
    """Write ``report.html`` and ``report.json`` into ``folder``; returns the page's path."""
    folder.mkdir(parents=True, exist_ok=True)
    pictures = []
    for number, (title, draw) in enumerate(PICTURES):
        progress("report", number, len(PICTURES))
        pictures.append((title, embedded(draw(outcome))))
    text = template("novelty_page.html").render(outcome=outcome, pictures=pictures)
    (folder / PAGE).write_text(text, encoding="utf-8")
    (folder / NUMBERS).write_text(json.dumps(outcome.to_json(), indent=1, allow_nan=False) + "\n", encoding="utf-8")
    progress("report", len(PICTURES), len(PICTURES))
    return folder / PAGE

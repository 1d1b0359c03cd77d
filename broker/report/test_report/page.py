"""The report of a published test: one HTML page that needs nothing else, and the figures as JSON."""

from __future__ import annotations

import base64
import io
import json
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, PackageLoader, Template, select_autoescape
from matplotlib.figure import Figure

from broker.report.test_report import figures
from models.progress import Progress, silent
from models.suites.outcome import Outcome, Peer
from models.suites.scores import Interval

PAGE, NUMBERS = "report.html", "report.json"


@dataclass(frozen=True, slots=True)
class Line:
    """A figure as the table shows it: our value with its interval, and a peer's beside."""

    name: str
    ours: Interval
    peer: Peer | None


def write(outcome: Outcome, folder: Path, progress: Progress = silent) -> Path:
    """Write ``report.html`` and ``report.json`` into ``folder``; returns the page's path."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn = []
    for number, (trial, predictions) in enumerate(outcome.trials):
        progress("report", number, len(outcome.trials) + 1)
        pictures = [
            ("Where it errs", figures.confusion(trial, predictions, days)) for days in (trial.days[0], figures.WHOLE)
        ]
        pictures.append(("Are the probabilities right?", figures.reliability(trial, predictions)))
        ranked = figures.roc(trial, predictions)
        pictures += [("Type Ia against the rest", ranked)] if ranked is not None else []
        drawn.append((trial, [(title, embedded(figure)) for title, figure in pictures]))
    worst = figures.mistakes(outcome.labelled, *outcome.trials[0])
    harm = figures.losses(outcome.metrics)
    text = template().render(
        outcome=outcome,
        lines=_lines(outcome),
        over_time=embedded(figures.against_time(outcome.trials)),
        trials=drawn,
        harm=None if harm is None else embedded(harm),
        worst=None if worst is None else embedded(worst),
    )
    (folder / PAGE).write_text(text, encoding="utf-8")
    (folder / NUMBERS).write_text(json.dumps(outcome.to_json(), indent=1, allow_nan=False) + "\n", encoding="utf-8")
    progress("report", len(outcome.trials) + 1, len(outcome.trials) + 1)
    return folder / PAGE


def _lines(outcome: Outcome) -> list[Line]:
    peers = {peer.metric: peer for peer in outcome.peers}
    lines = [Line(name, value, peers.get(name)) for name, value in outcome.metrics.items()]
    return sorted(lines, key=lambda line: line.peer is None)  # what has a peer first


def embedded(figure: Figure) -> str:
    """The picture as the address of itself."""
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=100)
    return "data:image/png;base64," + base64.b64encode(out.getvalue()).decode()


def template(name: str = "page.html") -> Template:
    """The page of a report, to be filled."""
    environment = Environment(loader=PackageLoader("broker.report.test_report", "."), autoescape=select_autoescape())
    return environment.get_template(name)

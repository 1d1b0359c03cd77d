"""``python docs/leaderboard/table.py``: write docs/leaderboard.md anew from the reports in this folder.

A report is the ``report.json`` of ``gueststar evaluate … --report DIR``, under ``<suite>/<entry>.json``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent
PAGE = FOLDER.parent / "leaderboard.md"

FIGURES = {
    "spcc": (
        "auc_random_photoz", "auc_random", "auc_spectroscopic_photoz", "auc_spectroscopic", "fom_spectroscopic_photoz",
        "auc_grouped_photoz", "auc_grouped", "auc_day0_photoz", "auc_day5_photoz", "auc_day15_photoz",
    ),
    "plasticc": ("log_loss_flat", "macro_f1", "auc_ia", "ece"),
    "plasticc-test": ("log_loss_flat", "macro_f1", "auc_ia", "ece"),
    "bts": (
        "macro_f1_5", "macro_f1_5_redshift", "accuracy_3_day3", "accuracy_3_day7", "accuracy_3_day30", "accuracy_3",
    ),
}  # fmt: skip
"""Of each suite, the figures that are compared; the last digits of an interval stand behind them."""

HEAD = """# Leaderboard

Held-out objects of each suite, with 95 % intervals over objects. Made by `python docs/leaderboard/table.py` from the
reports in `docs/leaderboard/`: to take part, score your probabilities with `gueststar evaluate SUITE --predictions
own.csv --report DIR` (see [evaluation](evaluation.md#take-part)) and put `report.json` there as `SUITE/your-name.json`.
Published figures on other parts of the data, or with other knowledge, stand apart, below each table: they were not
measured by the same command.
"""


def page() -> str:
    """The page's text."""
    return HEAD + "".join(_suite(suite) for suite in FIGURES)


def _suite(suite: str) -> str:
    reports = {file.stem: json.loads(file.read_text()) for file in sorted((FOLDER / suite).glob("*.json"))}
    names = FIGURES[suite]
    entries = sorted(reports, key=lambda entry: -sum(_value(reports[entry], name) is not None for name in names))
    lines = ["", f"## `{suite}`", "", "| figure | " + " | ".join(f"`{entry}`" for entry in entries) + " |"]
    lines.append("|---|" + "---|" * len(entries))
    lines += [f"| `{name}` | " + " | ".join(_cell(reports[entry], name) for entry in entries) + " |" for name in names]
    tested = ", ".join(f"`{entry}` {reports[entry]['n_test']:,} objects" for entry in entries)
    lines += ["", f"Tested: {tested}."]
    peers = {name: peer for report in reports.values() for name, peer in report["peers"].items()}
    lines += [
        f"- Published, `{name}`: {peer['value']:.3f}, {peer['source']}. What differs: {peer['differs']}."
        for name, peer in sorted(peers.items())
    ]
    return "\n".join(lines) + "\n"


def _value(report: dict[str, Any], name: str) -> float | None:
    figure = report["metrics"].get(name)
    return None if figure is None else figure["value"]


def _cell(report: dict[str, Any], name: str) -> str:
    value = _value(report, name)
    if value is None:
        return ""
    low, high = (report["metrics"][name][end] for end in ("low", "high"))
    return f"{value:.3f} ({low:.3f} to {high:.3f})"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")

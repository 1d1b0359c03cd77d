"""The report of a published test: one page that needs nothing else, and every picture in it."""

from __future__ import annotations

import base64
import io
import json
import re
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest

from broker.report.test_report import figures, page
from models.suites.outcome import Outcome
from models.suites.run import score_entry
from tests.unit.models.suites.test_entries import entry_of, first, folder  # noqa: F401


@pytest.fixture(scope="module")
def outcome(first, folder: str, tmp_path_factory: pytest.TempPathFactory) -> Outcome:  # noqa: F811
    file = tmp_path_factory.mktemp("entry") / "own.csv"
    entry_of(first).to_csv(file, index=False)
    return score_entry("bts", folder, file, None, draws=5)


def test_the_page_holds_its_pictures(outcome: Outcome, tmp_path: Path) -> None:
    text = page.write(outcome, tmp_path).read_text()
    pictures = re.findall(r'src="data:image/png;base64,([^"]+)"', text)
    assert len(pictures) == 1 + 4 + 1  # over time; two confusions, reliability, ROC; the mistakes
    for picture in pictures:
        pixels = matplotlib.image.imread(io.BytesIO(base64.b64decode(picture)), format="png")
        assert pixels[..., :3].std() > 0.01, "an empty picture"
    assert "http" not in re.sub(r"arXiv\S*|base64,[^\"]+", "", text), "the page loads nothing from elsewhere"
    assert "Superphot+" in text
    numbers = json.loads((tmp_path / "report.json").read_text())
    assert numbers["metrics"]["macro_f1_5"]["value"] == pytest.approx(outcome.metrics["macro_f1_5"][0])


def test_the_worst_mistake_is_first(outcome: Outcome) -> None:
    trial, predictions = outcome.trials[0]
    figure = figures.mistakes(outcome.labelled, trial, predictions)
    assert figure is not None
    shown = [float(m.group(1)) for axes in figure.axes if (m := re.search(r"p = ([\d.]+)\)", axes.get_title()))]
    assert shown == sorted(shown)
    rows = predictions.at(figures.WHOLE)
    given = predictions.p[rows, predictions.label[rows]]
    wrong = predictions.p[rows].argmax(axis=1) != predictions.label[rows]
    assert shown[0] == pytest.approx(given[wrong].min(), abs=1e-3)
    assert len(shown) == min(figures.MISTAKES, int(np.sum(wrong)))

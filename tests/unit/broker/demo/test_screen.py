"""The demonstration's table of classes can be read on any screen, or is left out."""

from __future__ import annotations

import io
from collections import Counter

import numpy as np
import pytest
from rich.console import Console

from broker.demo.measure import Figures
from broker.demo.model import LEFT_OUT
from broker.demo.screen import confusion_table
from schemas.taxonomy import NOT_CLASSIFIED, name_of

CLASSES = [2222, 2223, 2224, 2225, 2226, 2232, 2242, 2243, 2322, 2323, 2325, 2332]


@pytest.fixture(scope="module")
def figures() -> Figures:
    """Every pair of classes has a count of its own, of three digits at most."""
    pairs = [(true, given) for true in CLASSES for given in [*CLASSES, NOT_CLASSIFIED] if given not in LEFT_OUT]
    confusion = Counter({pair: 100 + number for number, pair in enumerate(pairs)})
    return Figures(np.ones(3), "ab", Counter(), confusion, CLASSES)


@pytest.mark.parametrize("width", [70, 80, 110, 200])
def test_no_number_is_cut_off(width: int, figures: Figures) -> None:
    console = Console(file=io.StringIO(), width=width)
    console.print(confusion_table(figures, LEFT_OUT, console))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    words = text.replace("*", " ").split()
    assert "…" not in text
    assert all(str(count) in words for count in figures.confusion.values())
    assert all(name_of(class_id).split()[0] in text for class_id in CLASSES)


def test_a_screen_that_is_too_narrow_is_told(figures: Figures) -> None:
    assert "too narrow" in str(confusion_table(figures, LEFT_OUT, Console(width=40)))

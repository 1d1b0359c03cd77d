"""The examples in the docstrings of entry points run, and give what they say."""

from __future__ import annotations

import doctest
from importlib import import_module

import pytest

ENTRY_POINTS = (
    "schemas.light_curves",
    "schemas.packets",
    "schemas.other_files",
    "schemas.counts",
    "schemas.taxonomy",
    "features.matrix",
    "models.scoring.recent_scores",
    "models.scoring.scorer",
    "models.adaptation.rates",
    "models.discovery.selection",
    "models.discovery.interest",
    "broker.filters.expression",
)
"""Modules whose docstrings hold examples."""


@pytest.mark.parametrize("name", ENTRY_POINTS)
def test_examples_give_what_they_say(name: str) -> None:
    failed, tried = doctest.testmod(import_module(name), optionflags=doctest.NORMALIZE_WHITESPACE)
    assert tried > 0, f"{name} holds no example"
    assert failed == 0

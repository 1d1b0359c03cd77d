"""The Scorer's example runs; what a score must hold for any bundle is in tests/contracts/test_classifiers.py."""

from __future__ import annotations

import doctest

from models.scoring import scorer


def test_the_example_in_the_docstring_runs() -> None:
    outcome = doctest.testmod(scorer)
    assert outcome.attempted > 5
    assert outcome.failed == 0

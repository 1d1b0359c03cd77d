"""What is written flat comes back as the same dataclasses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from models.scoring.arrays import flat, rebuilt


@dataclass(frozen=True)
class Inner:
    values: np.ndarray


@dataclass(frozen=True)
class Outer:
    one: Inner
    several: tuple[Inner, ...]
    more: np.ndarray


@given(st.lists(arrays(np.float64, 3), max_size=12))
def test_round_trip(several: list[np.ndarray]) -> None:
    outer = Outer(Inner(np.arange(2)), tuple(map(Inner, several)), np.ones((2, 2)))
    names = flat(outer)
    assert set(names) == {"one.values", "more", *(f"several.{i}.values" for i in range(len(several)))}
    again = rebuilt(Outer, names)
    assert len(again.several) == len(several)
    for part, copy in zip([outer.one, *outer.several], [again.one, *again.several], strict=True):
        np.testing.assert_array_equal(part.values, copy.values)
    np.testing.assert_array_equal(again.more, outer.more)


def test_a_missing_array_is_named() -> None:
    with pytest.raises(KeyError, match=r"one\.values"):
        rebuilt(Outer, {"more": np.ones(1)})

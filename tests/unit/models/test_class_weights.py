"""Weights that make classes count alike."""

from __future__ import annotations

import pytest

from models.class_weights import balanced


def test_balanced_weights() -> None:
    weight = balanced([1, 1, 1, 2], [1, 1, 2, 4.0])
    assert weight[:3].sum() == pytest.approx(weight[3])
    assert weight.mean() == pytest.approx(1)
    assert balanced([1, 2], [1.0, 3.0], power=0).tolist() == [0.5, 1.5]

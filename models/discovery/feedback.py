"""Answers re-rank a list: what is like an object that was called novel rises, what is like a known one falls."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.discovery.neighbours import nearest

WIDTH_NEIGHBOUR = 10
"""The width of an answer's influence is the usual distance of an object's neighbour of this rank."""

STRENGTH = 2.0
"""How much an answer moves the score of an object at the same place."""


class Feedback:
    """The score of ``n`` objects at places ``space`` (n, d), moved by answers about some of them."""

    def __init__(self, score: NDArray[np.float64], space: NDArray[np.float32]) -> None:
        self.score, self.space = score, space
        near = nearest(space, space, WIDTH_NEIGHBOUR, np.arange(len(space)))[:, -1]
        self.width = max(float(np.median(np.linalg.norm(space - space[near], axis=1))), 1e-6)
        self.novel, self.ordinary = np.zeros(len(score)), np.zeros(len(score))
        self.answered = np.zeros(len(score), bool)

    def answer(self, row: int, *, is_novel: bool) -> None:
        """Object ``row`` is novel, or it is not."""
        self.answered[row] = True
        alike = np.exp(-np.square(np.linalg.norm(self.space - self.space[row], axis=1) / self.width) / 2)
        side = self.novel if is_novel else self.ordinary
        np.maximum(side, alike, out=side)

    def ranked(self) -> NDArray[np.float64]:
        """The scores now, (n,); minus infinity for objects with an answer."""
        return np.where(self.answered, -np.inf, self.score + STRENGTH * (self.novel - self.ordinary))

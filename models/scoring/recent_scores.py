"""P-values by rank among the stream's own recent objects, of the same survey and phase.

The calibration of a bundle comes from its training objects. Where these are not like the sky, its p-values are wrong.
An object is compared with others that came through the same stream instead: then p holds for whatever sky that is.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.scoring.calibration import epoch_bin
from schemas.passbands import SURVEYS

TRAINING, STREAM, LABELLED = "training", "stream", "labelled"
CALIBRATIONS = (TRAINING, STREAM, LABELLED)
"""What a p-value is a rank among: the training's held-out objects, the stream's recent objects, or labelled objects of
the stream that belong to known classes."""

OBJECTS_NEEDED = 500
"""With fewer objects in a cell, the p-value is that of the training."""

OBJECTS_KEPT = 5_000
"""The most recent objects of a cell that are ranked among: the smallest p-value is one over this number."""

Cell = tuple[int, int]
"""A survey (index into ``schemas.passbands.SURVEYS``) and a bin of ``models.scoring.calibration.epoch_bin``."""


@dataclass(frozen=True, slots=True)
class RankedScores:
    """The novelty scores of the objects of one cell, one an object: ascending, float32, shape (m,); and of whom."""

    scores: NDArray[np.float32]
    calibration: str = STREAM

    def p_value(self, scores: ArrayLike) -> NDArray[np.float64]:
        """p = (1 + number of objects at or above the score) / (m + 1), shape (n,); 1 for what is not a number.

        The conformal p-value (arXiv:2104.08279): if a new object is drawn like these, P(p <= a) <= a for every a.
        Where novelties are among them, p can only be larger.
        """
        score = np.asarray(scores, np.float32)
        at_or_above = len(self.scores) - np.searchsorted(self.scores, score, side="left")
        return np.where(np.isnan(score), 1.0, (1.0 + at_or_above) / (len(self.scores) + 1.0))


@dataclass(frozen=True, slots=True)
class RecentScores:
    """The recent scores of one model's stream, by cell; cells with too few objects are not there.

    >>> recent = RecentScores("ab" * 32, {(0, 1): RankedScores(np.arange(999, dtype=np.float32))})
    >>> p_value, calibration = recent.p_values([989.5, 989.5], [0, 0], [2, 1], [0.5, 0.5])
    >>> p_value.tolist(), calibration.tolist()
    ([0.01, 0.5], ['stream', 'training'])
    """

    model_sha256: str = ""
    cells: Mapping[Cell, RankedScores] = field(default_factory=dict)

    def p_values(
        self, scores: ArrayLike, survey: ArrayLike, n_detections: ArrayLike, p_training: ArrayLike
    ) -> tuple[NDArray[np.float64], NDArray[np.object_]]:
        """The p-value of each alert and which of :data:`CALIBRATIONS` it is from, shapes (n,).

        ``survey``: indices into ``SURVEYS``; ``p_training``: the p-values that stand where a cell has too few objects.
        """
        score, surveys, bins = np.asarray(scores, np.float32), np.asarray(survey), epoch_bin(n_detections)
        p_value = np.array(p_training, np.float64)
        calibration = np.full(len(score), TRAINING, object)
        for (of_survey, of_bin), ranked in self.cells.items():
            rows = np.flatnonzero((surveys == of_survey) & (bins == of_bin))
            if len(rows):
                p_value[rows], calibration[rows] = ranked.p_value(score[rows]), ranked.calibration
        return p_value, calibration

    def to_bytes(self) -> bytes:
        """The table as a file: an npz without pickles. The same table gives the same bytes."""
        ordered = sorted(self.cells.items())
        parts = [ranked.scores for _, ranked in ordered]
        out = io.BytesIO()
        np.savez(
            out,
            model_sha256=np.array(self.model_sha256),
            survey=np.array([SURVEYS[cell[0]] for cell, _ in ordered], np.str_),
            epoch_bin=np.array([cell[1] for cell, _ in ordered], np.int64),
            calibration=np.array([ranked.calibration for _, ranked in ordered], np.str_),
            length=np.array([len(part) for part in parts], np.int64),
            scores=np.concatenate(parts) if parts else np.zeros(0, np.float32),
        )
        return out.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> RecentScores:
        """The table that :meth:`to_bytes` wrote; cells of surveys that this program does not know are left out.

        Raises ValueError where the bytes are none.
        """
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as stored:
                parts = np.split(stored["scores"].astype(np.float32), np.cumsum(stored["length"])[:-1])
                columns = (stored[name].tolist() for name in ("survey", "epoch_bin", "calibration"))
                cells = zip(*columns, parts, strict=False)
                named = {
                    (SURVEYS.index(survey), int(of_bin)): RankedScores(part, calibration)
                    for survey, of_bin, calibration, part in cells
                    if survey in SURVEYS
                }
                return cls(str(stored["model_sha256"]), named)
        except Exception as error:  # damage makes zipfile and numpy raise a dozen kinds
            why = f"{type(error).__name__}: {error}"
            raise ValueError(f"it must be a table of recent scores (npz), found {why}") from error

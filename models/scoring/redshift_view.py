"""A second set of probabilities for alerts with a photometric redshift of the host, from luminosities.

It separates the classes that have hosts from each other. The total probability of these classes comes from the light
curve alone: stars have no redshift in the training data, but many lie in front of a galaxy that has one.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.bundle import BundleError
from models.scoring.normal_scores import NormalScores
from models.scoring.probabilities import Probabilities
from models.scoring.redshift_features import redshift_features

Array = NDArray[np.float64]

PREFIX = "photoz_"
NORMAL_SCORES_FILE = f"{PREFIX}normal_scores.npz"


@dataclass(frozen=True, slots=True)
class Host:
    """The photometric redshift of the host of each alert and its error, (n,) each; NaN if the packet gives none."""

    photoz: Array
    photoz_err: Array

    @property
    def is_told(self) -> NDArray[np.bool_]:
        """Which alerts have a redshift, (n,)."""
        return np.isfinite(self.photoz)

    def select(self, which: NDArray[np.int64] | NDArray[np.bool_]) -> Host:
        """The chosen alerts."""
        return Host(self.photoz[which], self.photoz_err[which])

    def beside(self, features: Array) -> Array:
        """The catalogue's features (n, f) and those of the redshift."""
        return np.concatenate([features, redshift_features(features, self.photoz, self.photoz_err)], axis=1)


@dataclass(frozen=True, slots=True)
class RedshiftView:
    """``probabilities`` from the features of the catalogue and of the redshift; ``normal_scores`` of the latter;
    ``column``: the index of each of its classes among those of the bundle, (j,)."""

    probabilities: Probabilities
    normal_scores: NormalScores
    column: NDArray[np.int64]

    def p_flat(self, features: Array, normal: Array, host: Host, detections: NDArray[np.int64], alone: Array) -> Array:
        """Probabilities under equal rates, (n, k), of alerts with a redshift of the host. ``normal``: normal scores of
        the catalogue's features (n, f); ``alone``: the probabilities (n, k) from the light curve alone."""
        both = host.beside(features)
        redshift_normal = self.normal_scores.transform(both[:, features.shape[1] :])
        p_hosted = self.probabilities.p_flat(both, detections, normal=np.concatenate([normal, redshift_normal], axis=1))
        p = alone.copy()
        p[:, self.column] = p_hosted * alone[:, self.column].sum(axis=1, keepdims=True)
        return p

    def save(self, folder: Path) -> None:
        """Write the files of the view: reading them runs no code."""
        self.probabilities.save(folder, PREFIX)
        scores = self.normal_scores
        np.savez_compressed(folder / NORMAL_SCORES_FILE, quantiles=scores.quantiles, normal=scores.normal)

    @classmethod
    def load(cls, folder: Path, of_catalogue: NormalScores, class_ids: NDArray[np.int64]) -> RedshiftView | None:
        """Read what :meth:`save` wrote; None if the bundle has no such view.

        Raises BundleError if it does not fit the bundle's classes (``class_ids``) or its files are damaged.
        """
        if not (folder / NORMAL_SCORES_FILE).is_file():
            return None
        with np.load(folder / NORMAL_SCORES_FILE, allow_pickle=False) as stored:
            scores = NormalScores(stored["quantiles"], stored["normal"])
        probabilities = Probabilities.load(folder, of_catalogue.beside(scores), PREFIX)
        hosted_classes = probabilities.classifier.class_ids
        if not np.isin(hosted_classes, class_ids).all():
            raise BundleError(
                f"{folder}: the view with a redshift must know some of the bundle's classes {class_ids.tolist()}, "
                f"found {hosted_classes.tolist()}: train a new bundle with `gueststar train`"
            )
        return cls(probabilities, scores, np.searchsorted(class_ids, hosted_classes))

"""Fit the two sets of probabilities of a bundle: from the light curve alone, and with a photometric redshift."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from models.scoring.classifier import Classifier
from models.scoring.network import Network
from models.scoring.normal_scores import NormalScores
from models.scoring.probabilities import Probabilities
from models.scoring.redshift_view import RedshiftView
from models.training.training_rows import TrainingRows


def with_redshift(rows: TrainingRows, class_ids: NDArray[np.int64] | list[int]) -> TrainingRows:
    """The rows of some classes that have a redshift of the host, with the features of the redshift added."""
    hosted = rows.select(rows.host.is_told & np.isin(rows.class_id, class_ids))
    return replace(hosted, features=hosted.host.beside(hosted.features))


def trees(rows: TrainingRows, tune: TrainingRows, seed: int) -> Classifier:
    """Boost on ``rows`` until the score of the objects of ``tune`` no longer improves."""
    validation = (tune.features, tune.class_id, tune.weight)
    return Classifier.fit(rows.features, rows.class_id, rows.weight, seed=seed, validation=validation)


def probabilities(
    rows: TrainingRows, apart: TrainingRows, classifier: Classifier, scores: NormalScores, seed: int
) -> Probabilities:
    """Train networks on the ``rows`` of the trees; fit weights and calibration of both on the objects ``apart``."""
    label = np.searchsorted(classifier.class_ids, rows.class_id)
    k = len(classifier.class_ids)
    network = Network.fit(rows.features, label, rows.weight, k, seed=seed, normal_scores=scores)
    return Probabilities.calibrated(classifier, network, apart.features, apart.class_id, apart.weight, apart.detections)


def redshift_view(
    rows: TrainingRows,
    apart: TrainingRows,
    classifier: Classifier | None,
    of_catalogue: NormalScores,
    class_ids: NDArray[np.int64],
    seed: int,
) -> RedshiftView | None:
    """The view for alerts with a redshift, from its trained trees; None if the data have no redshifts.

    ``of_catalogue``: normal scores of the catalogue's features, which both views share; ``class_ids``: those of the
    bundle.
    """
    if classifier is None:
        return None
    hosted, hosted_apart = (with_redshift(part, classifier.class_ids) for part in (rows, apart))
    column = np.searchsorted(class_ids, classifier.class_ids)
    redshift_scores = NormalScores.fit(hosted.features[:, len(of_catalogue.quantiles) :])
    return RedshiftView(
        probabilities(hosted, hosted_apart, classifier, of_catalogue.beside(redshift_scores), seed),
        redshift_scores,
        column,
    )

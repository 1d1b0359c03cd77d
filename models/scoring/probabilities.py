"""Class probabilities: boosted trees and small networks on the same features, weighted and calibrated together."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.scoring.calibration import Calibration
from models.scoring.classifier import Classifier
from models.scoring.network import Network
from models.scoring.normal_scores import NormalScores

Array = NDArray[np.float64]

CALIBRATION_FILE, NETWORK_FILE = "calibration.json", "network.npz"


@dataclass(frozen=True, slots=True)
class Probabilities:
    """``classifier`` and ``network`` are trained on the same rows, ``calibration`` on rows of other objects."""

    classifier: Classifier
    network: Network
    calibration: Calibration

    @classmethod
    def calibrated(
        cls,
        classifier: Classifier,
        network: Network,
        features: Array,
        class_id: NDArray[np.int64],
        weight: Array,
        detections: NDArray[np.int64],
    ) -> Probabilities:
        """Fit weights and calibration on rows (n, f) outside the training set of both."""
        normal = network.normal_scores.transform(features)
        raw = np.stack([classifier.raw_scores(features), network.raw_of_normal(normal, features)])
        index = np.searchsorted(classifier.class_ids, class_id)
        return cls(classifier, network, Calibration.fit(raw, index, weight, detections))

    def p_flat(
        self,
        features: Array,
        detections: NDArray[np.int64],
        *,
        normal: Array | None = None,
        trees: Array | None = None,
        network_logits: Array | None = None,
    ) -> Array:
        """Probabilities under equal rates of all classes, (n, k), for features (n, f) with NaN where missing.

        ``normal``, ``trees``, ``network_logits``: the normal scores of the features, the logits of the trees and of the
        networks, if computed already.
        """
        if normal is None:
            normal = self.network.normal_scores.transform(features)
        if network_logits is None:
            network_logits = self.network.raw_of_normal(normal, features)
        if trees is None:
            trees = self.classifier.raw_scores(features)
        return self.calibration.p_flat(np.stack([trees, network_logits]), detections)

    def save(self, folder: Path, name: str = "") -> None:
        """Write all but the normal scores of the network to ``folder``, in files whose names begin with ``name``."""
        self.classifier.save(folder, name)
        self.network.save(folder / f"{name}{NETWORK_FILE}")
        text = json.dumps(self.calibration.to_json(), allow_nan=False)
        (folder / f"{name}{CALIBRATION_FILE}").write_text(text, encoding="utf-8")

    @classmethod
    def load(cls, folder: Path, normal_scores: NormalScores, name: str = "") -> Probabilities:
        """Read what :meth:`save` wrote; raises BundleError if a file is damaged."""
        classifier = Classifier.load(folder, name)
        network = Network.load(folder / f"{name}{NETWORK_FILE}", normal_scores)
        text = (folder / f"{name}{CALIBRATION_FILE}").read_text(encoding="utf-8")
        return cls(classifier, network, Calibration.from_json(json.loads(text)))

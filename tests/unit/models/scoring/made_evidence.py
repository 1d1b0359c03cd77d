"""Alerts of three classes that lie apart, and the evidence for each class."""

from __future__ import annotations

import numpy as np

from models.scoring.class_gaussians import ClassGaussians
from models.scoring.evidence import Evidence, EvidenceGaussians
from models.scoring.network import NetworkOutput
from models.scoring.normal_scores import KNOTS, NormalScores

CENTRES = np.array([[3.0, 0, 0, 0], [0, 3.0, 0, 0], [0, 0, 3.0, 0]])


def drawn(rng: np.random.Generator, centres: np.ndarray, per_class: int) -> tuple[np.ndarray, np.ndarray]:
    """Normal scores (n, 4) about the centres, and the index of each row's centre."""
    label = np.repeat(np.arange(len(centres)), per_class)
    return centres[label] + rng.normal(size=(len(label), centres.shape[1])), label


def output_of(normal: np.ndarray) -> NetworkOutput:
    """Networks that give the first three normal scores as logits, and all of them as the hidden layer."""
    return NetworkOutput(normal[:, :3], [normal, 2 * normal], np.zeros(len(normal)))


def gaussians_of(normal: np.ndarray, label: np.ndarray) -> EvidenceGaussians:
    return EvidenceGaussians.fit(normal, output_of(normal), label, np.ones(len(label)), 3)


def evidence_of(gaussians: EvidenceGaussians, normal: np.ndarray, detections: np.ndarray) -> Evidence:
    return gaussians.evidence(normal, output_of(normal), normal[:, :3], detections)


def identity_scores(n_features: int) -> NormalScores:
    """Normal scores that leave values between -3 and 3 as they are."""
    levels = np.linspace(-3, 3, KNOTS)
    return NormalScores(np.tile(levels, (n_features, 1)), levels)


def standard(dimensions: int) -> ClassGaussians:
    """One standard normal distribution."""
    return ClassGaussians(np.zeros((1, dimensions), np.float32), np.eye(dimensions, dtype=np.float32)[None])

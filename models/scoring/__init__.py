"""From a feature matrix to probabilities, a class and a novelty p-value: the parts of a bundle.

It may import ``models.evaluation``, but neither training nor the registry.
Public: ``scorer.Scorer``, ``classifier``, ``calibration``, ``novelty``, ``conformal``, ``abstention``.
"""

"""From a feature matrix to probabilities, a class and a novelty p-value; what one bundle holds.

It may use the figures of ``models.evaluation``; it knows neither training nor the registry.
Public: ``scorer.Scorer``, ``classifier``, ``calibration``, ``novelty``, ``conformal``, ``abstention``.
"""

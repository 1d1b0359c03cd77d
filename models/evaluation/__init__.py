"""Figures of merit of a classifier, one per file with its source, and intervals over objects.

Throughout, ``p`` (n, k) are probabilities whose rows add up to 1, ``index`` (n,) is the column of the true class, and
``weight`` (n,) is the weight of each row: 1 / number of rows of its object.
"""

from models.evaluation.brier import brier_score
from models.evaluation.calibration_error import class_calibration_errors, expected_calibration_error, reliability
from models.evaluation.confusion import accuracy, balanced_accuracy, completeness, confusion_matrix, macro_f1, purity
from models.evaluation.coverage import coverage
from models.evaluation.earliness import earliness
from models.evaluation.figure_of_merit import figure_of_merit
from models.evaluation.hierarchy import hierarchical_f1
from models.evaluation.intervals import bootstrap, bootstrap_many
from models.evaluation.log_loss import flat_log_loss, log_loss, weighted_log_loss
from models.evaluation.ranking import auc, average_precision, completeness_at_purity

__all__ = [
    "accuracy",
    "auc",
    "average_precision",
    "balanced_accuracy",
    "bootstrap",
    "bootstrap_many",
    "brier_score",
    "class_calibration_errors",
    "completeness",
    "completeness_at_purity",
    "confusion_matrix",
    "coverage",
    "earliness",
    "expected_calibration_error",
    "figure_of_merit",
    "flat_log_loss",
    "hierarchical_f1",
    "log_loss",
    "macro_f1",
    "purity",
    "reliability",
    "weighted_log_loss",
]

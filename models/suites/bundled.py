"""A finished bundle on the test objects of a suite: nothing is trained, and its training objects are left out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.datasets.labelled import Labelled
from models.scoring.calibration import with_prior
from models.scoring.redshift_view import Host
from models.scoring.scorer import Scorer
from models.suites.moments import WHOLE, Moments
from models.suites.trial import Classes, Predictions, Trial
from models.training.snapshots import held_out

NOTE = (
    "a finished model: nothing was trained here; objects were scored as their last alert showed them; "
    "probabilities are at the class rates of the suite's training objects"
)


def predictions(scorer: Scorer, trial: Trial, labelled: Labelled, rows: Moments) -> Predictions:
    """The bundle's predictions for the test objects of a trial, without those that may be in its training set.

    Only the classes of the trial are used. If the bundle has one class for several of the trial, these divide its
    probability by their class rates. Raises ValueError if fewer than two classes, or no object, remain.
    """
    k = len(trial.classes)
    learnt, tested = (np.unique(np.concatenate(side)) for side in zip(*trial.folds, strict=True))
    mix = np.bincount(trial.label[learnt][trial.label[learnt] >= 0], minlength=k) / len(learnt)
    mix = np.maximum(mix, 1e-9) / np.maximum(mix, 1e-9).sum()
    tested = tested[(trial.label[tested] >= 0) & unseen(scorer, labelled)[tested]]
    if trial.redshift is not None:
        rows = rows.with_redshift(*trial.redshift)
    shown = rows.of_objects(tested)
    shown = shown.select(np.isin(shown.days, [*trial.days, WHOLE]))
    column = _columns(scorer, trial.classes)
    if not len(shown):
        raise ValueError("all test objects of the suite may be in the training set of this model: give other objects")
    p_flat, _, _ = scorer.evaluate(shown.features, shown.detections, Host(shown.redshift, shown.redshift_err))
    p = with_prior(np.where(column >= 0, p_flat[:, column], 0.0) + 1e-12, mix)
    return Predictions.not_learnt(
        p=p,
        label=trial.label[shown.object_row],
        object_row=shown.object_row,
        object_id=shown.object_id,
        days=shown.days,
        detections=shown.detections,
        number=shown.number,
        answered=np.ones(len(shown), bool),
        mix=mix,
    )


def unseen(scorer: Scorer, labelled: Labelled) -> NDArray[np.bool_]:
    """Objects that no part of the bundle uses, (n,): all but those of its data set that are not held out."""
    training = scorer.manifest["training"]
    learnt_from = " + ".join(training.get("sources", [])).split(" + ")
    if not set(labelled.source.split(" + ")) & set(learnt_from):
        return np.ones(len(labelled), bool)
    return held_out(labelled, int(training["seed"]))


def _columns(scorer: Scorer, classes: Classes) -> NDArray[np.int64]:
    """The bundle's column of each class of the trial, (k,); -1 if it has none."""
    bundle_classes = scorer.class_ids.tolist()
    column = np.array(
        [bundle_classes.index(one) if one in bundle_classes else -1 for one in classes.class_ids], np.int64
    )
    if len(np.unique(column[column >= 0])) < 2:
        raise ValueError(
            f"the model must know two of the suite's classes ({', '.join(classes.names)}) or more, it knows the ids "
            f"{bundle_classes}: train one that does with `gueststar train`"
        )
    return column

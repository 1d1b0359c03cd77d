"""Labelled alerts with scores of other brokers: every alert is scored; type Ia is compared with type II by phase."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.datasets.labelled import Labelled
from models.datasets.truth import Truth
from models.evaluation import auc, coverage
from models.hashing import uniform
from models.progress import Progress, silent
from models.scoring.abstention import n_detections, reasons
from models.scoring.calibration import with_prior
from models.suites import scores
from models.suites.moments import WHOLE, Moments, is_new, measured, trigger_mjd
from models.suites.outcome import Peer
from models.suites.scores import IA, Interval, Statistic
from models.suites.trial import Classes, Predictions, Trial, folds_of
from schemas import labelled_alerts
from schemas.light_curves import LightCurves
from schemas.taxonomy import CHALLENGE, name_of

PHASES = (0.0, 5.0, 15.0, 30.0, 60.0)
"""Lower edges, in days after the first detection, of the bins of phase."""

FOLDS = 5
MIN_OBJECTS = 10
"""Least number of objects of a class; classes with fewer are left out."""

LEARNT_ALERTS = 10
"""Most training alerts of an object beside its last; further ones add little."""

II = 2224
"""The taxonomy's id of type II supernovae."""


@dataclass(frozen=True, slots=True)
class AlertSet:
    """``n`` alerts of the objects in ``labelled``, whose light curves are those of their last alerts.

    ``object_row``: (n,) the object of each alert; ``peers``: scores of other brokers, (n,), NaN where there is none.
    """

    labelled: Labelled
    alerts: LightCurves
    object_row: NDArray[np.int64]
    peers: dict[str, NDArray[np.float64]]

    @classmethod
    def load(cls, path: Path) -> AlertSet:
        """From a table of :mod:`schemas.labelled_alerts`. Raises ValueError if an object has two classes."""
        alert_file = labelled_alerts.read(path)
        order = np.lexsort((alert_file.light_curves.alert_mjd, alert_file.light_curves.object_id))
        alerts, class_id = alert_file.light_curves.select(order), alert_file.class_id[order]
        ids, row = np.unique(alerts.object_id, return_inverse=True)
        last = np.searchsorted(row, np.arange(len(ids)), side="right") - 1
        wrong = np.flatnonzero(class_id != class_id[last][row])
        if len(wrong):
            two = sorted({int(class_id[wrong[0]]), int(class_id[last][row][wrong[0]])})
            raise ValueError(
                f"{path}: all alerts of an object must be of one class, those of the object "
                f"{alerts.object_id[wrong[0]]} are of {two}"
            )
        truth = Truth.of(len(ids), name=ids.astype(str))
        labelled = Labelled(alerts.select(last), class_id[last], path.name, alert_file.fingerprint, truth)
        return cls(labelled, alerts, row, {name: values[order] for name, values in alert_file.peers.items()})

    def trials(self, seed: int, least: int = MIN_OBJECTS) -> list[Trial]:
        """Trials cross-validated by object, with the photometric redshift of the host where there is one, and without.

        Raises ValueError if fewer than two classes have ``least`` objects.
        """
        ids, count = np.unique(self.labelled.class_id, return_counts=True)
        frequent = ids[count >= least]
        if len(frequent) < 2:
            raise ValueError(
                f"there must be two classes of {least} objects or more, found by class id "
                f"{dict(zip(ids.tolist(), count.tolist(), strict=True))}: give more alerts, or score a finished model "
                "with --model"
            )
        classes = Classes(tuple(name_of(int(one)) for one in frequent), tuple(int(one) for one in frequent))
        is_frequent = np.isin(self.labelled.class_id, frequent)
        label = np.where(is_frequent, np.searchsorted(frequent, self.labelled.class_id), -1)
        curves = self.labelled.light_curves
        folds = folds_of(np.arange(len(label)), label, FOLDS, seed, curves.object_id)
        alone = Trial("no_photoz", "five folds by object, light curve alone", classes, label, folds, PHASES)
        photoz = curves.host_photoz.astype(np.float64), curves.host_photoz_err.astype(np.float64)
        if not np.isfinite(photoz[0]).any():
            return [replace(alone, name="")]
        return [replace(alone, name="", title="five folds by object, with photo-z", redshift=photoz), alone]

    def moments(self, folder: Path | None, *, progress: Progress = silent, n_jobs: int | None = None) -> Moments:
        """Every alert in its bin of phase, and the last of each object again as its whole light curve."""
        content: list[object] = [self.labelled.fingerprint, CHALLENGE]
        features, portrait = measured(self.alerts, content, folder, progress=progress, n_jobs=n_jobs)
        n = len(self.alerts)
        last = np.searchsorted(self.object_row, np.arange(len(self.labelled)), side="right") - 1
        number = np.concatenate([np.arange(n), last])
        learnt = self._drawn() & is_new(self.object_row, self.alerts.alert_mjd, self.alerts.n_points)
        learnt[last] = False
        nothing = np.full(len(number), np.nan)
        return Moments(
            features=features[number],
            object_row=self.object_row[number],
            object_id=self.alerts.object_id[number],
            mjd=self.alerts.alert_mjd[number],
            days=np.concatenate([self.phase_bin(), np.full(len(last), WHOLE)]),
            detections=n_detections(self.alerts)[number],
            is_new=np.concatenate([learnt, np.ones(len(last), bool)]),
            redshift=nothing,
            redshift_err=nothing,
            is_copy=np.zeros(len(number), bool),
            number=number,
            portrait=portrait[number],
            opinion=np.zeros((len(number), 0)),
        )

    def phase_bin(self) -> NDArray[np.float64]:
        """The lower edge of each alert's bin of phase, (n,): days after the first detection in its history."""
        phase = np.maximum(self.alerts.alert_mjd - trigger_mjd(self.alerts), 0.0)
        return np.asarray(PHASES)[np.searchsorted(PHASES, phase, side="right") - 1]

    def _drawn(self) -> NDArray[np.bool_]:
        """At most :data:`LEARNT_ALERTS` of each object, by a hash of the alerts' times."""
        luck = uniform(np.round(self.alerts.alert_mjd * 1e5).astype(np.int64), 41)
        order = np.lexsort((luck, self.object_row))
        begin = np.searchsorted(self.object_row, self.object_row)
        rank = np.empty(len(order), np.int64)
        rank[order] = np.arange(len(order)) - begin
        return rank < LEARNT_ALERTS

    def abstained(self, predictions: Predictions) -> Predictions:
        """The predictions; for alerts that the broker would not classify the class rates, and ``answered`` False."""
        alerts = self.alerts.select(predictions.number)
        answered = np.array([not reason for reason in reasons(alerts, predictions.detections)], bool)
        p = np.where(answered[:, None], predictions.p, predictions.mix)
        return replace(predictions, p=p, answered=answered)

    def figures(self, results: list[tuple[Trial, Predictions]], seed: int, draws: int) -> dict[str, Interval]:
        """``auc_ia_ii``, ``coverage`` and others for all alerts, ``_phase<d>`` for a bin; ``…_peer``: other brokers."""
        metrics: dict[str, Interval] = {}
        for trial, predictions in results:
            end = f"_{trial.name}" if trial.name else ""
            rows = np.flatnonzero(np.isfinite(predictions.days))
            of = scores.of_rows(predictions, trial.classes, rows) | self._ia_ii(trial, predictions, rows)
            values = scores.measured(of, predictions.object_id[rows], seed=seed, draws=draws)
            metrics |= {f"{name}{end}": value for name, value in values.items()}
            metrics |= _by_phase(trial, predictions, end, seed, draws)
        unknown = (float("nan"),) * 3
        return {"auc_ia_ii": unknown, "auc_ia_ii_peer": unknown} | metrics

    def beside(self, metrics: dict[str, Interval]) -> list[Peer]:
        """Figures of other brokers on the alerts that they answer, with ours on the same alerts."""
        figures_of_peers = []
        for name in self.peers:
            slug = scores.slug_of(name)
            theirs = metrics.get(f"auc_ia_ii_peer_{slug}", (float("nan"),))[0]
            if np.isfinite(theirs):
                part = f"on the same alerts, {metrics[f'coverage_peer_{slug}'][0]:.0%} of all"
                figures_of_peers.append(Peer(f"auc_ia_ii_beside_peer_{slug}", theirs, f"the column {name}", part))
        return figures_of_peers

    def _ia_ii(self, trial: Trial, predictions: Predictions, rows: NDArray[np.int64]) -> dict[str, Statistic]:
        score, is_ia, taken = _ia_or_ii(trial, predictions, rows)
        if score is None:
            return {}
        bins = predictions.days[rows]
        statistics: dict[str, Statistic] = {
            "auc_ia_ii": partial(_area, score, is_ia, taken),
            "auc_ia_ii_same_phase": lambda i: _same_phase(score[i[taken[i]]], is_ia[i[taken[i]]], bins[i[taken[i]]]),
        }
        best = ("", -1.0)
        for name, all_scores in self.peers.items():
            theirs = all_scores[predictions.number[rows]]
            both = taken & np.isfinite(theirs)
            slug = scores.slug_of(name)
            statistics |= _beside(f"peer_{slug}", theirs, score, is_ia, both)
            statistics[f"coverage_peer_{slug}"] = partial(_answered, np.isfinite(theirs))
            best = max(best, (name, auc(theirs[both], is_ia[both])), key=lambda one: np.nan_to_num(one[1], nan=-1.0))
        if best[0]:
            theirs = self.peers[best[0]][predictions.number[rows]]
            statistics |= _beside("peer", theirs, score, is_ia, taken & np.isfinite(theirs))
        return statistics


def _answered(is_answer: NDArray[np.bool_], rows: NDArray[np.int64]) -> float:
    return coverage(is_answer[rows])


def _area(
    score: NDArray[np.float64], is_ia: NDArray[np.bool_], taken: NDArray[np.bool_], rows: NDArray[np.int64]
) -> float:
    """The area over the selected rows."""
    chosen = rows[taken[rows]]
    return auc(score[chosen], is_ia[chosen])


def _beside(
    name: str,
    theirs: NDArray[np.float64],
    ours: NDArray[np.float64],
    is_ia: NDArray[np.bool_],
    both: NDArray[np.bool_],
) -> dict[str, Statistic]:
    """The area of another broker, and ours on the alerts that it answered."""
    return {
        f"auc_ia_ii_{name}": partial(_area, theirs, is_ia, both),
        f"auc_ia_ii_beside_{name}": partial(_area, ours, is_ia, both),
    }


def _ia_or_ii(
    trial: Trial, predictions: Predictions, rows: NDArray[np.int64]
) -> tuple[NDArray[np.float64] | None, NDArray[np.bool_], NDArray[np.bool_]]:
    """p(Ia) among Ia and II at equal rates, which are Ia, which are either; None if the trial lacks a class."""
    nobody = np.zeros(len(rows), bool)
    if IA not in trial.classes.class_ids or II not in trial.classes.class_ids:
        return None, nobody, nobody
    ia, ii = (trial.classes.class_ids.index(one) for one in (IA, II))
    label = predictions.label[rows]
    pair = scores.flat(predictions)[rows][:, [ia, ii]]
    return with_prior(pair, np.ones(2))[:, 0], label == ia, (label == ia) | (label == ii)


def _same_phase(score: NDArray[np.float64], is_ia: NDArray[np.bool_], bins: NDArray[np.float64]) -> float:
    """The area over pairs within one bin of phase; bins are weighted by their number of pairs."""
    areas, pairs = [], []
    for one in np.unique(bins):
        rows = bins == one
        n_pairs = float(is_ia[rows].sum() * (~is_ia[rows]).sum())
        if n_pairs:
            areas.append(auc(score[rows], is_ia[rows]))
            pairs.append(n_pairs)
    return float(np.average(areas, weights=pairs)) if pairs else float("nan")


def _by_phase(trial: Trial, predictions: Predictions, end: str, seed: int, draws: int) -> dict[str, Interval]:
    metrics: dict[str, Interval] = {}
    for days in scores.told(PHASES, predictions):
        rows = predictions.at(days)
        of = scores.at_moment(predictions, trial.classes, days)
        wanted = {name: of[name] for name in ("accuracy", "macro_f1", "log_loss_flat", "ece", "coverage")}
        score, is_ia, taken = _ia_or_ii(trial, predictions, rows)
        if score is not None:
            wanted["auc_ia_ii"] = partial(_area, score, is_ia, taken)
        values = scores.measured(wanted, predictions.object_id[rows], seed=seed, draws=draws)
        metrics |= {f"{name}_phase{days:g}{end}": value for name, value in values.items()}
    return metrics

"""The suite ``stream``: published classifications against labels that came later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from models.datasets.labelled import Labelled
from models.datasets.truth import Truth
from models.evaluation import coverage
from models.scoring.calibration import with_prior
from models.suites import scores
from models.suites.moments import WHOLE
from models.suites.outcome import Outcome
from models.suites.scores import Interval, Statistic
from models.suites.trial import Classes, Predictions, Trial
from schemas.light_curves import BANDS, LightCurves
from schemas.taxonomy import NOT_CLASSIFIED, name_of

NAME = "stream"
DAYS = (0.0, 5.0, 15.0, 30.0, 60.0)
"""Lower edges, in days after an object's first published alert, of the bins of its alerts."""

COLUMNS = (
    "object_id", "object_name", "alert_id", "alert_mjd", "input_time_ms", "ra_deg", "dec_deg", "band", "flux_njy",
    "flux_err_njy", "class_ids", "p_flat", "p_survey", "class_id", "novelty_p_value", "model_sha256",
)  # fmt: skip
"""Columns of the archive."""


@dataclass(frozen=True, slots=True)
class Label:
    """The class of an object, when it became known (ms since 1970 UTC; infinite: after all alerts), and whether the
    object was selected at random for a label."""

    class_id: int
    known_ms: float = float("inf")
    is_random: bool = False


def outcome(rows: pa.Table, labels: Mapping[int, Label], *, source: str, seed: int, draws: int = 200) -> Outcome:
    """The figures of the alerts ``rows`` (:data:`COLUMNS`, in order of object and time) whose objects have labels.

    Only alerts before the label of their object count. Alerts whose model did not know the class of their object
    measure the p-values of novelty; ``unknown_class`` gives their fraction, and they are in no other figure. Raises
    ValueError if no alert remains.
    """
    ids = rows["object_id"].to_numpy()
    known_ms = np.array([labels[int(one)].known_ms if int(one) in labels else -np.inf for one in ids])
    rows = rows.filter(pa.array(rows["input_time_ms"].to_numpy() < known_ms))
    if not len(rows):
        raise ValueError(
            f"{source}: of the {len(labels):,} labelled objects none has an alert from before its label: "
            "let the stream run, and answer its requests"
        )
    classes, p, mix = _probabilities(rows)
    labelled, object_row = _objects(rows, labels, source)
    label = np.array([classes.index(int(one)) if int(one) in classes else -1 for one in labelled.class_id], np.int64)
    was_known = _known_when_published(rows, labelled.class_id[object_row])
    names = Classes(tuple(name_of(one) for one in classes), tuple(classes))
    everyone = np.arange(len(labelled))
    trial = Trial("", "published, all labels", names, label, [(everyone[:0], everyone)], DAYS)
    said = _predictions(rows, p, mix, label, object_row, labelled)
    results = [(trial, _of(said, was_known[said.number]))]
    random = np.array([labels[int(one)].is_random for one in labelled.light_curves.object_id], bool)
    if random.any() and not random.all():
        title = "published, objects drawn at random"
        chosen = _of(said, random[said.object_row] & was_known[said.number])
        results.append((replace(trial, name="random", title=title), chosen))
    return Outcome(
        suite=NAME,
        n_train=0,
        n_test=len(labelled),
        metrics=_figures(results, seed, draws)
        | _unknown(said, ~was_known[said.number], seed, draws)
        | _novelty(rows, ~was_known, seed, draws),
        peers=[],
        labelled=labelled,
        trials=results,
        learner=", ".join(sorted({one[:16] for one in rows["model_sha256"].to_pylist()})),
        notes=[
            f"{len(np.unique(object_row[~was_known])):,} labelled objects had alerts from models that did not know "
            "their class: these count in unknown_class… and recall_at_… alone",
            "labelled objects were asked for, so they are no fair sample: figures that end in _random are of one",
        ],
    )


def _known_when_published(rows: pa.Table, class_id: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether the model of each alert knew the class of its object, (n,)."""
    return np.array(
        [one in ids for one, ids in zip(class_id.tolist(), rows["class_ids"].to_pylist(), strict=True)], bool
    )


def _probabilities(rows: pa.Table) -> tuple[list[int], NDArray[np.float64], NDArray[np.float64]]:
    """All published classes, probabilities (n, k) at the survey rates of the newest model, and these rates (k,)."""
    spoken = [tuple(one) for one in rows["class_ids"].to_pylist()]
    classes = sorted({one for ids in set(spoken) for one in ids})
    flat, mix = np.zeros((len(rows), len(classes))), np.full(len(classes), 1e-9)
    p_flat, p_survey = rows["p_flat"].to_pylist(), rows["p_survey"].to_pylist()
    answered = rows["class_id"].to_numpy() != NOT_CLASSIFIED
    order = np.argsort(rows["input_time_ms"].to_numpy(), kind="stable")
    newest = [row for row in order[::-1] if answered[row]][:1] or [order[-1]]
    for row, ids in enumerate(spoken):
        flat[row, np.searchsorted(classes, ids)] = p_flat[row]
    column = np.searchsorted(classes, spoken[newest[0]])
    ratio = np.asarray(p_survey[newest[0]]) / np.maximum(p_flat[newest[0]], 1e-30)
    mix[column] = np.maximum(ratio / ratio.sum(), 1e-9)
    return classes, with_prior(flat, mix / mix.sum()), mix / mix.sum()


def _objects(rows: pa.Table, labels: Mapping[int, Label], source: str) -> tuple[Labelled, NDArray[np.int64]]:
    """The objects, their light curves from the published points, and the object of each alert."""
    ids, first, row = np.unique(rows["object_id"].to_numpy(), return_index=True, return_inverse=True)
    last = np.append(first[1:], len(rows)) - 1
    mjd = rows["alert_mjd"].to_numpy()
    column = {name: rows[name].to_numpy() for name in ("flux_njy", "flux_err_njy", "ra_deg", "dec_deg")}
    n = len(ids)
    curves = LightCurves.from_points(
        alert=row,
        columns={
            "time_mjd": mjd,
            "flux_njy": column["flux_njy"],
            "flux_err_njy": column["flux_err_njy"],
            "band": np.array([BANDS.index(one) for one in rows["band"].to_pylist()], np.int64),
            "is_detection": np.ones(len(rows), bool),
        },
        alerts={
            "alert_id": rows["alert_id"].to_numpy()[last],
            "object_id": ids,
            "alert_mjd": mjd[last],
            "ra_deg": column["ra_deg"][last],
            "dec_deg": column["dec_deg"][last],
            "survey": np.zeros(n),
            "schema_id": np.zeros(n),
            "is_solar_system": np.zeros(n, bool),
            "reliability": np.full(n, np.nan),
        },
    )
    class_id = np.array([labels[int(one)].class_id for one in ids], np.int64)
    names = np.array(rows["object_name"].to_pylist(), np.str_)[last]
    return Labelled(curves, class_id, source, "published", Truth.of(n, name=names)), row


def _predictions(
    rows: pa.Table,
    p: NDArray[np.float64],
    mix: NDArray[np.float64],
    label: NDArray[np.int64],
    object_row: NDArray[np.int64],
    labelled: Labelled,
) -> Predictions:
    """Predictions of every alert in its bin of days, and of the last of each object again as its whole light curve."""
    n, mjd = len(rows), rows["alert_mjd"].to_numpy()
    first = np.searchsorted(object_row, np.arange(len(labelled)))
    last = np.append(first[1:], n) - 1
    days = np.asarray(DAYS)[np.searchsorted(DAYS, np.maximum(mjd - mjd[first][object_row], 0), side="right") - 1]
    number = np.concatenate([np.arange(n), last])
    whole = Predictions.not_learnt(
        p=p[number],
        label=label[object_row][number],
        object_row=object_row[number],
        object_id=labelled.light_curves.object_id[object_row][number],
        days=np.concatenate([days, np.full(len(last), WHOLE)]),
        detections=(np.arange(n) - first[object_row] + 1)[number],
        number=number,
        answered=(rows["class_id"].to_numpy() != NOT_CLASSIFIED)[number],
        mix=mix,
    )
    return whole


def _of(said: Predictions, which: NDArray[np.bool_]) -> Predictions:
    each = ("p", "label", "object_row", "object_id", "days", "detections", "number", "answered", "balance")
    return replace(said, **{name: getattr(said, name)[which] for name in each})


def _figures(results: list[tuple[Trial, Predictions]], seed: int, draws: int) -> dict[str, Interval]:
    metrics: dict[str, Interval] = {}
    for trial, predictions in results:
        end = f"_{trial.name}" if trial.name else ""
        for days in scores.told((*DAYS, WHOLE), predictions):
            of = scores.at_moment(predictions, trial.classes, days)
            values = scores.measured(of, predictions.object_id[predictions.at(days)], seed=seed, draws=draws)
            metrics |= {f"{name}{scores.day_of(days)}{end}": value for name, value in values.items()}
            floor = scores.calibration_floor(predictions, days, seed=seed)
            metrics[f"ece{scores.day_of(days)}{end}_of_the_perfect"] = floor
        timed = scores.timing(predictions, seed=seed, draws=draws)
        metrics |= {f"{name}{end}": value for name, value in timed.items()}
    return metrics


def _unknown(said: Predictions, is_unknown: NDArray[np.bool_], seed: int, draws: int) -> dict[str, Interval]:
    """The fraction of labelled objects whose class was unknown to the model of their alert, at each moment."""
    metrics: dict[str, Interval] = {}
    for days in scores.told((*DAYS, WHOLE), said):
        rows = said.at(days)
        fraction = partial(_fraction_of, is_unknown[rows])
        values = scores.measured({"unknown_class": fraction}, said.object_id[rows], seed=seed, draws=draws)
        metrics |= {f"{name}{scores.day_of(days)}": value for name, value in values.items()}
    return metrics


def _fraction_of(is_one: NDArray[np.bool_], rows: NDArray[np.int64]) -> float:
    return float(is_one[rows].mean())


def _fraction_among(is_one: NDArray[np.bool_], among: NDArray[np.bool_], rows: NDArray[np.int64]) -> float:
    chosen = is_one[rows][among[rows]]
    return float(chosen.mean()) if len(chosen) else float("nan")


def _novelty(rows: pa.Table, is_unknown: NDArray[np.bool_], seed: int, draws: int) -> dict[str, Interval]:
    """Fractions: at a p-value of 1 and of 5 %, of the alerts of known classes (false alarms: to compare with 0.01 and
    0.05) and of those of unknown classes; of all alerts, those classified."""
    p_value = rows["novelty_p_value"].to_numpy()
    answered = rows["class_id"].to_numpy() != NOT_CLASSIFIED

    statistics: dict[str, Statistic] = {"coverage_of_alerts": lambda i: coverage(answered[i])}
    for percent in (1, 5):
        is_strange = p_value <= percent / 100
        statistics |= {
            f"false_alarms_{percent}": partial(_fraction_among, is_strange, ~is_unknown),
            f"recall_at_{percent}": partial(_fraction_among, is_strange, is_unknown),
        }
    return scores.measured(statistics, rows["object_id"].to_numpy(), seed=seed, draws=draws)

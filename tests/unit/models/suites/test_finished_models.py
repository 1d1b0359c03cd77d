"""Finished models judged: on a suite's objects, on harmed light curves, by later labels; and what ships."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from features.catalogue import fingerprint
from models.bundle import BundleError, open_bundle
from models.datasets import plasticc
from models.datasets.labelled import Labelled, alerts, last_alerts
from models.evaluation import flat_log_loss
from models.registry import shipped
from models.registry.card import card
from models.scoring.abstention import n_detections
from models.scoring.redshift_view import Host
from models.scoring.scorer import Scorer
from models.suites import bundled, changes, published, robustness
from models.suites.moments import WHOLE, moments
from models.suites.published import Label
from models.suites.trial import Classes, Trial
from models.training.extraction import extract_many
from models.training.snapshots import held_out
from schemas.light_curves import BANDS, LightCurves
from tests.unit.models.small_bundle import SEED, Small


@pytest.fixture(scope="module")
def scorer(small: Small) -> Scorer:
    return Scorer.load(small.trained.path)


@pytest.fixture(scope="module")
def strangers(small: Small) -> Labelled:
    """Objects that the bundle has not seen."""
    return small.labelled.select(held_out(small.labelled, SEED))


def test_only_objects_that_the_bundle_has_not_seen_are_tested(small: Small, scorer: Scorer) -> None:
    labelled = small.labelled
    classes = Classes(("Ia", "II", "IIn", "TDE"), (2222, 2224, 2224, 2243))
    label = np.select([labelled.class_id == one for one in (2222, 2224, 2243)], [0, 1, 3], -1)
    everyone = np.arange(len(labelled))
    trial = Trial("", "all", classes, label, [(everyone, everyone)], (5.0,))
    rows = moments(labelled, trial.days, None, n_jobs=1)
    said = bundled.predictions(scorer, trial, labelled, rows)
    unseen = np.flatnonzero(held_out(labelled, SEED) & (label >= 0))
    assert sorted(set(said.object_row.tolist())) == unseen.tolist()
    assert said.p.sum(axis=1) == pytest.approx(1)
    assert said.p[:, 3].max() < 1e-6  # a class that the bundle does not know
    assert said.p[:, 2].max() < 1e-6  # as common as the suite has it: never
    others = replace(labelled, source="others")
    assert len(np.unique(bundled.predictions(scorer, trial, others, rows).object_row)) == (label >= 0).sum()
    with pytest.raises(ValueError, match="two of the suite's classes"):
        bundled.predictions(
            scorer, replace(trial, classes=Classes(("TDE", "SLSN"), (2243, 1)), label=label), others, rows
        )


def test_an_object_is_seen_as_its_last_alert_showed_it(strangers: Labelled) -> None:
    row = np.arange(len(strangers))
    stream = alerts(strangers)
    mjd = strangers.light_curves.alert_mjd - 20.0
    seen = last_alerts(strangers.light_curves, row, mjd)
    for i, object_id in enumerate(strangers.light_curves.object_id):
        mine = np.flatnonzero((stream.object_id == object_id) & (stream.alert_mjd <= mjd[i]))
        if len(mine):
            newest = mine[np.argmax(stream.alert_mjd[mine])]
            assert seen.alert_id[i] == stream.alert_id[newest]
            assert seen.n_points[i] == stream.n_points[newest]
        else:
            assert seen.object_id[i] == object_id
            assert (seen.time_mjd[seen.offsets[i] : seen.offsets[i + 1]] <= mjd[i]).all()


def whole(curves: LightCurves) -> dict[str, np.ndarray]:
    return {name: getattr(curves, name) for name in ("offsets", "time_mjd", "flux_njy", "flux_err_njy", "band")}


def test_each_change_does_what_its_name_says(strangers: Labelled) -> None:
    curves = strangers.light_curves
    errors_enlarged, untold = (changes.noisier(curves, 1.0, 1, errors_grow=one) for one in (True, False))
    pull = (untold.flux_njy - curves.flux_njy) / curves.flux_err_njy
    assert pull.mean() == pytest.approx(0, abs=5 / np.sqrt(len(pull)))
    assert pull.std() == pytest.approx(1, abs=5 / np.sqrt(len(pull)))
    np.testing.assert_array_equal(errors_enlarged.flux_njy, untold.flux_njy)
    assert errors_enlarged.flux_err_njy == pytest.approx(np.sqrt(2) * curves.flux_err_njy)
    no_r = changes.without_band(curves, BANDS.index("r"))
    assert not (no_r.band == BANDS.index("r")).any()
    assert len(no_r.time_mjd) == (curves.band != BANDS.index("r")).sum()
    shifted = changes.shifted_zero_points(curves, 0.1)
    magnitudes = 2.5 * np.log10(shifted.flux_njy / curves.flux_njy)
    assert magnitudes == pytest.approx(np.where(np.isin(curves.band, [0, 2, 4]), 0.1, -0.1))
    fewer = changes.fewer_visits(curves, 0.5, 1)
    assert len(fewer.time_mjd) / len(curves.time_mjd) == pytest.approx(0.5, abs=0.05)
    wild = changes.with_outliers(curves, 0.03, 1)
    far = (wild.flux_njy - curves.flux_njy) / curves.flux_err_njy
    assert np.mean(far != 0) == pytest.approx(0.03, abs=0.005)
    assert np.abs(far[far != 0]) == pytest.approx(changes.OUTLIER_ERRORS)
    gap = changes.with_gap(curves, 10.0)
    before = gap.alert_mjd[gap.alert_of_point] - gap.time_mjd < 10.0
    assert np.bincount(gap.alert_of_point[before], minlength=len(gap)).max() <= 2  # the trigger, in two bands at once
    moved = changes.one_point_moved(curves, 0, -1.0)
    off = np.flatnonzero(moved.flux_njy != curves.flux_njy)
    assert off.tolist() == (curves.offsets[1:] - 1).tolist()


def test_changes_are_the_same_each_time(strangers: Labelled) -> None:
    few = strangers.light_curves.select(np.arange(5))
    for name, change in changes.changes(3).items():
        for column, values in whole(change(few)).items():
            np.testing.assert_array_equal(values, whole(change(few))[column], err_msg=f"{name}: {column}")


def test_harm_costs_accuracy_and_is_told(scorer: Scorer, strangers: Labelled) -> None:
    outcome = robustness.run(scorer, strangers, seed=1, draws=10)
    metrics = outcome.to_json()["metrics"]
    n = len(strangers)
    assert outcome.n_test == np.isin(strangers.class_id, scorer.class_ids).sum() < n
    lost = metrics["accuracy_unharmed"]["value"] - metrics["accuracy_worst_point"]["value"]
    assert metrics["accuracy_lost_worst_point"]["value"] == pytest.approx(lost)
    assert lost >= 0
    assert {f"accuracy_lost_{name}_day15" for name in changes.changes(1)} <= set(metrics)
    with pytest.raises(ValueError, match="outside the training set"):
        robustness.run(scorer, strangers.select(strangers.class_id == 2243))


def published_rows(scorer: Scorer, labelled: Labelled) -> pa.Table:
    """What the stream would have archived of these objects."""
    stream = alerts(labelled)
    stream = stream.select(np.lexsort((stream.alert_mjd, stream.object_id)))
    said = scorer.score(stream)
    last = stream.offsets[1:] - 1
    return pa.table(
        {
            "object_id": stream.object_id,
            "object_name": [str(one) for one in stream.object_id],
            "alert_id": stream.alert_id,
            "alert_mjd": stream.alert_mjd,
            "input_time_ms": (stream.alert_mjd * 86_400_000).astype(np.int64),
            "ra_deg": stream.ra_deg,
            "dec_deg": stream.dec_deg,
            "band": [BANDS[one] for one in stream.band[last]],
            "flux_njy": stream.flux_njy[last],
            "flux_err_njy": stream.flux_err_njy[last],
            "class_ids": [scorer.class_ids.tolist()] * len(stream),
            "p_flat": said.p_flat.tolist(),
            "p_survey": said.p_survey.tolist(),
            "class_id": said.class_id,
            "novelty_p_value": said.novelty_p_value,
            "model_sha256": ["a" * 64] * len(stream),
        }
    )


def test_what_was_published_is_judged_by_later_labels(scorer: Scorer, strangers: Labelled) -> None:
    rows = published_rows(scorer, strangers)
    ids = strangers.light_curves.object_id.tolist()
    labels = {
        one: Label(int(c), np.inf, i % 2 == 0) for i, (one, c) in enumerate(zip(ids, strangers.class_id, strict=True))
    }
    outcome = published.outcome(rows, labels, source="here", seed=1, draws=10)
    metrics = outcome.metrics
    with_trained_class = np.isin(strangers.class_id, scorer.class_ids)
    assert outcome.n_test == len(np.unique(rows["object_id"].to_numpy()))
    _, said = outcome.trials[0]
    at_end = said.at(WHOLE)
    assert len(at_end) == with_trained_class.sum()
    right = said.p[at_end].argmax(axis=1) == said.label[at_end]
    assert metrics["accuracy"][0] == pytest.approx(right.mean())
    assert metrics["unknown_class"][0] == pytest.approx(1 - with_trained_class.mean())
    assert {"accuracy_random", "ece_day5", "false_alarms_1", "recall_at_5", "stable"} <= set(metrics)
    selected = rows["novelty_p_value"].to_numpy() <= 0.05
    strange = ~np.isin([labels[int(one)].class_id for one in rows["object_id"].to_numpy()], scorer.class_ids)
    assert metrics["false_alarms_5"][0] == pytest.approx(selected[~strange].mean())
    assert metrics["recall_at_5"][0] == pytest.approx(selected[strange].mean())


def test_alerts_after_the_label_do_not_count(scorer: Scorer, strangers: Labelled) -> None:
    rows = published_rows(scorer, strangers)
    first = rows["object_id"][0].as_py()
    times = rows["input_time_ms"].to_numpy()[rows["object_id"].to_numpy() == first]
    label = {first: Label(int(strangers.class_id[strangers.light_curves.object_id == first][0]), float(times[0] + 1))}
    mine = rows.filter(pa.array(rows["object_id"].to_numpy() == first))
    if label[first].class_id in scorer.class_ids:
        _, said = published.outcome(mine, label, source="here", seed=1, draws=5).trials[0]
        assert len(said) == 2  # the one alert, at its day and as the whole
    with pytest.raises(ValueError, match="before its label"):
        published.outcome(mine, {first: Label(2222, float(times[0]))}, source="here", seed=1, draws=5)


def test_what_ships_fits_this_program_and_is_small() -> None:
    folder = shipped.folder()
    manifest, sha256 = open_bundle(folder)
    assert manifest["feature_fingerprint"] == fingerprint(), "train it anew: make model"
    assert Scorer.load(folder).sha256 == sha256
    assert sum(file.stat().st_size for file in folder.iterdir()) < 15e6
    assert shipped.metrics()["log_loss_flat_last"] < 0.7
    assert (Path(__file__).parents[4] / "docs" / "model-card.md").read_text() == card(manifest, sha256)


def test_a_redshift_helps_the_model_that_ships() -> None:
    scorer, labelled = Scorer.load(shipped.folder()), plasticc.load()
    assert scorer.with_photoz is not None
    curves = labelled.light_curves
    with_photoz = np.flatnonzero(
        held_out(labelled, scorer.manifest["training"]["seed"]) & np.isfinite(curves.host_photoz)
    )[:300]
    shown = last_alerts(curves, with_photoz, curves.alert_mjd[with_photoz])
    features, detections = extract_many(shown, n_jobs=1), n_detections(shown)
    host = Host(shown.host_photoz.astype(np.float64), shown.host_photoz_err.astype(np.float64))
    index = np.searchsorted(scorer.class_ids, labelled.class_id[with_photoz])
    with_redshift, alone = (
        flat_log_loss(scorer.evaluate(features, detections, redshift)[0], index, np.ones(len(with_photoz)))
        for redshift in (host, None)
    )
    assert with_redshift < 0.95 * alone


def test_a_card_says_what_a_reader_needs(small: Small) -> None:
    manifest, sha256 = open_bundle(small.trained.path)
    text = card(manifest, sha256)
    for wanted in (sha256, "TDE", "p_survey", "Limits", "13 and more detections", f"{manifest['metrics']['ece']:.3f}"):
        assert wanted in text
    low, high = manifest["intervals"]["log_loss_flat"]
    assert low <= manifest["metrics"]["log_loss_flat"] <= high


def test_a_changed_file_of_a_bundle_is_refused(small: Small, tmp_path: Path) -> None:
    import shutil

    shutil.copytree(small.trained.path, tmp_path / "copy")
    file = tmp_path / "copy" / "network.npz"
    file.write_bytes(file.read_bytes() + b" ")
    with pytest.raises(BundleError, match="was changed or damaged"):
        Scorer.load(tmp_path / "copy")
    manifest = tmp_path / "copy" / "manifest.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"format": "another"}))
    with pytest.raises(BundleError, match="the format must be"):
        Scorer.load(tmp_path / "copy")

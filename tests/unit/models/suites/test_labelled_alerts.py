"""Labelled alerts as a table: read as meant, scored beside others, refused with the place and the reason."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from models.datasets import plasticc
from models.datasets.labelled import alerts
from models.registry import shipped
from models.scoring.scorer import Scorer
from models.suites import run
from models.suites.labelled_alerts import AlertSet
from models.suites.learners import TreesAndNetworks
from models.suites.moments import WHOLE
from schemas import labelled_alerts
from schemas.light_curves import BANDS, LightCurves
from schemas.photometry import njy_per_unit
from schemas.taxonomy import CHALLENGE

IA, II = 2222, 2224
FLUXCAL = float(njy_per_unit(27.5))


def as_table(curves: LightCurves, class_id: np.ndarray) -> pa.Table:
    """Alerts in the columns of the format, with a peer that knows the answer for a third of them."""
    offsets = pa.array(curves.offsets.astype(np.int32))

    def lists(values: np.ndarray) -> pa.Array:
        return pa.ListArray.from_arrays(offsets, pa.array(values))

    answered = np.arange(len(curves)) % 3 == 0
    return pa.table(
        {
            "alert_id": pa.array(curves.alert_id),
            "object_id": pa.array(curves.object_id),
            "alert_mjd": pa.array(curves.alert_mjd),
            "class_id": pa.array(class_id),
            "class_name": pa.array(["Ia" if one == IA else "II" for one in class_id]),
            "ra": pa.array(curves.ra_deg),
            "dec": pa.array(curves.dec_deg),
            "mjd": lists(curves.time_mjd),
            "origin": lists(np.where(curves.is_detection, "prvDiaSources", "prvDiaForcedSources")),
            "psFlux": lists(curves.flux_njy / FLUXCAL),
            "psFluxErr": lists(curves.flux_err_njy / FLUXCAL),
            "band": lists(np.array(list(BANDS.replace("y", "Y")))[curves.band]),
            "mwebv": pa.array(np.full(len(curves), 0.1)),
            "hostgal_zphot": pa.array(np.full(len(curves), -9.0)),
            "hostgal_zphot_err": pa.array(np.full(len(curves), -9.0)),
            "hostgal_snsep": pa.array(np.full(len(curves), 1.5)),
            "all_knowing_ia": pa.array(np.where(answered, np.where(class_id == IA, 0.9, 0.1), np.nan)),
            "guess_ia": pa.array(np.full(len(curves), 0.5)),
        }
    )


@pytest.fixture(scope="module")
def few() -> tuple[LightCurves, np.ndarray]:
    """The alerts of 24 supernovae of either type, and their classes."""
    whole = plasticc.load()
    chosen = np.concatenate([np.flatnonzero(whole.class_id == one)[:24] for one in (IA, II)])
    some = whole.select(chosen)
    stream = alerts(some)
    class_of = dict(zip(some.light_curves.object_id.tolist(), some.class_id.tolist(), strict=True))
    return stream, np.array([class_of[one] for one in stream.object_id.tolist()])


@pytest.fixture
def file(few: tuple[LightCurves, np.ndarray], tmp_path: Path) -> Path:
    pq.write_table(as_table(*few), tmp_path / "alerts.parquet")
    return tmp_path / "alerts.parquet"


def test_the_table_is_read_as_it_was_meant(few: tuple[LightCurves, np.ndarray], file: Path) -> None:
    stream, class_id = few
    alerts = labelled_alerts.read(file)
    assert alerts.class_id.tolist() == class_id.tolist()
    for name in ("offsets", "time_mjd", "band", "is_detection", "alert_id", "object_id", "alert_mjd"):
        np.testing.assert_array_equal(getattr(alerts.light_curves, name), getattr(stream, name), err_msg=name)
    assert alerts.light_curves.flux_njy == pytest.approx(stream.flux_njy, rel=1e-12)
    assert np.isnan(alerts.light_curves.host_photoz).all()
    assert alerts.light_curves.host_separation_arcsec == pytest.approx(1.5)
    assert sorted(alerts.peers) == ["all_knowing_ia", "guess_ia"]
    assert labelled_alerts.read(file.parent).fingerprint == alerts.fingerprint


def test_fluxes_in_njy_and_texts_in_a_dictionary_are_read_alike(
    few: tuple[LightCurves, np.ndarray], file: Path, tmp_path: Path
) -> None:
    table = pq.read_table(file)
    for name in ("psFlux", "psFluxErr"):
        values = pc.multiply(pc.list_flatten(table[name]).combine_chunks(), FLUXCAL)
        lists = pa.ListArray.from_arrays(table[name].combine_chunks().offsets, values)
        table = table.set_column(table.column_names.index(name), name, lists)
    words = pc.list_flatten(table["origin"]).combine_chunks().dictionary_encode()
    origin = pa.ListArray.from_arrays(table["origin"].combine_chunks().offsets, words)
    pq.write_table(table.set_column(table.column_names.index("origin"), "origin", origin), tmp_path / "njy.parquet")
    njy, fluxcal = (labelled_alerts.read(one).light_curves for one in (tmp_path / "njy.parquet", file))
    assert njy.flux_njy == pytest.approx(fluxcal.flux_njy)
    assert (njy.is_detection == fluxcal.is_detection).all()


def test_without_words_five_standard_errors_of_either_sign_are_a_detection(file: Path, tmp_path: Path) -> None:
    table = pq.read_table(file)
    pq.write_table(table.drop_columns("origin"), tmp_path / "plain.parquet")
    curves = labelled_alerts.read(tmp_path / "plain.parquet").light_curves
    assert (curves.is_detection == (np.abs(curves.flux_njy) >= 5 * curves.flux_err_njy)).all()
    assert curves.is_detection.any()


def test_the_suite_scores_every_alert_and_peers_beside(file: Path, tmp_path: Path) -> None:
    learner = TreesAndNetworks(folds=2, iterations=3, n_jobs=1)
    outcome = run.run(CHALLENGE, str(file), folder=tmp_path, draws=10, learner=learner, n_jobs=1)
    metrics = outcome.to_json()["metrics"]
    assert metrics["auc_ia_ii"]["low"] <= metrics["auc_ia_ii"]["value"] <= metrics["auc_ia_ii"]["high"]
    assert metrics["auc_ia_ii_peer"]["value"] == metrics["auc_ia_ii_peer_all_knowing_ia"]["value"] == 1.0
    assert metrics["auc_ia_ii_peer_guess_ia"]["value"] == 0.5
    assert metrics["auc_ia_ii_beside_peer_guess_ia"]["value"] == metrics["auc_ia_ii"]["value"]
    assert metrics["coverage_peer_all_knowing_ia"]["value"] == pytest.approx(1 / 3, abs=0.01)
    assert 0.5 < metrics["coverage"]["value"] <= 1
    assert {"auc_ia_ii_phase0", "auc_ia_ii_same_phase", "ece_phase0"} <= set(metrics)
    assert outcome.n_test == 48
    peers = {peer.metric: peer.value for peer in outcome.peers}
    assert peers == {"auc_ia_ii_beside_peer_all_knowing_ia": 1.0, "auc_ia_ii_beside_peer_guess_ia": 0.5}


def test_a_finished_model_needs_few_objects(few: tuple[LightCurves, np.ndarray], tmp_path: Path) -> None:
    stream, class_id = few
    some = np.isin(stream.object_id, [stream.object_id[np.argmax(class_id == one)] for one in (IA, II)])
    pq.write_table(as_table(stream.select(some), class_id[some]), tmp_path / "two.parquet")
    with pytest.raises(ValueError, match="two classes of 10 objects"):
        run.prepare(CHALLENGE, str(tmp_path / "two.parquet"), 1)
    scorer = Scorer.load(shipped.folder())
    outcome = run.score_model(CHALLENGE, str(tmp_path / "two.parquet"), scorer, folder=tmp_path, draws=5, n_jobs=1)
    assert outcome.n_test == 2
    assert 0 <= outcome.metrics["auc_ia_ii"][0] <= 1
    assert len(outcome.trials[0][1].at(WHOLE)) == 2


def test_each_object_is_whole_once_and_its_last_alert_is_it(file: Path) -> None:
    alert_set = AlertSet.load(file)
    rows = alert_set.moments(None, n_jobs=1)
    whole = rows.at(WHOLE)
    assert np.unique(whole.object_row).tolist() == whole.object_row.tolist() == list(range(48))
    np.testing.assert_array_equal(whole.mjd, alert_set.labelled.light_curves.alert_mjd)
    per_object = np.bincount(rows.for_learning().object_row)
    assert (per_object >= 1).all()
    assert per_object.max() <= 11


def refused(bad: pa.Table, match: str, folder: Path) -> None:
    pq.write_table(bad, folder / "bad.parquet")
    with pytest.raises((ValueError, LookupError), match=match):
        AlertSet.load(folder / "bad.parquet")


def other(table: pa.Table, name: str, values: pa.Array) -> pa.Table:
    return table.set_column(table.column_names.index(name), name, values)


def with_first(table: pa.Table, name: str, value: object) -> pa.Table:
    lists = table[name].to_pylist()
    return other(table, name, pa.array([[value, *lists[0][1:]], *lists[1:]]))


def test_columns_that_are_wrong_are_named(few: tuple[LightCurves, np.ndarray], tmp_path: Path) -> None:
    table = as_table(*few)
    n = len(table)
    bands = table["band"].to_pylist()
    dec = [None, *table["dec"].to_pylist()[1:]]
    for bad, match in (
        (table.drop_columns(["psFlux"]), "the column psFlux is missing"),
        (other(table, "ra", table["mjd"]), "ra must be right ascension"),
        (other(table, "band", pa.array([one[:-1] for one in bands])), "row 1: band must have as many entries as mjd"),
        (other(table, "band", pa.array([["w"] * len(one) for one in bands])), "band must be .* 'w'"),
        (with_first(table, "band", None), "band must be .*, found ''"),
        (other(table, "dec", pa.array(dec)), "row 1: dec must be declination"),
        (other(table, "dec", pa.array([91.0] * n)), "row 1: dec must be .*degrees, -90 to 90, found 91"),
        (with_first(table, "mjd", 2_460_000.5), "row 1: mjd must be .*, 50,000 to 80,000, found 2460000.5"),
        (other(table, "alert_mjd", pa.array(["late"] * n)), "alert_mjd must be .*, found the type string"),
        (other(table, "object_id", pa.array(["x"] * n)), "row 1: object_id must be the object's number: an object"),
    ):
        refused(bad, match, tmp_path)


def test_classes_that_are_wrong_are_named(few: tuple[LightCurves, np.ndarray], tmp_path: Path) -> None:
    table = as_table(*few)
    n = len(table)
    seven = other(table, "class_id", pa.array([7] * n)).drop_columns(["class_name"])
    mixed = other(table, "class_id", pa.array(np.where(np.arange(n) == 5, 4_000 - few[1] + 446, few[1])))
    for bad, match in (
        (seven, "row 1: class_id must be .* found 7"),
        (mixed, "row 6: class_id must be .*, and both the same"),
        (mixed.drop_columns(["class_name"]), "all alerts of an object must be of one class"),
        (other(table, "class_name", pa.array([["Ia"]] * n)), "class_name must be .*, found the type list"),
    ):
        refused(bad, match, tmp_path)


def test_a_file_that_is_none_or_cut_off_is_named(file: Path, tmp_path: Path) -> None:
    with pytest.raises(LookupError, match="a Parquet file"):
        AlertSet.load(tmp_path / "nothing")
    (tmp_path / "cut.parquet").write_bytes(file.read_bytes()[:-9])
    with pytest.raises(ValueError, match=r"cut\.parquet is not a Parquet file that can be read"):
        AlertSet.load(tmp_path / "cut.parquet")


def test_the_first_numbering_numbers_of_origin_and_columns_of_truth(file: Path, tmp_path: Path) -> None:
    table = pq.read_table(file)
    offsets = table["origin"].combine_chunks().offsets
    forced = np.char.find(np.array(pc.list_flatten(table["origin"]).to_pylist()), "Forced") >= 0

    def put(name: str, values: pa.Array) -> None:
        nonlocal table
        table = table.drop_columns([name] if name in table.column_names else []).append_column(name, values)

    put("class_id", pa.array([{IA: 111, II: 113}[one] for one in table["class_id"].to_pylist()]))
    put("class_name", pa.array([f"SN{name}" for name in table["class_name"].to_pylist()]))
    put("origin", pa.ListArray.from_arrays(offsets, pa.array(np.where(forced, 2, 1))))
    put("ra", pa.array([-0.25] * len(table)))
    put("z_final", pa.array([0.5] * len(table)))
    put("max_prob", pa.array([0.5] * len(table)))
    put("snn_snia_vs_nonia", pa.array([0.0, *[0.25] * (len(table) - 1)]))
    put("t2_snia", pa.array([0.0] * len(table)))
    pq.write_table(table, tmp_path / "first.parquet")
    read, plain = (labelled_alerts.read(one) for one in (tmp_path / "first.parquet", file))
    assert read.class_id.tolist() == plain.class_id.tolist()
    assert read.light_curves.is_detection.tolist() == plain.light_curves.is_detection.tolist()
    assert set(read.light_curves.ra_deg.tolist()) == {359.75}
    assert sorted(read.peers) == ["all_knowing_ia", "guess_ia", "snn_snia_vs_nonia"]
    assert np.isnan(read.peers["snn_snia_vs_nonia"]).tolist() == [True, *[False] * (len(table) - 1)]

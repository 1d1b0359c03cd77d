"""PLAsTiCC read into Labelled, and the alerts its objects raise."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from models.datasets import plasticc, sources
from models.datasets.labelled import HISTORY_DAYS, alerts
from models.datasets.reading import UnreadableError
from tests.unit.models.datasets.faults import FAULTS

FLUXCAL_OF_24_MAG = 10 ** ((27.5 - 24.0) / 2.5)
NJY_OF_24_MAG = 10 ** ((31.4 - 24.0) / 2.5)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two objects in PLAsTiCC's format; the second's first detection comes on day 40."""
    points = [
        (615, 60_000.0, 2, FLUXCAL_OF_24_MAG, 1.0, 1),
        (615, 60_001.0, 1, -FLUXCAL_OF_24_MAG, 1.0, 0),
        (615, 60_500.0, 3, 9.0, 1.0, 1),
        (713, 60_000.0, 0, 0.5, 1.0, 0),
        (713, 60_020.0, 0, 0.7, 1.0, 0),
        (713, 60_040.0, 4, 50.0, 1.0, 1),
        (713, 60_050.0, 5, 40.0, 1.0, 0),
        (713, 60_060.0, 5, 60.0, 1.0, 1),
    ]
    columns = ["object_id", "mjd", "passband", "flux", "flux_err", "detected_bool"]
    pd.DataFrame(points, columns=columns).to_csv(tmp_path / plasticc.LIGHT_CURVES_FILE, index=False)
    objects = {"object_id": [615, 713], "ra": [10.0, 20.0], "decl": [-5.0, -50.0], "true_target": [92, 90]}
    pd.DataFrame(objects | {"hostgal_photoz": [0.0, 0.3], "ddf_bool": [1, 0]}).to_csv(
        tmp_path / plasticc.METADATA_FILE, index=False
    )
    return tmp_path


def test_fluxes_are_nanojansky_and_classes_the_taxonomys(folder: Path) -> None:
    labelled = plasticc.load(folder)
    assert labelled.class_id.tolist() == [2323, 2222]
    assert labelled.light_curves.flux_njy[0] == pytest.approx(NJY_OF_24_MAG)
    assert labelled.light_curves.band[:3].tolist() == [2, 1, 3]
    assert labelled.light_curves.is_detection.tolist() == [True, False, True, False, False, True, False, True]


def test_object_ids_do_not_show_the_originals(folder: Path) -> None:
    ids = plasticc.load(folder).light_curves.object_id
    assert (ids > 10**12).all()
    assert len(set(ids.tolist())) == 2


def test_an_alert_at_each_detection_holds_the_history_a_packet_carries(folder: Path) -> None:
    stream = alerts(plasticc.load(folder))
    assert stream.alert_mjd.tolist() == [60_000.0, 60_040.0, 60_060.0, 60_500.0]
    held = [stream.time_mjd[a:b].tolist() for a, b in zip(stream.offsets[:-1], stream.offsets[1:], strict=True)]
    assert held[0] == [60_000.0]
    assert held[1] == [60_020.0, 60_040.0]  # forced photometry from 30 days before the first detection
    assert held[2] == [60_020.0, 60_040.0, 60_050.0, 60_060.0]
    assert held[3] == [60_500.0]  # the rest is older than a year
    assert stream.time_mjd.min() >= stream.alert_mjd.min() - HISTORY_DAYS


def test_an_unknown_class_number_is_named(folder: Path) -> None:
    file = folder / plasticc.METADATA_FILE
    file.write_text(file.read_text().replace(",92,", ",93,"))
    with pytest.raises(ValueError, match=r"found \[93\]"):
        plasticc.load(folder)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(LookupError, match=plasticc.LIGHT_CURVES_FILE):
        plasticc.load(tmp_path)


def test_the_installed_training_set_is_whole() -> None:
    labelled = plasticc.load()
    assert len(labelled) == 7_848
    assert dict(zip(*np.unique(labelled.class_id, return_counts=True), strict=True))[2222] == 2_313
    assert len(np.unique(labelled.light_curves.object_id)) == 7_848


@pytest.mark.parametrize("name", ["l1_detected", "l2_training_set"])
def test_the_names_of_either_place_of_publication_are_read(name: str) -> None:
    labelled = sources.load(str(FAULTS / name))
    assert labelled.source == "PLAsTiCC"
    assert labelled.truth.name.tolist() == ["615", "713"]
    assert labelled.class_id.tolist() == [2323, 2332]
    assert labelled.light_curves.is_detection.tolist() == [True, True, False, True]


def test_of_both_sets_in_a_folder_the_name_tells(folder: Path) -> None:
    for name in (plasticc.LIGHT_CURVES_FILE, plasticc.METADATA_FILE):
        (folder / name).rename(folder / name.replace("plasticc_train", "my"))
        (folder / name.replace("plasticc_train", "test")).write_text("object_id\n")
    assert sources.load(str(folder)).source == "PLAsTiCC"
    with pytest.raises(UnreadableError, match=r"test_metadata\.csv: the columns ra, decl, target are missing"):
        sources.load(str(folder), sources.PLASTICC_TEST)


POINTS, OBJECTS = plasticc.LIGHT_CURVES_FILE, plasticc.METADATA_FILE


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        (
            POINTS,
            "detected_bool",
            "seen",
            f"{POINTS}: the column detected_bool or detected is missing; found object_id",
        ),
        (POINTS, "mjd", "jd", f"{POINTS}: the column mjd is missing"),
        (
            POINTS,
            "60001.0,",
            "2460001.5,",
            f"{POINTS}, line 3: mjd must be a time, MJD TAI, between 10,000 and 100,000",
        ),
        (POINTS, "60001.0,", ",", f"{POINTS}, line 3: mjd must be a time"),
        (POINTS, ",60500.0,3,", ",60500.0,6,", f"{POINTS}, line 4: passband must be 0 to 5 for ugrizy, found 6"),
        (POINTS, "9.0,1.0,1", "9.0,1.0,2", f"{POINTS}, line 4: detected_bool must be 1 or 0, found 2"),
        (POINTS, "9.0,", "bright,", f"{POINTS}, line 4: flux must be a number, found 'bright'"),
        (POINTS, "615,60001.0", "-5,60001.0", f"{POINTS}, line 3: object_id must be the object's number"),
        (OBJECTS, "decl", "dec", f"{OBJECTS}: the column decl is missing"),
        (
            OBJECTS,
            "10.0,",
            "400.0,",
            f"{OBJECTS}, line 2: ra must be right ascension, -180 to 360 degrees, found 400.0",
        ),
        (OBJECTS, "0.3", "near", f"{OBJECTS}, line 3: hostgal_photoz must be a number, found 'near'"),
        (OBJECTS, "713,", "713.5,", f"{OBJECTS}, line 3: object_id must be the object's number"),
        (OBJECTS, "615,", "0615x,", f"{OBJECTS}, line 2: object_id must be the object's number"),
    ],
)
def test_values_that_cannot_be_are_refused(folder: Path, file: str, old: str, new: str, message: str) -> None:
    text = (folder / file).read_text()
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1))
    with pytest.raises(UnreadableError) as raised:
        plasticc.load(folder)
    assert message in str(raised.value)


def test_objects_without_points_are_left_out_and_told(folder: Path) -> None:
    with (folder / OBJECTS).open("a") as file:
        file.write("99,1.0,1.0,90,0.1,0\n")
    labelled = plasticc.load(folder)
    assert len(labelled) == 2
    assert labelled.notes == ("PLAsTiCC: left out 1 object without points",)
    (folder / POINTS).write_text("\n".join((folder / POINTS).read_text().splitlines()[:1]) + "\n")
    with pytest.raises(UnreadableError, match=rf"objects must have points in {POINTS}, found none that has"):
        plasticc.load(folder)


def test_columns_that_nobody_reads_refuse_nothing(folder: Path) -> None:
    lines = (folder / POINTS).read_text().splitlines()
    (folder / POINTS).write_text(
        "\n".join([f"{lines[0]},note", *(f"{line},{i % 2 or 'x'}" for i, line in enumerate(lines[1:]))])
    )
    assert len(plasticc.load(folder)) == 2

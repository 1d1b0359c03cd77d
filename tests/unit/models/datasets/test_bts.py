"""The Bright Transient Survey's tables: positions in any common form, and what is refused with file and line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from models.datasets import bts, sources
from models.datasets.reading import UnreadableError
from schemas.identifiers import object_name
from tests.unit.models.datasets.faults import FAULTS


def changed(folder: Path, *, labels: dict[str, object] | None = None, points: dict[str, object] | None = None) -> Path:
    """Two objects, 7 and 4 points, with columns replaced; None takes a column away."""
    names = ["ZTF21aaovdlh", "ZTF21aanyfqu", "ZTF21aanwfjk"]
    catalogue = pd.DataFrame(
        {
            "ZTFID": names, "IAUID": ["SN2021fck", "SN2021esh", "SN2021ecv"], "RA": ["08:41:22.68", "112.5", "8h41m"],
            "Dec": ["-02:53:23.3", "+43.5", "2 53 23.3"], "type": ["SN Ia", "TDE", "nova"],
            "redshift": ["0.05", "-", "inf"], "peakt": ["1293.65", "1290.74", "x"],
        }
    )  # fmt: skip
    measured = pd.DataFrame({"ZTFID": np.repeat(names, [7, 4, 2])})
    measured["ant_mjd"] = 59278.0 + np.arange(13)
    measured["ant_passband"] = np.array(["g", "R", "i", "x"])[np.arange(13) % 4]
    measured["ant_mag"], measured["ant_magerr"] = 18.5, 0.1
    for table, columns in ((catalogue, labels or {}), (measured, points or {})):
        for name, values in columns.items():
            if values is None:
                del table[name]
            else:
                table[name] = values
    catalogue.to_csv(folder / bts.LABELS_FILE, index=False)
    measured.to_csv(folder / bts.LIGHT_CURVES_FILE, index=False)
    return folder


@pytest.mark.parametrize("folder", ["b1_degrees", "b3_hms"])
def test_positions_in_degrees_and_in_hours_with_letters(folder: str) -> None:
    labelled = sources.load(str(FAULTS / folder))
    place = dict(zip(labelled.truth.name.tolist(), range(len(labelled)), strict=True))["ZTF21aaovdlh"]
    assert len(labelled) == 4
    assert labelled.light_curves.ra_deg[place] == pytest.approx(130.3445, abs=1e-9)
    assert labelled.light_curves.dec_deg[place] == pytest.approx(2.8898056, abs=1e-7)
    assert len(labelled.light_curves.time_mjd) == 55


def test_a_position_that_is_none_is_refused_with_its_line() -> None:
    with pytest.raises(UnreadableError, match=r"bts_labels\.csv, line 3: RA must be degrees or hours .*, found '-'"):
        sources.load(str(FAULTS / "b4b_dash"))


@pytest.mark.parametrize("cell", ["", "NA", "nan"])
def test_a_position_that_is_not_there_is_none(cell: str, tmp_path: Path) -> None:
    labelled = bts.load(changed(tmp_path, labels={"RA": ["08:41:22.68", cell, "8h41m"]}))
    assert np.isnan(labelled.light_curves.ra_deg).tolist() == [False, True]
    assert np.isnan(labelled.light_curves.dec_deg).tolist() == [False, True]


def test_julian_dates_are_refused() -> None:
    with pytest.raises(
        UnreadableError, match=r"bts_light_curves\.csv\.gz, line 2: ant_mjd must be a time, MJD TAI, be"
    ):
        sources.load(str(FAULTS / "b5_jd"))


def test_all_forms_of_positions_and_what_is_left_out(tmp_path: Path) -> None:
    labelled = bts.load(changed(tmp_path))
    curves = labelled.light_curves
    assert curves.ra_deg.tolist() == pytest.approx([130.3445, 112.5])
    assert curves.dec_deg.tolist() == pytest.approx([-2.889806, 43.5])
    assert [object_name(1, one) for one in curves.object_id] == ["ZTF21aaovdlh", "ZTF21aanyfqu"]
    assert curves.n_points.tolist() == [6, 3]
    assert labelled.class_id.tolist() == [2222, 2243]
    assert labelled.notes == ("BTS: left out 1 object of the type 'nova', which is not known",)
    assert labelled.truth.redshift.tolist() == pytest.approx([0.05, np.nan], nan_ok=True)


def test_fillers_in_place_of_magnitudes_are_no_points(tmp_path: Path) -> None:
    fillers = ["-99", "99", "nan", "", *["18.5"] * 3, *["-999"] * 4, *["18.5"] * 2]
    labelled = bts.load(changed(tmp_path, points={"ant_mag": fillers}))
    assert labelled.light_curves.n_points.tolist() == [3]
    assert labelled.light_curves.n_points_dropped.tolist() == [3]
    assert labelled.notes[-1] == "BTS: left out 1 object without a magnitude that can be one"
    with pytest.raises(UnreadableError, match="2 objects without a magnitude that can be one"):
        bts.load(changed(tmp_path, points={"ant_mag": 99}))


@pytest.mark.parametrize(
    ("labels", "points", "message"),
    [
        ({"RA": None}, {}, "bts_labels.csv: the column RA is missing; found ZTFID"),
        ({}, {"ant_mag": None, "ant_mjd": None}, "bts_light_curves.csv.gz: the columns ant_mjd, ant_mag are missing"),
        ({"ZTFID": None}, {}, "bts_labels.csv: a column whose name ends in ID must name the objects as"),
        ({"RA": ["361", "1", "1"]}, {}, "bts_labels.csv, line 2: RA must be right ascension, -180 to 360 degrees"),
        ({"Dec": ["1", "95:00:00", "1"]}, {}, "bts_labels.csv, line 3: Dec must be declination, -90 to 90 degrees"),
        (
            {"Dec": ["1", "05:60:00", "1"]},
            {},
            "bts_labels.csv, line 3: Dec must be degrees, or ±dd:mm:ss, found '05:60",
        ),
        ({}, {"ant_mag": ["18.5", *["bright"] * 12]}, "bts_light_curves.csv.gz, line 3: ant_mag must be a number"),
        (
            {"type": "nova"},
            {},
            "must be objects with a known type and points, found none (BTS: left out 3 objects of the type 'nova'",
        ),
    ],
)
def test_what_cannot_be_is_refused(tmp_path: Path, labels: dict, points: dict, message: str) -> None:
    with pytest.raises(UnreadableError) as raised:
        bts.load(changed(tmp_path, labels=labels, points=points))
    assert message in str(raised.value)


def test_a_name_of_no_survey_is_refused(tmp_path: Path) -> None:
    names = ["Q1", "Q2", "Q3"]
    folder = changed(tmp_path, labels={"ZTFID": names}, points={"ZTFID": np.repeat(names, [7, 4, 2])})
    with pytest.raises(UnreadableError, match=r"bts_labels\.csv, line 2: ZTFID must be a name that the survey gives"):
        bts.load(folder)


def test_rows_that_nobody_uses_refuse_nothing(tmp_path: Path) -> None:
    folder = changed(tmp_path, labels={"RA": ["1", "2", "-"]}, points={"ant_mjd": [*[59278.0] * 11, "x", "y"]})
    assert bts.load(folder).light_curves.ra_deg.tolist() == [1.0, 2.0]


def test_a_file_that_is_cut_off_is_named(tmp_path: Path) -> None:
    file = changed(tmp_path) / bts.LIGHT_CURVES_FILE
    file.write_bytes(file.read_bytes()[:60])
    with pytest.raises(UnreadableError, match=r"bts_light_curves\.csv\.gz is not a CSV table that can be read"):
        bts.load(tmp_path)

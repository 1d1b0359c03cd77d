"""SNANA's FITS files say what its text says."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from astropy.table import Table

from models.datasets import snana_fits, sources
from models.datasets.labelled import NJY_PER_FLUXCAL, alerts
from models.datasets.reading import UnreadableError
from schemas.light_curves import BANDS
from tests.unit.models.datasets.faults import FAULTS


def head(**changed: object) -> dict:
    rows = {
        "SNID": ["11", "12", "13"],
        "RA": [10.0, 20.0, -5.0],
        "DEC": [-30.0, 0.0, 5.0],
        "PTROBS_MIN": [1, 4, 7],
        "PTROBS_MAX": [2, 5, 8],
        "SIM_TYPE_NAME": ["SNIa", "SNII", "nonsense"],
        "SIM_TEMPLATE_INDEX": [0, 7, 9],
        "SIM_REDSHIFT_HELIO": [0.3, 0.1, 0.2],
        "HOSTGAL_PHOTOZ": [0.31, -9.0, 0.2],
        "HOSTGAL_PHOTOZ_ERR": [0.02, -9.0, 0.1],
        "SIM_PEAKMJD": [57000.5, 57010.0, 57020.0],
        "SNTYPE": [1, -9, -9],
    }
    return rows | changed


def phot(**changed: object) -> dict:
    last = [0.0, 0.0, -777.0]
    rows = {
        "MJD": [57001.0, 57002.0, -777.0, 57011.0, 57012.0, -777.0, 57021.0, 57022.0, -777.0],
        "BAND": ["DES-g", "r", "-", "i", "Y", "-", "g", "g", "-"],
        "FLUXCAL": [100.0, 5.0, *last[2:], 60.0, 2.0, *last[2:], 50.0, 50.0, *last[2:]],
        "FLUXCALERR": [4.0, 3.0, *last[2:], 5.0, 5.0, *last[2:], 5.0, 5.0, *last[2:]],
    }
    return rows | changed


def written(folder: Path, heads: dict, points: dict) -> Path:
    Table(heads).write(folder / "SIM_HEAD.FITS", format="fits")
    Table(points).write(folder / "SIM_PHOT.FITS", format="fits")
    return folder


def test_objects_points_and_truth(tmp_path: Path) -> None:
    labelled = sources.load(str(written(tmp_path, head(), phot())))
    assert labelled.class_id.tolist() == [2222, 2224], "nonsense is no type"
    curves = labelled.light_curves
    assert curves.n_points.tolist() == [2, 2]
    np.testing.assert_allclose(curves.flux_njy, np.array([100.0, 5.0, 60.0, 2.0]) * NJY_PER_FLUXCAL)
    assert [BANDS[b] for b in curves.band] == ["g", "r", "i", "y"]
    assert curves.is_detection.tolist() == [True, False, True, False]
    np.testing.assert_allclose(curves.host_photoz, [0.31, np.nan], rtol=1e-6)
    assert curves.ra_deg.tolist() == [10.0, 20.0]
    truth = labelled.truth
    assert truth.name.tolist() == ["11", "12"]
    assert truth.redshift.tolist() == [0.3, 0.1]
    assert truth.spectroscopic.tolist() == [True, False]
    assert truth.template[1] == 7
    assert truth.template[0] != 7
    assert truth.peak_mjd.tolist() == [57000.5, 57010.0]


def test_flags_tell_detections_where_there_are_any(tmp_path: Path) -> None:
    flags = [0, 4096, 0, 4096, 0, 0, 0, 0, 0]
    labelled = snana_fits.load(written(tmp_path, head(), phot(PHOTFLAG=flags)))
    assert labelled.light_curves.is_detection.tolist() == [False, True, True, False]


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    heads = head()
    del heads["PTROBS_MAX"]
    with pytest.raises(ValueError, match=r"SIM_HEAD\.FITS: the column PTROBS_MAX is missing; found SNID"):
        snana_fits.load(written(tmp_path, heads, phot()))
    (tmp_path / "SIM_PHOT.FITS").unlink()
    with pytest.raises(LookupError, match=r"SIM_PHOT\.FITS is missing"):
        snana_fits.load(tmp_path)


def test_without_known_objects(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"2 objects of the type 'a', .*; .* 1 object without a simulated type"):
        snana_fits.load(written(tmp_path, head(SIM_TYPE_NAME=["a", "a", ""]), phot()))


def test_files_that_count_their_objects_alike_have_objects_of_their_own() -> None:
    labelled = sources.load(str(FAULTS / "s3_repeated"))
    assert labelled.truth.name.tolist() == ["MODEL1/11", "MODEL1/12", "MODEL2/11", "MODEL2/12"]
    assert labelled.class_id.tolist() == [2222, 2222, 2224, 2224]
    assert len(set(labelled.light_curves.object_id.tolist())) == 4
    stream = alerts(labelled)
    assert len(stream) == len(set(stream.alert_id.tolist())) == 8


def test_rows_beyond_the_end_are_refused_with_file_and_object() -> None:
    with pytest.raises(
        UnreadableError, match=r"A_HEAD\.FITS, object 12: .* which has 3, found 4 to 5: the file may be"
    ):
        sources.load(str(FAULTS / "s7_short"))


def test_types_of_the_taxonomy_are_read() -> None:
    assert sources.load(str(FAULTS / "s8_types")).class_id.tolist() == [2222, 2232, 2243, 2224]


def test_names_need_not_be_numbers() -> None:
    assert sources.load(str(FAULTS / "s9_named")).truth.name.tolist() == ["2006D", "PS0909006"]


def test_small_letters_and_gzip(tmp_path: Path) -> None:
    folder = written(tmp_path, head(), phot())
    whole = snana_fits.load(folder)
    for part in ("HEAD", "PHOT"):
        data = (folder / f"SIM_{part}.FITS").read_bytes()
        (folder / f"SIM_{part}.FITS.gz").write_bytes(gzip.compress(data))
    assert len(snana_fits.load(folder)) == len(whole), "a file that is there twice is read once"
    for part in ("HEAD", "PHOT"):
        (folder / f"SIM_{part}.FITS").unlink()
        (folder / f"SIM_{part}.FITS.gz").rename(folder / f"sim_{part.lower()}.fits.gz")
    again = sources.load(str(folder))
    np.testing.assert_array_equal(again.light_curves.flux_njy, whole.light_curves.flux_njy)
    assert again.truth.name.tolist() == whole.truth.name.tolist()


@pytest.mark.parametrize(
    ("heads", "points", "message"),
    [
        ({}, {"MJD": [2457001.5, *[57000.0] * 8]}, "SIM_PHOT.FITS, row 1, object 11: MJD must be a time, MJD TAI"),
        ({}, {"FLUXCAL": ["bright"] * 9}, "SIM_PHOT.FITS, row 1: FLUXCAL must be a number, found 'bright', and 8 more"),
        (
            {"PTROBS_MIN": [1, 2, 7]},
            {},
            "SIM_HEAD.FITS, object 12: its rows of SIM_PHOT.FITS must be of no other object",
        ),
        ({"PTROBS_MIN": [0, 4, 7]}, {}, "SIM_HEAD.FITS, object 11: PTROBS_MIN must be the number of a row"),
        ({"PTROBS_MIN": [1.5, 4, 7]}, {}, "SIM_HEAD.FITS, object 11: PTROBS_MIN must be the number of a row"),
        ({"DEC": [91.0, 0, 0]}, {}, "SIM_HEAD.FITS, object 11: DEC must be declination, -90 to 90 degrees, found 91.0"),
        ({"SNID": ["11", "", "13"]}, {}, "SIM_HEAD.FITS, row 2: SNID must be the object's name, found nothing"),
        ({"SNID": ["11", "11", "13"]}, {}, "SNID must be another for each object of a file, found SIM/11 2 times"),
        ({"SIM_PEAKMJD": ["late"] * 3}, {}, "SIM_HEAD.FITS, object 11: SIM_PEAKMJD must be a number, found 'late'"),
    ],
)
def test_values_that_cannot_be_are_refused(tmp_path: Path, heads: dict, points: dict, message: str) -> None:
    with pytest.raises(UnreadableError) as raised:
        snana_fits.load(written(tmp_path, head(**heads), phot(**points)))
    assert message in str(raised.value)


@pytest.mark.filterwarnings("ignore")  # the library warns before it raises
def test_a_file_that_is_cut_off_is_named(tmp_path: Path) -> None:
    file = written(tmp_path, head(), phot()) / "SIM_PHOT.FITS"
    file.write_bytes(file.read_bytes()[:5000])
    with pytest.raises(UnreadableError, match=r"SIM_PHOT\.FITS is not a FITS table"):
        snana_fits.load(tmp_path)

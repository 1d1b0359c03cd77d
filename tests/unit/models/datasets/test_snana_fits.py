"""SNANA's FITS files say what its text says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from astropy.table import Table

from models.datasets import snana_fits, sources
from models.datasets.labelled import NJY_PER_FLUXCAL
from schemas.light_curves import BANDS


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
    found = sources.load(str(written(tmp_path, head(), phot())))
    assert found.class_id.tolist() == [2222, 2224], "nonsense is no type"
    curves = found.light_curves
    assert curves.n_points.tolist() == [2, 2]
    np.testing.assert_allclose(curves.flux_njy, np.array([100.0, 5.0, 60.0, 2.0]) * NJY_PER_FLUXCAL)
    assert [BANDS[b] for b in curves.band] == ["g", "r", "i", "y"]
    assert curves.is_detection.tolist() == [True, False, True, False]
    np.testing.assert_allclose(curves.host_photoz, [0.31, np.nan], rtol=1e-6)
    assert curves.ra_deg.tolist() == [10.0, 20.0]
    truth = found.truth
    assert truth.name.tolist() == ["11", "12"]
    assert truth.redshift.tolist() == [0.3, 0.1]
    assert truth.spectroscopic.tolist() == [True, False]
    assert truth.template[1] == 7
    assert truth.template[0] != 7
    assert truth.peak_mjd.tolist() == [57000.5, 57010.0]


def test_flags_tell_detections_where_there_are_any(tmp_path: Path) -> None:
    flags = [0, 4096, 0, 4096, 0, 0, 0, 0, 0]
    found = snana_fits.load(written(tmp_path, head(), phot(PHOTFLAG=flags)))
    assert found.light_curves.is_detection.tolist() == [False, True, True, False]


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    heads = head()
    del heads["PTROBS_MAX"]
    with pytest.raises(ValueError, match=r"SIM_HEAD\.FITS: the columns PTROBS_MAX are missing; found SNID"):
        snana_fits.load(written(tmp_path, heads, phot()))
    (tmp_path / "SIM_PHOT.FITS").unlink()
    with pytest.raises(LookupError, match=r"SIM_PHOT\.FITS is missing"):
        snana_fits.load(tmp_path)


def test_without_known_objects(tmp_path: Path) -> None:
    with pytest.raises(LookupError, match="found none"):
        snana_fits.load(written(tmp_path, head(SIM_TYPE_NAME=["a", "b", "c"]), phot()))

"""What convert writes of a set is read back, with any name and position; what no reader takes is left out and told."""

from __future__ import annotations

import gzip
import tempfile
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from astropy.table import Table
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.datasets import bts, snana, snana_fits, stream_files
from models.datasets.labelled import Labelled, alerts
from schemas import packets

MOST = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
NAMES = st.one_of(
    st.sampled_from(["0", "1", "000651", "NA", "1e5", "-1", "δCep", "J0123−4500", "9223372036854775808", "²", "१"]),
    st.integers(0, 2**64).map(str),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=8).filter(
        lambda name: name.split() == [name]
    ),
)
ZTF_NAMES = st.tuples(st.integers(0, 99), st.text("abcdefghijklmnopqrstuvwxyz", min_size=7, max_size=7)).map(
    lambda pair: f"ZTF{pair[0]:02d}{pair[1]}"
)
DEGREES = st.tuples(
    st.one_of(st.sampled_from([0.0, -0.0, 360.0, 359.99999999999994, -180.0, -1e-300]), st.floats(-180, 360)),
    st.one_of(st.sampled_from([-90.0, 90.0]), st.floats(-90, 90)),
)


def read_back(labelled: Labelled) -> None:
    """Convert the set and read what was written."""
    stream = alerts(labelled)
    placed = np.isfinite(stream.ra_deg)
    with tempfile.TemporaryDirectory() as folder:
        if not placed.any():
            with pytest.raises(ValueError, match=r"must have a position, .* add the columns ra_deg and dec_deg"):
                stream_files.write(labelled, Path(folder))
            assert not list(Path(folder).iterdir())
            return
        written = stream_files.write(labelled, Path(folder))
        table = pq.read_table(Path(folder) / stream_files.ALERTS_FILE)
        truth = pq.read_table(Path(folder) / stream_files.TRUTH_FILE)
    assert (written.alerts, written.left_out) == (placed.sum(), (~placed).sum())
    assert ("without a position" in written.reason) == (written.left_out > 0)
    curves, dead = packets.read(table["message"].to_pylist())
    assert dead == []
    expected = stream.select(placed)
    for name in ("alert_id", "object_id", "alert_mjd"):
        assert table[name].to_pylist() == getattr(curves, name).tolist() == getattr(expected, name).tolist()
    for name in ("ra_deg", "dec_deg", "n_points", "band"):
        assert getattr(curves, name).tolist() == getattr(expected, name).tolist(), name
    np.testing.assert_allclose(curves.flux_njy, expected.flux_njy, rtol=1e-6)
    assert ((curves.ra_deg >= 0) & (curves.ra_deg < 360)).all()
    assert truth["object_id"].to_pylist() == labelled.light_curves.object_id.tolist()
    assert set(table["object_id"].to_pylist()) <= set(truth["object_id"].to_pylist())


@given(
    st.lists(NAMES, min_size=1, max_size=3, unique=True),
    st.lists(st.one_of(DEGREES, st.sampled_from([(-9.0, -9.0), (-999.0, -999.0), ("nan", 5.0)])), min_size=3),
    st.lists(st.floats(20, 1e5), min_size=2, max_size=4),
)
@MOST
def test_what_is_written_of_snana_text(
    names: list[str], places: list[tuple[float, float]], fluxes: list[float]
) -> None:
    points = "".join(f"OBS: {56_200 + day} r NULL {flux} 2.0 0\n" for day, flux in enumerate(fluxes))
    with tempfile.TemporaryDirectory() as folder:
        for number, (name, (ra, dec)) in enumerate(zip(names, places, strict=False)):
            head = f"SNID: {name}\nRA: {ra} deg\nDECL: {dec} deg\nSIM_TYPE_NAME: SNIa\nNOBS: {len(fluxes)}\n"
            text = f"{head}VARLIST: MJD FLT FIELD FLUXCAL FLUXCALERR PHOTFLAG\n{points}END:\n"
            (Path(folder) / f"{number}.DAT").write_text(text, encoding="utf-8")
        labelled = snana.load(Path(folder))
    assert labelled.truth.name.tolist() == names
    read_back(labelled)


@given(st.lists(DEGREES, min_size=2, max_size=2), st.sampled_from([(-9.0, -9.0), (np.nan, 0.0), (360.0, 0.0)]))
@MOST
def test_what_is_written_of_snana_fits(places: list[tuple[float, float]], third: tuple[float, float]) -> None:
    ra, dec = np.transpose([*places, third])
    head = {"SNID": ["7", "a" * 12, "000651"], "RA": ra, "DEC": dec, "SIM_TYPE_NAME": ["SNIa", "KN_K17", "SNIIn"]}
    head |= {"PTROBS_MIN": [1, 3, 5], "PTROBS_MAX": [2, 4, 6]}
    phot = {"MJD": 57_000.0 + np.arange(6), "BAND": ["g", "r"] * 3, "FLUXCAL": [90.0] * 6, "FLUXCALERR": [3.0] * 6}
    with tempfile.TemporaryDirectory() as folder:
        for part, columns in (("HEAD", head), ("PHOT", phot)):
            Table(columns).write(Path(folder) / f"SIM_{part}.FITS", format="fits")
        labelled = snana_fits.load(Path(folder))
    assert labelled.truth.name.tolist() == head["SNID"]
    read_back(labelled)


@given(
    st.lists(ZTF_NAMES, min_size=1, max_size=3, unique=True),
    st.lists(st.one_of(DEGREES, st.sampled_from([("", ""), ("nan", 5.0), ("08:41:22.68", "-02:53:23.3")])), min_size=3),
    st.lists(st.floats(14, 21), min_size=2, max_size=4),
)
@MOST
def test_what_is_written_of_bts(names: list[str], places: list[tuple[float, float]], magnitudes: list[float]) -> None:
    labels = ["ZTFID,IAUID,RA,Dec,type"]
    labels += [f"{name},,{ra},{dec},SN Ia" for name, (ra, dec) in zip(names, places, strict=False)]
    points = ["ZTFID,ant_mjd,ant_passband,ant_mag,ant_magerr"]
    points += [f"{name},{59_278 + day},g,{mag},0.1" for name in names for day, mag in enumerate(magnitudes)]
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / bts.LABELS_FILE).write_text("\n".join(labels))
        gzipped = gzip.compress("\n".join(points).encode())
        (Path(folder) / bts.LIGHT_CURVES_FILE).write_bytes(gzipped)
        labelled = bts.load(Path(folder))
    assert labelled.truth.name.tolist() == names
    read_back(labelled)

"""What is written as a table is read as it was, in every format; or the writer refuses it in one line."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.datasets import table, table_files
from models.datasets.labelled import Labelled
from models.datasets.truth import Truth
from schemas.light_curves import FLUX_LIMIT_NJY, LightCurves
from schemas.photometry import LEAST_FLUX_ERR_NJY
from schemas.taxonomy import TAXONOMY

ANY_TEXT = (".parquet", ".csv", ".csv.gz", ".h5", ".hdf5")
SOME_TEXT = (".ecsv", ".fits", ".arff")
IDS = ("NA", "None", "nan", "--", "?", "1e5", "12e4", "1.20e5", "000651", "651", "-0", "True", "9223372036854775807")
NAMES = st.one_of(
    st.sampled_from(IDS),
    st.integers(0, 2**64 - 1).map(str),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=8),
    st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=8),
)
FLUXES = st.floats(-FLUX_LIMIT_NJY, FLUX_LIMIT_NJY, exclude_min=True, exclude_max=True)
ERRORS = st.floats(LEAST_FLUX_ERR_NJY, FLUX_LIMIT_NJY, exclude_max=True)
PLACES = st.one_of(st.just((np.nan, np.nan)), st.tuples(st.floats(0, 360, exclude_max=True), st.floats(-90, 90)))
REDSHIFTS = st.one_of(st.just(np.nan), st.floats(0, 10, width=32))


@st.composite
def light_curves(draw: st.DrawFn, names: st.SearchStrategy[str] = NAMES) -> Labelled:
    """One to four objects with one to three points each."""
    name = draw(st.lists(names, min_size=1, max_size=4, unique=True))
    n = len(name)
    owner = np.repeat(np.arange(n), draw(st.lists(st.integers(1, 3), min_size=n, max_size=n)))
    m = len(owner)
    place = draw(st.lists(PLACES, min_size=n, max_size=n))
    columns = {
        "time_mjd": 6e4 + np.arange(m) + draw(st.floats(0, 0.9)),
        "flux_njy": draw(st.lists(FLUXES, min_size=m, max_size=m)),
        "flux_err_njy": draw(st.lists(ERRORS, min_size=m, max_size=m)),
        "band": draw(st.lists(st.integers(0, 5), min_size=m, max_size=m)),
        "is_detection": draw(st.lists(st.booleans(), min_size=m, max_size=m)),
    }
    alerts = {
        "alert_id": np.arange(n),
        "object_id": draw(st.lists(st.integers(1, 2**63 - 1), min_size=n, max_size=n, unique=True)),
        "alert_mjd": np.full(n, 7e4),
        "ra_deg": [ra for ra, _ in place],
        "dec_deg": [dec for _, dec in place],
        "survey": np.zeros(n),
        "schema_id": np.zeros(n),
        "is_solar_system": np.zeros(n, bool),
        "reliability": np.full(n, np.nan),
        "host_photoz": draw(st.lists(REDSHIFTS, min_size=n, max_size=n)),
        "host_photoz_err": draw(st.lists(REDSHIFTS, min_size=n, max_size=n)),
    }
    curves = LightCurves.from_points(alert=owner, columns=columns, alerts=alerts)
    class_id = draw(st.lists(st.sampled_from(sorted(TAXONOMY)), min_size=n, max_size=n))
    return Labelled(curves, np.array(class_id), "made up", "0" * 64, Truth.of(n, name=name))


def require_the_same(given_curves: Labelled, read: Labelled) -> None:
    order = np.argsort(given_curves.truth.name)
    assert read.truth.name.tolist() == given_curves.truth.name[order].tolist()
    assert read.class_id.tolist() == given_curves.class_id[order].tolist()
    expected = given_curves.light_curves.select(order)
    names = ("offsets", "time_mjd", "flux_njy", "flux_err_njy", "band", "is_detection")
    for name in (*names, "ra_deg", "dec_deg", "host_photoz", "host_photoz_err"):
        np.testing.assert_array_equal(getattr(read.light_curves, name), getattr(expected, name), err_msg=name)


def written_and_read(labelled: Labelled, ending: str) -> Labelled | None:
    """What is read of what was written; None where the writer refused, which must take one line and leave nothing."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"own{ending}"
        refusal = ""
        try:
            table.write(labelled, file)
        except ValueError as error:
            refusal = str(error)
        if not refusal:
            return table.load(file)
        assert "\n" not in refusal
        assert not list(Path(folder).iterdir())
        return None


@pytest.mark.parametrize("ending", ANY_TEXT)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(labelled=light_curves())
def test_any_name_and_any_value(labelled: Labelled, ending: str) -> None:
    read = written_and_read(labelled, ending)
    assert read is not None
    require_the_same(labelled, read)


@pytest.mark.parametrize("ending", SOME_TEXT)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(labelled=light_curves())
def test_or_refused_by_the_writer(labelled: Labelled, ending: str) -> None:
    read = written_and_read(labelled, ending)
    if read is not None:
        require_the_same(labelled, read)


@pytest.mark.parametrize("ending", SOME_TEXT)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(labelled=light_curves(st.from_regex(r"[A-Za-z0-9_+.-][A-Za-z0-9_ +.-]{0,8}[A-Za-z0-9]", fullmatch=True)))
def test_plain_names_are_never_refused(labelled: Labelled, ending: str) -> None:
    read = written_and_read(labelled, ending)
    assert read is not None
    require_the_same(labelled, read)


@pytest.mark.parametrize("ending", sorted(table_files.WRITERS))
def test_objects_that_share_a_name_stay_apart(ending: str) -> None:
    curves = _of_names(["x", "x", "y"])
    read = written_and_read(curves, ending)
    assert read is not None
    assert read.truth.name.tolist() == ["x 1", "x 2", "y"]


def _of_names(names: list[str]) -> Labelled:
    n = len(names)
    alerts = {"alert_id": np.arange(n), "object_id": np.arange(1, n + 1), "alert_mjd": np.full(n, 7e4)}
    alerts |= {"ra_deg": np.full(n, np.nan), "dec_deg": np.full(n, np.nan), "survey": np.zeros(n)}
    alerts |= {"schema_id": np.zeros(n), "is_solar_system": np.zeros(n, bool), "reliability": np.full(n, np.nan)}
    columns = {"time_mjd": np.full(n, 6e4), "flux_njy": np.full(n, 9.0), "flux_err_njy": np.ones(n)}
    columns |= {"band": np.ones(n), "is_detection": np.ones(n, bool)}
    curves = LightCurves.from_points(alert=np.arange(n), columns=columns, alerts=alerts)
    return Labelled(curves, np.full(n, 2222), "made up", "0" * 64, Truth.of(n, name=names))


@pytest.mark.parametrize("name", ['0"', '"0', '"0"', "#c", "c\rd", "x ", "a\nb", "'"])
@pytest.mark.parametrize("ending", sorted(table_files.WRITERS))
def test_a_name_that_would_be_read_as_another_is_refused(ending: str, name: str) -> None:
    read = written_and_read(_of_names([name]), ending)
    assert read is None or read.truth.name.tolist() == [name]


def test_what_no_table_may_hold_is_refused_by_the_writer() -> None:
    assert written_and_read(_of_names(["x" * 256]), ".csv") is None
    assert written_and_read(_of_names([]), ".csv") is None

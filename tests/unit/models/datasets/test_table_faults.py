"""Tables that went wrong once, with what is right; each stands for a kind of fault."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.datasets import table
from models.datasets.labelled import Labelled
from models.datasets.reading import UnreadableError

FAULTS = Path(__file__).resolve().parents[3] / "data" / "faults"
FLUX_NJY = {"a": [500.0, 620.0, -20.0], "b": [90.0, 1500.0]}


def fluxes(labelled: Labelled) -> dict[str, list[float]]:
    curves = labelled.light_curves
    parts = np.split(curves.flux_njy, curves.offsets[1:-1])
    return {str(name): part.tolist() for name, part in zip(labelled.truth.name, parts, strict=True)}


def refusal(name: str) -> str:
    with pytest.raises(UnreadableError) as raised:
        table.load(FAULTS / name)
    return str(raised.value).replace(str(FAULTS / name), "FILE")


@pytest.mark.parametrize(
    "name",
    ["t2_decimal.parquet", "t3_category.parquet", "t8_nested_extra.parquet", "t13_tdisp.fits", "t10_index.parquet"],
)
def test_a_column_is_used_as_it_was_checked_and_one_that_nobody_reads_refuses_nothing(name: str) -> None:
    assert fluxes(table.load(FAULTS / name)) == FLUX_NJY


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("t4s_ids.csv", {"000651": [500, 600], "651": [50, 60]}),
        ("t4e_ids.csv", {"1.20e5": [60], "120000": [50], "12e4": [500, 600]}),
        ("t5_na.csv", {"NA": [500, 620, -20], "None": [90, 1500]}),
    ],
)
def test_names_stay_as_they_are_written(name: str, expected: dict[str, list[float]]) -> None:
    assert fluxes(table.load(FAULTS / name)) == expected


def test_in_a_long_file_no_object_is_split(tmp_path: Path) -> None:
    """A library that guesses types a chunk at a time reads 00000 as a number first, and as a name later."""
    file, n = tmp_path / "long.csv", 300_000
    with file.open("w") as out:
        out.write("object,time_mjd,band,flux_njy,flux_err_njy\n")
        for half, start in ((0, 60000), (1, 60700)):
            for k in range(n):
                name = ("PS" if half and k % 50 == 49 else "") + f"{k % 50:05d}"
                out.write(f"{name},{start + k // 50 * 0.1:.4f},{'gri'[k % 3]},{100 + k % 7}.5,5.0\n")
    labelled = table.load(file)
    assert len(labelled) == 51
    assert len(np.unique(labelled.light_curves.object_id)) == 51
    count = dict(zip(labelled.truth.name.tolist(), labelled.light_curves.n_points.tolist(), strict=True))
    assert count["00000"] == 12_000
    assert sum(count.values()) == 600_000
    assert sorted(count) == sorted({f"{k:05d}" for k in range(50)} | {"PS00049"})


def test_a_missing_class_is_refused_with_its_row() -> None:
    assert refusal("t11_masked.fits") == (
        "FILE, row 4: class must be a class of the taxonomy: its name, slug or id, found nothing, and 1 more like it"
    )


@pytest.mark.parametrize("ending", [".parquet", ".csv", ".fits", ".h5", ".hdf5", ".arff"])
@pytest.mark.parametrize(
    ("name", "ra_deg"), [("t6_noradec.csv", [np.nan, np.nan]), ("t6b_someradec.csv", [10, np.nan])]
)
def test_missing_positions_are_written_and_read(name: str, ra_deg: list[float], ending: str, tmp_path: Path) -> None:
    table.write(table.load(FAULTS / name), tmp_path / f"x{ending}")
    labelled = table.load(tmp_path / f"x{ending}")
    assert fluxes(labelled) == FLUX_NJY
    np.testing.assert_array_equal(labelled.light_curves.ra_deg, ra_deg)
    np.testing.assert_array_equal(labelled.light_curves.dec_deg, -0.5 * np.array(ra_deg))
    assert labelled.truth.on_sky.tolist() == np.isfinite(ra_deg).tolist()


@pytest.mark.parametrize("ending", [".parquet", ".csv", ".h5"])
def test_names_of_any_script_are_written(ending: str, tmp_path: Path) -> None:
    table.write(table.load(FAULTS / "t7_unicode.csv"), tmp_path / f"x{ending}")
    assert list(fluxes(table.load(tmp_path / f"x{ending}"))) == ["J0123−4500", "δ Cep"]


@pytest.mark.parametrize("ending", [".fits", ".arff"])
def test_or_refused_where_the_format_cannot_hold_them(ending: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"holds texts of printable ASCII .* found 'J0123−4500' as object") as raised:
        table.write(table.load(FAULTS / "t7_unicode.csv"), tmp_path / f"x{ending}")
    assert "\n" not in str(raised.value)
    assert not list(tmp_path.iterdir())


def test_a_repeated_point_is_told() -> None:
    labelled = table.load(FAULTS / "t9_same_mjd.csv")
    assert fluxes(labelled) == {"a": [500, -20], "b": [90, 1500]}
    assert labelled.notes == (
        f"{FAULTS / 't9_same_mjd.csv'}: 1 point is left out, of the same object, time and band as an earlier one; the "
        "first is that of a in line 3",
    )


@pytest.mark.parametrize("name", ["t14_bom.csv", "t26_blank.csv"])
def test_a_line_is_the_line_of_the_file(name: str) -> None:
    assert refusal(name) == "FILE, line 6: band must be one of u g r i z y, found 'q'"


def test_a_unit_is_converted() -> None:
    found = fluxes(table.load(FAULTS / "t23_units.fits"))
    for name, expected in FLUX_NJY.items():
        np.testing.assert_allclose(found[name], expected)

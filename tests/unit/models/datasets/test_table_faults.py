"""Tables that went wrong once, with what is right; each stands for a kind of fault."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.datasets import sources, table, table_files
from models.datasets.labelled import Labelled
from models.datasets.reading import UnreadableError
from tests.command_line import gueststar

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
        "FILE, row 4: class must be a class of the taxonomy, by name or id: Ia, Ib/c, II, Iax, 91bg, KN, M-dwarf "
        "Flare, Dwarf Novae, uLens, SLSN, TDE, ILOT, CART, PISN, Cepheid, RR Lyrae, Delta Scuti, EB, LPV/Mira, AGN, or "
        "a group of them, found nothing, and 1 more like it"
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
    labelled = fluxes(table.load(FAULTS / "t23_units.fits"))
    for name, expected in FLUX_NJY.items():
        np.testing.assert_allclose(labelled[name], expected)


@pytest.mark.parametrize("ending", [".fits", ".h5", ".parquet"])
def test_units_and_masks_as_astropy_writes_them(ending: str, tmp_path: Path) -> None:
    from astropy import units
    from astropy.table import MaskedColumn, QTable

    curves = QTable(
        {
            "object": MaskedColumn(["a", "a", "b"], mask=[False, False, True]),
            "time_mjd": [6e4, 6e4 + 1, 6e4] * units.day,
            "band": ["g", "r", "g"],
            "flux_njy": [0.5, 0.6, 0.7] * units.uJy,
            "flux_err_njy": [1e-5, 1e-5, 1e-5] * units.mJy,
            "ra_deg": [30.0, 30.0, 45.0] * units.deg,
            "dec_deg": [0.1, 0.1, 0.2] * units.rad,
        }
    )
    if ending != ".fits":  # whose own units have none for hours
        curves["ra_deg"] = curves["ra_deg"].to(units.hourangle)
    options = {".h5": {"path": "light_curves", "serialize_meta": True}}.get(ending, {})
    for rows, file in ((2, "whole"), (3, "masked")):
        part = curves[:rows]
        part.write(tmp_path / f"{file}{ending}", **options)
    labelled = table.load(tmp_path / f"whole{ending}")
    np.testing.assert_allclose(fluxes(labelled)["a"], [500, 600])
    np.testing.assert_allclose(labelled.light_curves.flux_err_njy, [10, 10])
    np.testing.assert_allclose(labelled.light_curves.ra_deg, [30])
    np.testing.assert_allclose(labelled.light_curves.dec_deg, [np.degrees(0.1)])
    with pytest.raises(UnreadableError, match=rf"masked\{ending}, row 3: object must be .*, found nothing$"):
        table.load(tmp_path / f"masked{ending}")


@pytest.mark.parametrize(("column", "unit"), [("flux_njy", "adu"), ("flux_njy", "mag(AB)"), ("time_mjd", "FLUXCAL")])
def test_a_unit_that_does_not_convert_is_named(column: str, unit: str, tmp_path: Path) -> None:
    from astropy.io import fits

    with fits.open(FAULTS / "t23_units.fits") as file:
        file[1].columns[column].unit = unit
        file.writeto(tmp_path / "own.fits")
    with pytest.raises(UnreadableError, match=rf"own\.fits: {column} must be .*, found the unit '{unit[:3]}"):
        table.load(tmp_path / "own.fits")


@pytest.mark.parametrize("column", ["object", "class", "time_mjd", "band", "flux_njy"])
@pytest.mark.parametrize("ending", [".parquet", ".csv"])
def test_what_is_missing_is_refused_with_its_row(column: str, ending: str, tmp_path: Path) -> None:
    points = table.to_table(table.load(FAULTS / "t6b_someradec.csv"))
    points[column] = points[column].astype(object).where(points.index != 3, None)
    table_files.write(points, tmp_path / f"own{ending}")
    row = "line 5" if ending == ".csv" else "row 4"
    with pytest.raises(UnreadableError, match=rf"own\{ending}, {row}: {column} must be .*, found nothing$"):
        table.load(tmp_path / f"own{ending}")


def test_a_column_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text("object,time_mjd,band,band,flux_njy,flux_err_njy\na,60000.5,g,r,500,10\n")
    with pytest.raises(UnreadableError, match=r"the column band must be there once, found it 2 times"):
        table.load(tmp_path / "own.csv")


def test_a_line_that_is_cut_is_named(tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text("object,time_mjd,band,flux_njy,flux_err_njy\n\na,60000.5,g,500,10\na,600")
    with pytest.raises(UnreadableError, match=r"own\.csv, line 4: each line must have 5 cells as the first, found 2"):
        table.load(tmp_path / "own.csv")


def test_half_a_position_is_refused(tmp_path: Path) -> None:
    lines = (FAULTS / "t6b_someradec.csv").read_text().replace("10.0,-5.0", "10.0,")
    (tmp_path / "own.csv").write_text(lines)
    with pytest.raises(UnreadableError, match=r"ra_deg and dec_deg must both be there or both be missing"):
        table.load(tmp_path / "own.csv")


def told(file: Path) -> str:
    """What the reader says of a file, without its name."""
    with pytest.raises(UnreadableError) as raised:
        table.load(file)
    return str(raised.value).replace(str(file), "FILE")


HEADER = "object,time_mjd,band,flux_njy,flux_err_njy\n"


def test_what_is_no_table_of_its_kind_says_what_is_wanted(tmp_path: Path) -> None:
    import h5py

    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["other"] = [1]
    assert told(tmp_path / "x.h5").endswith("a table of columns must lie at light_curves, found other")
    with h5py.File(tmp_path / "y.h5", "w") as file:
        file.create_group("light_curves")
    assert told(tmp_path / "y.h5").endswith("a table of columns must lie at light_curves, found light_curves")
    for text in ("", "nothing of the kind\n"):
        (tmp_path / "x.arff").write_text(text)
        assert "it must hold @relation, @attribute and @data lines" in told(tmp_path / "x.arff")
    (tmp_path / "x.csv").write_text(HEADER, encoding="utf-16")
    assert told(tmp_path / "x.csv") == "FILE must be UTF-8, found UTF-16: save it as UTF-8"


@pytest.mark.parametrize("name", ["x" * 200_000, "   "])
def test_a_name_is_short_and_not_blank(tmp_path: Path, name: str) -> None:
    (tmp_path / "x.csv").write_text(f"{HEADER}{name},60000,g,500,10\n")
    assert told(tmp_path / "x.csv").startswith("FILE")
    assert "object must be the object's name or number" in told(tmp_path / "x.csv")
    assert len(told(tmp_path / "x.csv")) < 300


def test_bytes_that_are_no_text_are_told_as_such(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = {"time_mjd": [6e4], "band": ["g"], "flux_njy": [5.0], "flux_err_njy": [1.0]}
    pq.write_table(pa.table({"object": pa.array([b"\xff\xfe"]), **columns}), tmp_path / "x.parquet")
    assert told(tmp_path / "x.parquet").endswith("found bytes that are not UTF-8 text")


def test_the_suffix_of_a_table_to_write_is_judged_first(tmp_path: Path) -> None:
    done = gueststar(tmp_path, "data", "export", "nowhere", "out.txt")
    assert done.stderr.startswith("gueststar: out.txt: a table's file must end in one of")


def test_a_link_that_leads_nowhere_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.csv").symlink_to("a.csv")
    with pytest.raises(LookupError, match=r"a\.csv is a link that leads nowhere"):
        sources.load(str(tmp_path / "a.csv"))


def test_a_damaged_gzip_file_is_told_and_not_searched_for_ever() -> None:
    assert "FILE" in refusal("t30_endless.fits.gz")

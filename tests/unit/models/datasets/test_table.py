"""A user's own light curves: written and read in every format, and refused with the column and the line."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.io import arff

from models.datasets import sources, table, table_files
from models.datasets.description import describe
from models.datasets.labelled import Labelled
from models.datasets.truth import Truth
from schemas.light_curves import POINT_COLUMNS
from tests.unit.features.made_curves import simulated

CLASSES = (2222, 2223, 2244)


@pytest.fixture
def labelled() -> Labelled:
    curves = simulated(6)
    names = np.array(["SN 2026a", "b-1", "c_2", "d", "e", "it's"])
    return Labelled(curves, np.resize(CLASSES, 6), "made up", "0" * 64, Truth.of(6, name=names))


def points(**changed: object) -> pd.DataFrame:
    rows = {"object": ["a", "a", "b"], "time_mjd": [6e4, 6e4 + 1, 6e4], "band": ["g", "r", "i"]}
    rows |= {"flux_njy": [500.0, -20.0, 90.0], "flux_err_njy": [10.0, 11.0, 12.0]}
    return pd.DataFrame(rows | changed)


@pytest.mark.parametrize("ending", sorted(table_files.WRITERS))
def test_what_is_written_is_read_again(labelled: Labelled, tmp_path: Path, ending: str) -> None:
    file = tmp_path / f"curves{ending}"
    table_files.write(table.to_table(labelled), file)
    read_back = sources.load(str(file))
    order = np.argsort(labelled.truth.name)
    assert read_back.truth.name.tolist() == labelled.truth.name[order].tolist()
    assert read_back.class_id.tolist() == labelled.class_id[order].tolist()
    expected = labelled.light_curves.select(order)
    np.testing.assert_array_equal(read_back.light_curves.offsets, expected.offsets)
    for name in POINT_COLUMNS:
        np.testing.assert_array_equal(getattr(read_back.light_curves, name), getattr(expected, name), err_msg=name)
    np.testing.assert_allclose(read_back.light_curves.ra_deg, expected.ra_deg)
    assert [file.name for file in tmp_path.iterdir()] == [file.name], "no draft is left"


def test_scipy_reads_the_arff(labelled: Labelled, tmp_path: Path) -> None:
    file = tmp_path / "curves.arff"
    table_files.write(table.to_table(labelled), file, "made up")
    data, meta = arff.loadarff(file)
    assert len(data) == len(labelled.light_curves.time_mjd)
    assert meta.types()[meta.names().index("flux_njy")] == "numeric"
    assert set(meta["band"][1]) <= set("ugrizy")


def test_without_classes_and_detections(tmp_path: Path) -> None:
    points().to_csv(tmp_path / "own.csv", index=False)
    labelled = table.load(tmp_path / "own.csv")
    assert labelled.class_id.tolist() == [300, 300]
    assert labelled.light_curves.is_detection.tolist() == [True, False, True]
    assert np.isnan(labelled.light_curves.host_photoz).all()


@pytest.mark.parametrize("given", ["Ia", "ia", 2222, "2222", 2222.0, "SN Ia", "SNIa-norm"])
def test_a_class_by_name_slug_or_id(tmp_path: Path, given: object) -> None:
    points(**{"class": [given] * 3}).to_parquet(tmp_path / "own.parquet")
    assert table.load(tmp_path / "own.parquet").class_id.tolist() == [2222, 2222]


@pytest.mark.parametrize(
    ("column", "values", "complaint"),
    [
        ("band", ["g", "q", "i"], "line 3: band must be one of u g r i z y, found 'q'"),
        (
            "flux_err_njy",
            [1.0, 2.0, 0.0],
            "line 4: flux_err_njy must be the flux's standard error in nJy, greater than 0",
        ),
        ("flux_njy", [1.0, float("nan"), 2.0], "line 3: flux_njy must be a difference flux in nJy"),
        ("flux_njy", ["1.0", "faint", "bright"], "found 'faint', and 1 more like it"),
        ("time_mjd", [2_460_000.5, 6e4, 6e4], "line 2: time_mjd must be a time, MJD TAI, between 10,000 and 100,000"),
        ("class", ["Ia", "Ia", "Ix"], "line 4: class must be a class of the taxonomy, by name or id: "),
        ("class", ["Ia", "Ia", "Ix"], "Ia, Ib/c, II, Iax, 91bg, "),
        ("time_mjd", [6e4, 2_460_000.5, 6e4], "found 2460000.5; it looks like a Julian Date: subtract 2,400,000.5"),
        ("class", ["Ia", "II", "II"], "line 3: class must be the same in all rows of the object a, found II after Ia"),
        ("is_detection", [1, 0, 7], "line 4: is_detection must be 1 or 0"),
        ("ra_deg", [10.0, 10.0, 400.0], "line 4: ra_deg must be right ascension, 0 to 360 degrees, found 400"),
    ],
)
def test_a_wrong_value_is_named_with_its_line(tmp_path: Path, column: str, values: list, complaint: str) -> None:
    points(**{column: values}).to_csv(tmp_path / "own.csv", index=False)
    with pytest.raises(ValueError, match=r"own\.csv") as raised:
        table.load(tmp_path / "own.csv")
    assert complaint in str(raised.value)


def test_a_missing_column_is_named_with_what_it_must_be(tmp_path: Path) -> None:
    points().drop(columns="band").to_csv(tmp_path / "own.csv", index=False)
    with pytest.raises(ValueError, match=r"the column band is missing \(one of u g r i z y\); found object, time_mjd"):
        table.load(tmp_path / "own.csv")


@pytest.mark.parametrize("ending", sorted(set(table_files.READERS) - {".csv"}))
def test_a_file_of_another_kind_is_refused(tmp_path: Path, ending: str) -> None:
    (tmp_path / f"own{ending}").write_bytes(b"object,band\n1,2\n")
    with pytest.raises(ValueError, match=f"is not a {ending} table"):
        table.load(tmp_path / f"own{ending}")


def test_another_ending_and_an_empty_table_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"must end in one of \.parquet"):
        table.load(tmp_path / "own.txt")
    points().iloc[:0].to_csv(tmp_path / "own.csv", index=False)
    with pytest.raises(ValueError, match="at least one row"):
        table.load(tmp_path / "own.csv")


def test_the_description_counts_what_the_table_has(labelled: Labelled, tmp_path: Path) -> None:
    points = table.to_table(labelled)
    table_files.write(points, tmp_path / "curves.csv")
    report = json.loads(json.dumps(describe(points, labelled, tmp_path / "curves.csv")))
    assert report["data_qualities"]["NumberOfInstances"] == len(points)
    assert report["data_qualities"]["NumberOfClasses"] == len(CLASSES)
    assert [one["name"] for one in report["data_features"] if one["is_target"]] == ["class"]
    assert report["data_set_description"]["format"] == "CSV"


ECSV = """# %ECSV 1.0
# ---
# datatype:
# - {name: object, datatype: string}
# - {name: time_mjd, unit: d, datatype: float64}
# - {name: band, datatype: string}
# - {name: flux_njy, unit: uJy, datatype: float64}
# - {name: flux_err_njy, unit: uJy, datatype: float64}
# - {name: host_photoz, datatype: float64}
# schema: astropy-2.0
object time_mjd band flux_njy flux_err_njy host_photoz
000651 60000.0 g 0.5 0.01 ""
000651 60001.0 r -0.02 0.011 ""
"SN b" 60000.0 i 0.09 0.012 0.3
"""


@pytest.mark.parametrize("ending", [".ecsv", ".ecsv.gz"])
def test_a_table_of_astropy_s_with_its_units_and_what_it_masks(tmp_path: Path, ending: str) -> None:
    file = tmp_path / f"own{ending}"
    file.write_bytes(gzip.compress(ECSV.encode()) if ending.endswith(".gz") else ECSV.encode())
    labelled = sources.load(str(file))
    assert labelled.truth.name.tolist() == ["000651", "SN b"]
    np.testing.assert_allclose(labelled.light_curves.flux_njy, [500.0, -20.0, 90.0])
    np.testing.assert_array_equal(labelled.light_curves.host_photoz, np.float32([np.nan, 0.3]))
    file.write_bytes(ECSV.replace("0.011", "0.0").encode())
    if ending == ".ecsv":
        with pytest.raises(ValueError, match=r"own\.ecsv, row 2: flux_err_njy must be .*, found 0.0 uJy"):
            table.load(file)


def test_a_gzipped_table_is_read_and_refused_by_its_line(tmp_path: Path) -> None:
    points().to_csv(tmp_path / "own.CSV.gz", index=False, compression="gzip")
    assert len(sources.load(str(tmp_path / "own.CSV.gz"))) == 2
    points(band=["g", "q", "i"]).to_csv(tmp_path / "own.csv.gz", index=False)
    with pytest.raises(ValueError, match=r"own\.csv\.gz, line 3: band must be one of u g r i z y, found 'q'"):
        table.load(tmp_path / "own.csv.gz")

"""features and convert take one's own tables, and do not end with 0 where they measured or wrote nothing."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from broker.commands.convert import KINDS, convert
from broker.commands.data import data
from broker.commands.features import features
from features.catalogue import NAMES
from models.datasets import sources, table, table_files
from schemas import packets

FAULTS = Path(__file__).resolve().parents[3] / "data" / "faults"

SNANA_TEXT = """SNID: {name}
RA: {ra}
DECL: 5.5
SIM_TYPE_NAME: SNIa
VARLIST: MJD FLT FLUXCAL FLUXCALERR
OBS: 56200.1 g 50.0 2.0
OBS: 56205.1 r 60.0 3.0
END:
"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GUESTSTAR_HOME", str(tmp_path / "home"))


@pytest.fixture
def every_format(tmp_path: Path) -> list[str]:
    """The same two objects in each format, one of them without a position."""
    labelled = table.load(FAULTS / "t6b_someradec.csv")
    files = [tmp_path / f"own{ending}" for ending in sorted(table_files.WRITERS)]
    for file in files:
        table.write(labelled, file)
    return list(map(str, files))


def test_features_of_tables_in_every_format(every_format: list[str], tmp_path: Path) -> None:
    out = tmp_path / "features.parquet"
    result = CliRunner().invoke(features, [*every_format, "--out", str(out), "--jobs", "1", "--json"])
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert (report["alerts"], report["objects"], report["dead_letters"]) == (2 * len(every_format), 2, 0)
    measured = pq.read_table(out)
    assert measured.column_names == ["alert_id", "object_id", "object", *NAMES]
    assert measured["object"].to_pylist() == ["a", "b"] * len(every_format)
    values = np.stack([measured[name].to_numpy() for name in NAMES], axis=1)
    for k in range(2, len(values)):
        np.testing.assert_allclose(values[k], values[k % 2], rtol=1e-8, atol=1e-8)


def test_features_of_nothing_that_can_be_read_end_with_1(tmp_path: Path) -> None:
    (tmp_path / "noise.avro").write_bytes(b"noise")
    with pytest.raises(ValueError, match=r"no alert could be measured, 1 refused: .*"):
        CliRunner().invoke(
            features,
            [str(tmp_path / "noise.avro"), "--out", str(tmp_path / "f.parquet"), "--jobs", "1"],
            catch_exceptions=False,
        )
    assert not (tmp_path / "f.parquet").exists()


def test_an_own_table_that_is_wrong_is_refused_by_its_line(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"t14_bom\.csv, line 6: band must be"):
        CliRunner().invoke(
            features, [str(FAULTS / "t14_bom.csv"), "--out", str(tmp_path / "f.parquet")], catch_exceptions=False
        )


def test_convert_takes_a_table_in_every_format(every_format: list[str], tmp_path: Path) -> None:
    for file in every_format:
        result = CliRunner().invoke(convert, ["table", file, str(tmp_path / "stream"), "--json"])
        assert result.exit_code == 0, result.output
        report = json.loads(result.stdout)
        assert (report["objects"], report["alerts"], report["left_out"]) == (2, 2, 2)
        assert "2 alerts left out: 1 object without a position (ra_deg, dec_deg)\n" in result.stderr
        messages = pq.read_table(tmp_path / "stream" / "alerts.parquet")["message"].to_pylist()
        curves, dead = packets.read(messages)
        assert dead == []
        assert curves.n_points.tolist() == [1, 2]
        assert curves.ra_deg.tolist() == [10.0, 10.0]


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        (["a,60000.5,g,500.0,10.0"], r"none of 1 object has one: add the columns ra_deg and dec_deg"),
        (["a,60000.5,g,5.0,10.0"], r"an alert is raised by a detection .* found none in the light curves of 1 objects"),
    ],
)
def test_convert_that_wrote_nothing_is_refused(lines: list[str], complaint: str, tmp_path: Path) -> None:
    file = tmp_path / "own.csv"
    file.write_text("\n".join(["object,time_mjd,band,flux_njy,flux_err_njy", *lines]))
    with pytest.raises(ValueError, match=complaint):
        CliRunner().invoke(convert, ["table", str(file), str(tmp_path / "stream")], catch_exceptions=False)
    assert not list((tmp_path / "stream").glob("*"))


def test_convert_of_a_set_tells_what_it_leaves_out(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    for name, ra in (("δCep−1", "360.0"), ("000651", "nan"), ("651", "-10")):
        (tmp_path / "set" / f"{name}.DAT").write_text(SNANA_TEXT.format(name=name, ra=ra), encoding="utf-8")
    result = CliRunner().invoke(convert, ["snana", str(tmp_path / "set"), str(tmp_path / "stream"), "--json"])
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert (report["objects"], report["alerts"], report["left_out"]) == (3, 4, 2)
    assert "2 alerts left out: 1 object without a position (ra_deg, dec_deg)\n" in result.stderr
    curves, dead = packets.read(pq.read_table(tmp_path / "stream" / "alerts.parquet")["message"].to_pylist())
    assert dead == []
    assert set(curves.ra_deg.tolist()) == {0.0, 350.0}
    assert len(set(curves.object_id.tolist())) == 2


def test_every_kind_of_data_can_be_converted() -> None:
    assert set(KINDS) == set(sources.KINDS)


def test_export_tells_what_is_left_out(tmp_path: Path) -> None:
    result = CliRunner().invoke(data, ["export", str(FAULTS / "t9_same_mjd.csv"), str(tmp_path / "x.csv"), "--json"])
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert (report["objects"], report["points"]) == (2, 4)
    assert report["notes"][0] in result.stderr


def test_tables_of_alerts_are_no_light_curves(every_format: list[str], tmp_path: Path) -> None:
    assert all(map(sources.holds_light_curves, [*every_format, "plasticc"]))
    CliRunner().invoke(convert, ["table", every_format[0], str(tmp_path / "stream")])
    assert not sources.holds_light_curves(str(tmp_path / "stream" / "alerts.parquet"))
    assert not sources.holds_light_curves(str(tmp_path / "stream"))
    assert not sources.holds_light_curves("nowhere.csv.xz")


def test_features_names_a_file_that_is_no_table_it_reads(tmp_path: Path) -> None:
    file, out = tmp_path / "mine.txt", tmp_path / "f.parquet"
    file.write_text("# object time_mjd band\na 60000 g\n")
    with pytest.raises(ValueError, match=r"mine\.txt holds no alerts: .* A table .* ends in \.parquet, \.csv"):
        CliRunner().invoke(features, [str(file), "--out", str(out)], catch_exceptions=False)
    with pytest.raises(LookupError, match=r"missing\.csv: no file or folder is there, and no set of that name"):
        CliRunner().invoke(features, [str(tmp_path / "missing.csv"), "--out", str(out)], catch_exceptions=False)


def test_features_of_light_curves_are_counted_by_object(tmp_path: Path) -> None:
    out = tmp_path / "f.parquet"
    result = CliRunner().invoke(features, [str(FAULTS / "t6b_someradec.csv"), "--out", str(out), "--jobs", "1"])
    assert result.stdout.startswith(f"{len(NAMES)} features of 2 objects in ")

"""``gueststar features``."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

import features
from broker.commands.features import features as command
from features.catalogue import NAMES, fingerprint
from models.training import feature_parts
from schemas import packets
from tests.unit.features.made_curves import simulated


@pytest.fixture
def alert_files(tmp_path: Path) -> list[str]:
    curves = simulated(12).select(np.arange(0, 12, 4))  # transients: an alert needs a detection
    files = []
    for number, message in enumerate(packets.write(curves)):
        file = tmp_path / f"{number}.avro"
        file.write_bytes(message)
        files.append(str(file))
    return files


def test_writes_what_extract_gives(alert_files: list[str], tmp_path: Path) -> None:
    out = tmp_path / "features.parquet"
    result = CliRunner().invoke(command, [*alert_files, "--out", str(out), "--json"])
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert report["objects"] == report["alerts"] == len(alert_files)
    assert report["features"] == len(NAMES)
    assert report["seconds"] > 0
    table = pq.read_table(out)
    assert table.column_names == ["alert_id", "object_id", *NAMES]
    assert table.schema.metadata[b"feature_fingerprint"].decode() == fingerprint()
    messages, _ = packets.read_files(alert_files)
    light_curves, _ = packets.read(messages)
    values = np.stack([table[name].to_numpy() for name in NAMES], axis=1)
    np.testing.assert_array_equal(values, features.extract(light_curves).values)
    assert table["alert_id"].to_pylist() == light_curves.alert_id.tolist()


def test_says_what_was_refused(alert_files: list[str], tmp_path: Path) -> None:
    broken = tmp_path / "broken.avro"
    broken.write_bytes(Path(alert_files[0]).read_bytes()[:100])
    out = tmp_path / "features.parquet"
    result = CliRunner().invoke(command, [*alert_files, str(broken), "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert "1 message refused" in result.stdout
    assert pq.read_table(out).num_rows == len(alert_files)


def test_any_number_of_processes_gives_the_same_file(
    alert_files: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feature_parts, "ALERTS_AT_A_TIME", 1)
    tables = []
    for jobs in ("1", "2"):
        out = tmp_path / f"{jobs}.parquet"
        result = CliRunner().invoke(command, [*alert_files, "--out", str(out), "--jobs", jobs])
        assert result.exit_code == 0, result.output
        assert not feature_parts.folder_of(out).exists()
        tables.append(pq.read_table(out))
    assert tables[0].schema == tables[1].schema
    for name in tables[0].column_names:
        one, two = (table[name].to_numpy() for table in tables)
        # code that was just compiled may round the last bit otherwise than the same code loaded from the cache, and
        # an iterated fit carries that on
        np.testing.assert_allclose(one, two, rtol=1e-8, atol=1e-8, err_msg=name)


def test_goes_on_where_a_killed_run_was(
    alert_files: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feature_parts, "ALERTS_AT_A_TIME", 1)
    out = tmp_path / "features.parquet"
    halfway = feature_parts.measure(feature_parts.plan(alert_files), out, 1)
    for parts in halfway:
        if parts.done == 2:
            break
    halfway.close()  # as killed: two parts are there, the third is not
    assert not out.exists()
    result = CliRunner().invoke(command, [*alert_files, "--out", str(out), "--jobs", "1", "--json"])
    assert json.loads(result.stdout)["resumed"] == 2
    assert pq.read_table(out).num_rows == len(alert_files)
    assert not feature_parts.folder_of(out).exists()


def test_parts_of_another_request_are_not_used(
    alert_files: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feature_parts, "ALERTS_AT_A_TIME", 1)
    out = tmp_path / "features.parquet"
    list(feature_parts.measure(feature_parts.plan(alert_files), out, 1))
    others = alert_files[1:]
    result = CliRunner().invoke(command, [*others, "--out", str(out), "--jobs", "1", "--json"])
    report = json.loads(result.stdout)
    assert (report["resumed"], report["alerts"]) == (0, len(others))


def test_says_where_there_is_nothing(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    result = CliRunner().invoke(command, [str(empty), "--out", str(tmp_path / "features.parquet")])
    assert result.exit_code == 1
    assert "no alert" in result.output

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
    assert "1 messages refused" in result.stdout
    assert pq.read_table(out).num_rows == len(alert_files)

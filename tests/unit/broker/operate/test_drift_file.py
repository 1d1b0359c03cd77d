"""What adapt saw of drift is what status lists; a damaged file is named."""

from __future__ import annotations

import io
from pathlib import Path

from rich.console import Console

from active_learning.drift import Drift
from broker.commands import status_tables
from broker.operate import drift_file
from models.adaptation.drift import Difference


def test_signs_of_drift_come_back_with_their_survey(tmp_path: Path) -> None:
    assert drift_file.warnings(tmp_path) == []
    differs = Difference(0.9, 0.88, 0.92, 500, 400, (("max_snr", 0.8),))
    alike = Difference(0.5, 0.46, 0.54, 500, 400, (("max_snr", 0.51),))
    signs = {"One": Drift(differs, alike, 1.5, 40), "Two": Drift(None, None, 250.0, 90)}
    drift_file.write(tmp_path, {name: one.to_json() for name, one in signs.items()}, 1)
    first, second = drift_file.warnings(tmp_path)
    assert first.startswith("One: objects differ from the training set")
    assert "0.90 (0.88 to 0.92), by max_snr" in first
    assert second.startswith("Two: the model's log-loss on 90 labelled objects changed in time")
    service = {"running": True, "local": True, "address": "127.0.0.1:1", "pid": 1, "uptime_s": 1.0}
    report = {"home": "h", "kafka": service, "redis": service, "topics": [], "job": None, "drift": [first]}
    text = io.StringIO()
    status_tables.show(report, Console(file=text, width=400))
    assert f"drift: {first}" in text.getvalue()


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    for damage in ("", "[]", '{"surveys": {"One": 3}}'):
        (tmp_path / drift_file.DRIFT_FILE).write_text(damage)
        (line,) = drift_file.warnings(tmp_path)
        assert "drift.json is damaged" in line

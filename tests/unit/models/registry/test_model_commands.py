"""convert and models on the command line."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from active_learning.gate import compare
from broker.commands.convert import convert
from broker.commands.models import models
from broker.settings import Settings
from features.catalogue import NAMES
from models.datasets import bts, plasticc
from models.registry import shipped
from models.registry.named_model import ensure_one, named
from models.registry.versions import Registry
from models.scoring.scorer import Scorer
from models.training import snapshots
from models.training.train import fit_bundle
from models.training.training_rows import TrainingRows
from schemas import packets
from tests.unit.models.small_bundle import LEFT_OUT, SEED, Small


def run(command: object, *arguments: str) -> str:
    outcome = CliRunner().invoke(command, arguments, catch_exceptions=False)  # type: ignore[arg-type]
    assert outcome.exit_code == 0, outcome.output
    return outcome.output


def test_convert_writes_held_out_alerts_in_time_order_without_the_truth(tmp_path: Path) -> None:
    arguments = ("plasticc", "plasticc", str(tmp_path), "--objects", "12", "--held-out", "--json")
    report = json.loads(run(convert, *arguments))
    assert report["objects"] == 12
    table, truth = pq.read_table(tmp_path / "alerts.parquet"), pq.read_table(tmp_path / "truth.parquet")
    assert len(table) == report["alerts"]
    times = table["alert_mjd"].to_numpy()
    assert (np.diff(times) >= 0).all()
    read, dead = packets.read(table["message"].to_pylist())
    assert dead == []
    assert np.array_equal(read.alert_id, table["alert_id"].to_numpy())
    assert np.array_equal(read.alert_mjd, times)
    assert (snapshots.split_of(truth["object_id"].to_numpy(), 1) == snapshots.SPLITS.index("test")).all()
    assert set(truth["class_id"].to_pylist()) <= set(plasticc.CLASS_ID.values())


def test_models_list_show_and_promote(small: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GUESTSTAR_HOME", str(tmp_path))
    registry = Registry(f"sqlite:///{tmp_path / 'mlflow.db'}", tmp_path / "models")
    registry.register(small.trained.path, small.trained.metrics, small.trained.params)
    listed = json.loads(run(models, "list", "--json"))["models"]
    assert [(entry["alias"], entry["version"], entry["sha256"]) for entry in listed] == [
        ("production", 1, small.trained.sha256)
    ]
    assert json.loads(run(models, "show", "--json"))["metrics"] == pytest.approx(small.trained.metrics)
    assert json.loads(run(models, "promote", "1", "--json"))["version"] == 1
    assert "SHA" not in run(models, "list")
    assert "classes " in run(models, "show")
    assert small.trained.sha256 in run(models, "card")


def test_a_home_without_a_model_gets_the_one_that_ships(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GUESTSTAR_HOME", str(tmp_path))
    before = named("production", Settings().registry())  # what a job would take
    sha256 = ensure_one(Settings().registry())
    assert before.sha256 == sha256
    assert sha256 == Scorer.load(shipped.folder()).sha256 == named("production", Settings().registry()).sha256
    assert named("shipped", Settings().registry()).sha256 == sha256
    assert ensure_one(Settings().registry()) is None
    listed = json.loads(run(models, "list", "--json"))["models"]
    assert [entry["alias"] for entry in listed] == ["production"]


def test_two_models_are_compared_on_what_neither_has_seen(
    small: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GUESTSTAR_HOME", str(tmp_path))
    (tmp_path / "models").mkdir()
    shutil.copytree(small.store / "training", tmp_path / "models" / "training")
    fewer_classes = [LEFT_OUT, 2332]
    other = fit_bundle(
        small.table, out=tmp_path / "other", left_out=fewer_classes, seed=SEED, sources={"table": "another"}, n_jobs=1
    )
    report = json.loads(run(models, "compare", str(other.path), str(small.trained.path), "--json"))
    assert (report["old"], report["new"]) == (other.sha256, small.trained.sha256)
    figure = report["figures"]["log_loss_flat"]
    assert figure["difference"] == pytest.approx(figure["new"] - figure["old"])
    back = json.loads(run(models, "compare", str(small.trained.path), str(small.trained.path), "--json"))
    assert back["figures"]["macro_f1"]["difference"] == 0
    assert back["accepted"]


def test_the_gate_judges_the_view_with_a_redshift_too(small: Small) -> None:
    """A bundle whose light curve's probabilities are the same, but whose view with a redshift mixes up its classes."""
    old, new = Scorer.load(small.trained.path), Scorer.load(small.trained.path)
    assert old.with_photoz is not None
    new.with_photoz = replace(old.with_photoz, column=old.with_photoz.column[::-1])
    rows = TrainingRows.of(small.table, NAMES)
    rows = rows.select(rows.split != "train")
    verdict = compare(old, new, rows, seed=SEED)
    assert not verdict.accepted
    assert "log-loss with the host's redshift grows from" in verdict.why
    assert "the flat log-loss grows" not in verdict.why
    assert {name for name, one in verdict.figures.items() if one.difference} == {
        "log_loss_flat_photoz", "macro_f1_photoz",
    }  # fmt: skip
    stars = compare(old, new, rows.select(~rows.host.is_told), seed=SEED)
    assert stars.accepted, stars.why
    assert set(stars.figures) == {"log_loss_flat", "macro_f1"}


def test_supernova_files_are_read(shared_data: Path) -> None:
    labelled = bts.load(shared_data / "bts")
    assert len(labelled) > 300
    assert set(labelled.light_curves.survey.tolist()) == {1}
    assert labelled.light_curves.flux_njy.min() > 0

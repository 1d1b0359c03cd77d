"""The registry: versions, aliases, runs in MLflow, and homes that an earlier version of gueststar left."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from models import bundle
from models.registry import index, mlflow_runs
from models.registry.versions import Registry
from tests.unit.models.small_bundle import Small


def sealed(folder: Path, content: str) -> Path:
    """A bundle of one file."""
    folder.mkdir(parents=True)
    (folder / "a.json").write_text(content)
    bundle.seal(folder, {"note": content})
    return folder


def client_of(registry: Registry) -> Any:
    with mlflow_runs._mlflow(registry.uri) as client:
        client.search_registered_models()  # the first use of MLflow's libraries warns, which is an error here
    return client


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(f"sqlite:///{tmp_path / 'home' / 'mlflow.db'}", tmp_path / "home" / "models")


def test_aliases_move_on_promotion_and_rollback(
    registry: Registry, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(LookupError, match=r"it has nothing yet: .*gueststar train"):
        registry.model("production")
    assert registry.models() == []
    assert not registry.store.exists()  # asking leaves nothing behind
    first = registry.register(sealed(tmp_path / "one", "1"), {"log_loss_flat": 0.5}, {"seed": 1})
    with pytest.raises(LookupError, match="no previous model"):
        registry.rollback()
    second = registry.register(sealed(tmp_path / "two", "2"), {"log_loss_flat": 0.4}, {"seed": 1})
    assert (first.version, first.aliases) == (1, ("production",))
    assert (second.version, second.aliases) == (2, ("candidate",))
    assert second.metrics == {"log_loss_flat": 0.4}
    assert (second.path / "a.json").read_text() == "2"
    assert registry.register(tmp_path / "one", {}, {}).version == 1  # the same bundle is the same version

    assert registry.promote("candidate").aliases == ("production",)
    assert registry.model("previous").version == 1
    with pytest.raises(LookupError, match="candidate"):
        registry.model("candidate")
    assert registry.promote(2).version == 2
    assert registry.rollback().version == 1
    assert registry.model("previous").version == 2
    again = Registry(registry.uri, registry.store)
    assert [(model.version, model.aliases) for model in again.models()] == [(1, ("production",)), (2, ("previous",))]
    assert registry.model(2).sha256 == second.sha256
    with pytest.raises(LookupError, match="it has previous, production, 1, 2"):
        registry.promote(3)
    assert capfd.readouterr() == ("", "")  # MLflow keeps quiet


def test_figures_by_detections_are_curves_in_mlflow_and_nothing_else_here(registry: Registry, small: Small) -> None:
    model = registry.register(small.trained.path, small.trained.metrics, small.trained.params)
    assert model.metrics == pytest.approx(small.trained.metrics)
    client = client_of(registry)
    (run,) = client.search_runs([client.get_experiment_by_name("gueststar").experiment_id])
    curve = {one.step: one.value for one in client.get_metric_history(run.info.run_id, "log_loss_flat_by_detections")}
    assert curve[13] == pytest.approx(small.trained.metrics["log_loss_flat_epoch_13"])
    assert run.info.status == "FINISHED"
    params = {name: run.data.params[name] for name in ("data", "sha256", "version")}
    assert params == {"data": "PLAsTiCC", "sha256": small.trained.sha256, "version": "1"}
    assert client.search_registered_models() == []  # versions and aliases are in one place


def test_nothing_is_registered_where_mlflow_does_not_take_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    index.write(tmp_path / "models", index.Index())
    registry = Registry("http://127.0.0.1:9", tmp_path / "models")  # nobody answers there
    with pytest.raises(OSError, match=r"MLflow at http://127\.0\.0\.1:9 failed .*registry_uri") as error:
        registry.register(sealed(tmp_path / "one", "1"), {}, {})
    assert "\n" not in str(error.value)
    assert registry.models() == []


def test_processes_that_register_at_once_get_a_version_each(registry: Registry, tmp_path: Path) -> None:
    """In a home where MLflow has no database yet."""
    program = (
        "import sys; from pathlib import Path; from models.registry.versions import Registry; "
        "print(Registry(sys.argv[1], Path(sys.argv[2])).register(Path(sys.argv[3]), {'m': 1.0}, {}).version)"
    )
    bundles = [sealed(tmp_path / name, name) for name in ("one", "two")] + [tmp_path / "one"]
    running = [
        subprocess.Popen(
            [sys.executable, "-c", program, registry.uri, str(registry.store), str(one)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for one in bundles
    ]  # fmt: skip
    outputs = [process.communicate() for process in running]
    assert [process.returncode for process in running] == [0, 0, 0], outputs
    one, two, one_again = (int(out) for out, _ in outputs)
    assert {one, two} == {1, 2}
    assert one_again == one
    assert [model.aliases for model in registry.models()] == [("production",), ("candidate",)]


def former(registry: Registry, folder: Path) -> list[str]:
    """What the version before wrote: three versions in MLflow's registry, the third promoted, no index in the store."""
    registry.store.mkdir(parents=True)
    client, hashes = client_of(registry), []
    client.create_registered_model("gueststar", description="Bundles of the alert classifier.")
    experiment = client.create_experiment("gueststar", artifact_location=registry.store.as_uri())
    for content in "123":
        path, sha256 = bundle.store(sealed(folder / content, content), registry.store)
        hashes.append(sha256)
        run = client.create_run(experiment).info.run_id
        for name, value in {"auc_ia": float(content), "auc_ia_epoch_3": 0.5}.items():
            client.log_metric(run, name, value)
        client.log_metric(run, "auc_ia_by_detections", 0.5, step=3)
        client.log_metric(run, "failed", float("nan"))
        client.set_terminated(run)
        client.create_model_version("gueststar", source=path.as_uri(), run_id=run, tags={"sha256": sha256})
    for alias, number in (("production", "3"), ("previous", "1"), ("candidate", "2")):
        client.set_registered_model_alias("gueststar", alias, number)
    return hashes


def test_a_home_of_the_version_before_is_taken_over_once(registry: Registry, tmp_path: Path) -> None:
    hashes = former(registry, tmp_path)
    assert registry.model("production").sha256 == hashes[2]
    taken = registry.models()
    assert [model.aliases for model in taken] == [("previous",), ("candidate",), ("production",)]
    assert [model.sha256 for model in taken] == hashes
    assert [(model.path / "a.json").read_text() for model in taken] == ["1", "2", "3"]
    assert taken[0].metrics == pytest.approx(
        {"auc_ia": 1.0, "auc_ia_epoch_3": 0.5, "failed": float("nan")}, nan_ok=True
    )
    assert all(model.created_ms > 1_700_000_000_000 for model in taken)
    Path(registry.uri.removeprefix("sqlite:///")).unlink()  # from here on MLflow is not asked
    assert repr(Registry(registry.uri, registry.store).models()) == repr(taken)
    assert registry.rollback().sha256 == hashes[0]


def test_the_first_change_takes_a_former_home_over_too(registry: Registry, tmp_path: Path) -> None:
    hashes = former(registry, tmp_path)
    assert registry.register(tmp_path / "2", {}, {}).version == 2
    assert registry.register(sealed(tmp_path / "4", "4"), {}, {}).aliases == ("candidate",)
    assert registry.promote(2).sha256 == hashes[1]
    assert [model.aliases for model in registry.models()] == [(), ("production",), ("previous",), ("candidate",)]


def test_a_database_without_our_models_gives_an_empty_registry(registry: Registry) -> None:
    Path(registry.uri.removeprefix("sqlite:///")).parent.mkdir(parents=True)
    client_of(registry).create_experiment("somebody else's")
    assert registry.models() == []
    assert json.loads((registry.store / index.FILE).read_text())["versions"] == []


def test_more_versions_than_a_page_holds_are_all_taken_over(registry: Registry, tmp_path: Path) -> None:
    former(registry, tmp_path)
    client = client_of(registry)
    for number in range(4, 30):
        client.create_model_version("gueststar", source="x", tags={"sha256": f"{number:064x}"})
    whole = mlflow_runs.former_index(registry.uri)
    assert whole is not None
    assert [version.number for version in whole.versions] == list(range(1, 30))

"""Bundles are read only as they were written."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import models.scoring.scorer
from models import bundle
from models.bundle import BundleError
from models.registry import shipped
from models.scoring.scorer import Scorer
from tests.unit.models.small_bundle import Small


@pytest.fixture
def copy(small: Small, tmp_path: Path) -> Path:
    return Path(shutil.copytree(small.trained.path, tmp_path / "copy"))


@pytest.mark.parametrize(
    "name",
    [
        *("trees.npz", "calibration.json", "network.npz", "novelty.npz", "conformal.npz"),
        *("photoz_trees.npz", "photoz_calibration.json", "photoz_network.npz", "photoz_normal_scores.npz"),
    ],
)
def test_a_changed_file_is_refused_by_name(copy: Path, name: str) -> None:
    content = bytearray((copy / name).read_bytes())
    content[len(content) // 2] ^= 1
    (copy / name).write_bytes(bytes(content))
    with pytest.raises(BundleError, match=rf"{name}: the SHA-256 must be \w{{64}}, found \w{{64}}.*fetch"):
        Scorer.load(copy)


def test_a_bundle_holds_what_a_score_reads_and_nothing_else(small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also the one that ships."""
    read: set[str] = set()

    def recorded(read_as: Any) -> Any:
        return lambda path, *rest, **options: read.add(Path(path).name) or read_as(path, *rest, **options)

    monkeypatch.setattr(np, "load", recorded(np.load))
    monkeypatch.setattr(Path, "read_text", recorded(Path.read_text))
    for folder in (small.trained.path, shipped.folder()):
        read.clear()
        Scorer.load(folder)
        in_folder = {file.name for file in folder.iterdir()}
        assert in_folder - {bundle.MANIFEST} == read - {bundle.MANIFEST}
        assert all(name.endswith((".npz", ".json")) for name in in_folder)


def with_format(folder: Path, form: str) -> None:
    """Write another format into a sealed bundle's manifest."""
    manifest = json.loads((folder / bundle.MANIFEST).read_text())
    (folder / bundle.MANIFEST).write_text(json.dumps({**manifest, "format": form}))


@pytest.mark.parametrize("form", ["gueststar-bundle-6", "gueststar-bundle-8"])
def test_a_bundle_of_another_form_says_what_to_do(copy: Path, form: str) -> None:
    with_format(copy, form)
    with pytest.raises(
        BundleError, match=rf"the format must be 'gueststar-bundle-7', found '{form}': train .*or run the ver"
    ):
        Scorer.load(copy)


def test_a_missing_file_and_a_missing_bundle_are_named(copy: Path, tmp_path: Path) -> None:
    (copy / "novelty.npz").unlink()
    with pytest.raises(BundleError, match=r"novelty\.npz.*missing"):
        Scorer.load(copy)
    with pytest.raises(BundleError, match="gueststar train"):
        Scorer.load(tmp_path / "nowhere")


def test_a_view_of_other_classes_is_refused(copy: Path) -> None:
    file = copy / "photoz_trees.npz"
    arrays = dict(np.load(file))
    arrays["class_ids"] = arrays["class_ids"] + 100_000
    np.savez(file, **arrays)
    manifest = json.loads((copy / bundle.MANIFEST).read_text())
    bundle.seal(copy, {name: value for name, value in manifest.items() if name not in ("format", "files")})
    with pytest.raises(BundleError, match="must know some of the bundle's classes"):
        Scorer.load(copy)


def test_another_bundle_than_asked_for_is_refused(copy: Path, small: Small) -> None:
    assert Scorer.load(copy, small.trained.sha256).sha256 == small.trained.sha256
    manifest = json.loads((copy / bundle.MANIFEST).read_text())
    bundle.seal(copy, {**manifest, "created": "another day"})
    with pytest.raises(BundleError, match=rf"must be {small.trained.sha256}"):
        Scorer.load(copy, small.trained.sha256)


def test_a_bundle_for_other_features_says_what_to_do(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models.scoring.scorer, "fingerprint", lambda: "f" * 64)
    with pytest.raises(BundleError, match=r"feature catalogue .*ffff.*gueststar train"):
        Scorer.load(copy)


def test_a_manifest_cannot_name_files_elsewhere(copy: Path) -> None:
    manifest = json.loads((copy / bundle.MANIFEST).read_text())
    manifest["files"]["../secret"] = "0" * 64
    (copy / bundle.MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(BundleError, match="plain"):
        Scorer.load(copy)

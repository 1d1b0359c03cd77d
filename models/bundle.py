"""The bundle: a folder of files and a manifest with their SHA-256. It is read only if every SHA-256 matches."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from schemas.whole_file import whole_folder, write_whole

MANIFEST = "manifest.json"
FORMAT = "gueststar-bundle-7"


class BundleError(ValueError):
    """A bundle is missing, incomplete or changed, or does not fit this program; the message says what to do."""


def sha256_of(file: Path) -> str:
    """The SHA-256 of a file's bytes, hexadecimal."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def seal(folder: Path, manifest: Mapping[str, Any]) -> str:
    """Write the manifest of the files in ``folder``; returns the SHA-256 of the bundle, which is that of its manifest.

    ``files`` and ``format`` are filled in here. The manifest is written last and in one step.
    """
    files = {file.name: sha256_of(file) for file in sorted(folder.iterdir()) if file.name != MANIFEST}
    text = json.dumps({"format": FORMAT, **manifest, "files": files}, indent=1, sort_keys=True, allow_nan=False)
    write_whole(folder / MANIFEST, text + "\n")
    return sha256_of(folder / MANIFEST)


def open_bundle(path: Path, sha256: str | None = None) -> tuple[dict[str, Any], str]:
    """Check all files of the bundle at ``path``; returns its manifest and SHA-256.

    Raises BundleError if the manifest is missing or has another format, the SHA-256 of the bundle is not
    ``sha256``, a file is missing, or the SHA-256 of a file differs from the manifest.
    """
    manifest_file = path / MANIFEST
    if not manifest_file.is_file():
        raise BundleError(
            f"a bundle is a folder with a {MANIFEST}; none is at {path}: train one with `gueststar train`"
        )
    bundle_sha256 = sha256_of(manifest_file)
    if sha256 is not None and bundle_sha256 != sha256:
        raise BundleError(_changed(manifest_file, sha256, bundle_sha256))
    manifest = json.loads(manifest_file.read_bytes())
    if manifest.get("format") != FORMAT:
        raise BundleError(
            f"{manifest_file}: the format must be {FORMAT!r}, found "
            f"{manifest.get('format')!r}: train a new bundle with `gueststar train`, or run the version of gueststar "
            "that made this one"
        )
    for name, expected in manifest["files"].items():
        check_file(path, name, expected)
    return manifest, bundle_sha256


def check_file(path: Path, name: str, expected: str) -> Path:
    """Check the SHA-256 of the file ``name`` in the bundle at ``path``; returns the file, or raises BundleError."""
    file = path / name
    if Path(name).name != name:
        raise BundleError(f"{path / MANIFEST}: names of files must be plain, found {name!r}: do not use this bundle")
    if not file.is_file():
        raise BundleError(f"{file}: the manifest names it, but it is missing: fetch the bundle again from the registry")
    actual = sha256_of(file)
    if actual != expected:
        raise BundleError(_changed(file, expected, actual))
    return file


def store(bundle: Path, folder: Path) -> tuple[Path, str]:
    """Copy a bundle to ``folder/<its SHA-256>``, unless it is there already; returns that path and the SHA-256.

    The copy gets its name only when it is complete. Raises BundleError as :func:`open_bundle`.
    """
    manifest, sha256 = open_bundle(bundle)
    target = folder / sha256
    if not target.is_dir():
        with whole_folder(target, replace=False) as draft:  # another process may store the same bundle meanwhile
            for name in [*manifest["files"], MANIFEST]:
                shutil.copyfile(bundle / name, draft / name)
    open_bundle(target, sha256)
    return target, sha256


def _changed(file: Path, expected: str, actual: str) -> str:
    return (
        f"{file}: the SHA-256 must be {expected}, found {actual}: the file was changed or damaged after training, "
        "and will not be loaded; fetch the bundle again from the registry, or train a new one"
    )

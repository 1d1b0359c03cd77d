"""Write a bundle that is another one with heads for the streams that it was adapted to."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from models import bundle
from models.scoring.adapted import ADAPTED_FILE, Adapted, Head
from schemas.whole_file import whole_folder


def write(parent: Path, out: Path, heads: Mapping[int, Head], evidence: Mapping[str, Any]) -> str:
    """Copy the bundle at ``parent`` to the new folder ``out`` with other ``heads``; returns the SHA-256 of the new one.

    ``evidence``: the manifest's entry ``adaptation``, to which the parent's SHA-256 is added. Raises BundleError if the
    parent is missing or changed.
    """
    manifest, sha256 = bundle.open_bundle(parent)
    with whole_folder(out, replace=False) as draft:
        for name in manifest["files"]:
            if name != ADAPTED_FILE:
                shutil.copyfile(parent / name, draft / name)
        Adapted(heads).save(draft)
        entries = {name: value for name, value in manifest.items() if name not in ("files", "format")}
        return bundle.seal(draft, {**entries, "adaptation": {**evidence, "parent": sha256}})

"""A model in skops's format whose bytes follow from the model alone.

skops names arrays by where they happened to lie in memory, and stamps them with the time. Here they are numbered in the
order in which the model speaks of them, so that the same training gives the same SHA-256.
"""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

SCHEMA = "schema.json"
_NO_TIME = (1980, 1, 1, 0, 0, 0)


def write(model: Any, file: Path) -> None:
    """Write the model; skops.io.load reads it."""
    from skops.io import dumps

    numbers: dict[str, int] = {}
    with ZipFile(BytesIO(dumps(model))) as old, ZipFile(file, "w", ZIP_DEFLATED) as new:
        schema = json.loads(old.read(SCHEMA))
        _renumber(schema, numbers)
        new.writestr(ZipInfo(SCHEMA, _NO_TIME), json.dumps(schema, indent=2), ZIP_DEFLATED)
        content = {name: old.read(name) for name in old.namelist() if name != SCHEMA}
        for name in sorted(content, key=lambda name: numbers[Path(name).stem]):
            info = ZipInfo(f"{numbers[Path(name).stem]}{Path(name).suffix}", _NO_TIME)
            new.writestr(info, content[name], ZIP_DEFLATED)


def _renumber(node: Any, numbers: dict[str, int]) -> None:
    """Replace every place in memory, in identities and in names of files, by its number: the first met is 1."""
    if isinstance(node, list):
        for part in node:
            _renumber(part, numbers)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key == "__id__":
                node[key] = numbers.setdefault(str(value), len(numbers) + 1)
            elif key == "file" and isinstance(value, str):
                number = numbers.setdefault(Path(value).stem, len(numbers) + 1)
                node[key] = f"{number}{Path(value).suffix}"
            else:
                _renumber(value, numbers)

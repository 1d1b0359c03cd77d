"""Description of a table in OpenML's form: name, features with their types, target, row id, source."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pandas as pd

from models.datasets.labelled import Labelled
from models.datasets.table_columns import COLUMNS
from models.datasets.table_files import ending_of

TARGET, GROUP = "class", "object"


def describe(points: pd.DataFrame, labelled: Labelled, file: Path) -> dict[str, Any]:
    """The keys of OpenML's data and feature descriptions (arXiv:1407.7722), for the table in ``file``."""
    return {
        "data_set_description": {
            "name": labelled.source,
            "description": f"Light curves of {len(labelled)} objects, a point a row; a split keeps each {GROUP} whole.",
            "format": ending_of(file).lstrip(".").upper(),
            "default_target_attribute": TARGET,
            "row_id_attribute": GROUP,
            "sha256_checksum": hashlib.sha256(file.read_bytes()).hexdigest(),
            "source_fingerprint": labelled.fingerprint,
        },
        "data_features": [_feature(index, str(name), points[name]) for index, name in enumerate(points.columns)],
        "data_qualities": {
            "NumberOfInstances": len(points),
            "NumberOfFeatures": len(points.columns),
            "NumberOfClasses": int(points[TARGET].nunique()),
            "NumberOfMissingValues": int(points.isna().sum().sum()),
        },
    }


def write(points: pd.DataFrame, labelled: Labelled, file: Path) -> Path:
    """Write the description beside the table, as ``<file>.json``; returns its path."""
    beside = file.with_name(file.name + ".json")
    beside.write_text(json.dumps(describe(points, labelled, file), indent=2) + "\n", encoding="utf-8")
    return beside


def _feature(index: int, name: str, values: pd.Series) -> dict[str, Any]:
    is_number = pd.api.types.is_numeric_dtype(values)
    return {
        "index": index,
        "name": name,
        "data_type": "numeric" if is_number else "nominal" if name in (TARGET, "band") else "string",
        "description": COLUMNS[name].meaning,
        "is_target": name == TARGET,
        "is_ignore": False,
        "is_row_identifier": name == GROUP,
        "number_of_missing_values": int(values.isna().sum()),
    }

"""Tables of classes that others gave to objects: a row an object, with its name or its position, and its class."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.datasets import table_files
from models.datasets.reading import UnreadableError
from models.datasets.table_columns import COLUMNS, check

COLUMNS_OF_LABELS = {
    "object": replace(COLUMNS["object"], required=False),
    "class": replace(COLUMNS["class"], required=True),
    "ra_deg": COLUMNS["ra_deg"],
    "dec_deg": COLUMNS["dec_deg"],
}
"""What is read of such a table. Either ``object`` or both of ``ra_deg`` and ``dec_deg`` must be there."""


@dataclass(frozen=True, slots=True)
class LabelTable:
    """``name``: as written, "" where the table has no names; ``class_id``: of the taxonomy; ``ra_deg``, ``dec_deg``:
    ICRS, NaN where the table has no positions; all (n,). ``place``: of a row, such as "line 7"."""

    name: NDArray[np.str_]
    class_id: NDArray[np.int64]
    ra_deg: NDArray[np.float64]
    dec_deg: NDArray[np.float64]
    place: Callable[[int], str]

    def __len__(self) -> int:
        return len(self.class_id)


def load(path: Path) -> LabelTable:
    """The labels of a table's file (formats: :mod:`models.datasets.table_files`).

    Raises UnreadableError with the column, its requirement and the row if a value is invalid or a column is missing.
    """
    table = table_files.read(path, COLUMNS_OF_LABELS)
    values = check(table, path, COLUMNS_OF_LABELS)
    if "object" not in values and not {"ra_deg", "dec_deg"} <= values.keys():
        raise UnreadableError(
            f"{path}: the table must have the column object, or the columns ra_deg and dec_deg, to say whose class "
            f"each is; found {', '.join(table.names)[:500]}"
        )
    nowhere = np.full(table.n_rows, np.nan)
    return LabelTable(
        name=values["object"].astype(np.str_) if "object" in values else np.full(table.n_rows, ""),
        class_id=values["class"],
        ra_deg=values.get("ra_deg", nowhere),
        dec_deg=values.get("dec_deg", nowhere),
        place=table.place,
    )

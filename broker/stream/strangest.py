"""The strangest alerts of a task, marked as they pass.

Which they are is known when all have passed. But what is not among the strangest so far will never be: so only those
are held back, and all others go on at once.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from schemas.taxonomy import NOT_CLASSIFIED

Rank = tuple[float, float, int]
"""p-value, novelty score downwards, alert id: smaller is stranger."""


class Strangest:
    """Marks ``limit`` rows of a task in the column ``is_strange``: pass all through :meth:`passed`, then take
    :meth:`marked`. The marks depend only on the rows, not on how they come. Alerts without a class are never marked."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held: list[tuple[Rank, pa.RecordBatch]] = []

    def passed(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        """The rows that are not among the strangest so far: of these, and of those held back before."""
        candidates = self._candidates(rows)
        if not candidates:
            return rows
        self._held += [(rank, rows.slice(place, 1)) for place, rank in candidates.items()]
        self._held.sort(key=lambda one: one[0])
        released = [row for _, row in self._held[self._limit :]]
        self._held = self._held[: self._limit]
        others = rows.filter(pa.array([place not in candidates for place in range(rows.num_rows)]))
        return pa.concat_batches([others, *released])

    def marked(self) -> Iterator[pa.RecordBatch]:
        """The strangest rows of all, marked; nothing where there is none."""
        if self._held:
            rows = pa.concat_batches([row for _, row in self._held])
            place = rows.schema.get_field_index("is_strange")
            yield rows.set_column(place, rows.schema.field(place), pa.array(np.ones(rows.num_rows, bool)))
        self._held = []

    def _candidates(self, rows: pa.RecordBatch) -> dict[int, Rank]:
        """Place and rank of the rows of these that may be among the strangest so far, at most ``limit``."""
        p_value = rows["novelty_p_value"].to_numpy(zero_copy_only=False).astype(np.float64)  # NaN: a dead letter
        class_id = rows["class_id"].fill_null(NOT_CLASSIFIED).to_numpy(zero_copy_only=False)
        places = np.flatnonzero((class_id != NOT_CLASSIFIED) & (p_value < 1))
        if not self._limit or not len(places):
            return {}
        score = rows["novelty_score"].to_numpy(zero_copy_only=False)[places].astype(np.float64)
        alert_id = rows["alert_id"].fill_null(0).to_numpy(zero_copy_only=False)[places]
        first = np.lexsort((alert_id, -score, p_value[places]))[: self._limit]
        ranks = zip(p_value[places][first].tolist(), (-score[first]).tolist(), alert_id[first].tolist(), strict=True)
        worst = self._held[-1][0] if len(self._held) == self._limit else (1.0, 0.0, 0)
        return {place: rank for place, rank in zip(places[first].tolist(), ranks, strict=True) if rank < worst}

"""What the stream's p-values are ranks among: tables of its own recent scores, made beside it while it runs.

The scores come from the archive, so a restart or a lost Redis loses nothing. A thread of the driver reads what is new
there once a minute and makes a table, which the next batches are pinned to. A new model begins with the scores that it
gives to what the archive has of the models before it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pyarrow.compute as pc

from active_learning import labels
from broker.kafka.message_log import labels_log
from broker.records import archive, score_tables
from broker.records.archived_scores import ROW, ROWS_A_PASS, NewFiles, Rows, newest_of_each, read_scores
from broker.settings import Settings
from broker.stream.rescoring import rescored
from broker.stream.reviewed import Reviewed, reviewed
from models.bundle import open_bundle
from models.scoring.recent_scores import LABELLED, OBJECTS_NEEDED, Cell, RankedScores, RecentScores

LOOK_S = 1.0
"""How often it is seen whether another model is in production, seconds."""

log = logging.getLogger(__name__)


class RecentRanks:
    """The scores of the model in production, read on from the archive, and the table made of them."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._model, self._classes = "", frozenset[int]()
        self._rows: Rows = np.zeros(0, ROW)
        self._files = NewFiles(archive.folder(settings))
        self._reviewed = Reviewed()
        self._made: RecentScores | None = None

    def is_of(self, model: str) -> bool:
        """Whether the table is of this model's scores."""
        return self._model == model

    def refresh(self, model: str) -> RecentScores:
        """Read what is new, and make the table current where it differs from the last; returns the table.

        Raises OSError where the disk refuses, BundleError where the model's bundle is damaged.
        """
        if model != self._model:
            self._begin(model)
        self._review()
        self._take(self._new_rows())
        table = table_of(model, self._rows, self._reviewed)
        if self._is_worth_keeping(table) and (self._made is None or table.to_bytes() != self._made.to_bytes()):
            score_tables.make_current(self._settings.home, table)
            self._made = table
        return table

    def _is_worth_keeping(self, table: RecentScores) -> bool:
        """Not one without cells, unless what was reviewed left the model's table before with too few objects."""
        had_one = table.model_sha256 in score_tables.current(self._settings.home)
        return bool(table.cells) or (had_one and len(self._rows) > 0)

    def _begin(self, model: str) -> None:
        manifest, _ = open_bundle(self._settings.home / "models" / model, model)
        self._files, self._made = NewFiles(archive.folder(self._settings)), None
        self._rows = self._rescored(model, manifest)
        self._classes, self._model = frozenset(int(one) for one in manifest["classes"]), model

    def _rescored(self, model: str, manifest: dict[str, Any]) -> Rows:
        try:
            return rescored(self._settings, model, manifest)
        except Exception as error:  # without them the new model's scores are collected from now on
            log.warning("recent alerts are not scored anew by model %s: %s", model[:16], error)
            return np.zeros(0, ROW)

    def _new_rows(self) -> Rows:
        parts, n_read = [self._rows[:0]], 0
        for file in self._files:
            if n_read >= ROWS_A_PASS:
                break
            if (read := read_scores(file)) is not None:
                rows, columns = read
                parts.append(rows[pc.equal(columns["model_sha256"], self._model).to_numpy()])
                n_read += len(rows)
        return np.concatenate(parts)

    def _take(self, rows: Rows) -> None:
        both = np.concatenate([self._rows, rows])
        self._rows = both[newest_of_each(both, self._reviewed.fair_sample)]

    def _review(self) -> None:
        """Labels as Kafka has them; while it is away, those of before."""
        try:
            with labels_log(self._settings) as answers:
                records = [stored.record for stored in answers.read()]
        except (LookupError, OSError) as error:
            log.warning("the labels cannot be read, those of before hold: %s", error)
            return
        self._reviewed = reviewed(labels.answers(records).values(), self._classes)


def table_of(model: str, rows: Rows, of_objects: Reviewed) -> RecentScores:
    """The table of rows that have one score an object and cell.

    Cells with enough labelled objects of known classes rank among these; the others among all objects but those that
    were reviewed as novel or bogus, where there are enough.
    """
    rows = rows[~np.isin(rows["object_id"], list(of_objects.strangers))]
    is_known = np.isin(rows["object_id"], list(of_objects.fair_sample))
    cells: dict[Cell, RankedScores] = {}
    for cell in sorted(set(zip(rows["survey"].tolist(), rows["epoch_bin"].tolist(), strict=True))):
        here = (rows["survey"] == cell[0]) & (rows["epoch_bin"] == cell[1])
        if (here & is_known).sum() >= OBJECTS_NEEDED:
            cells[cell] = RankedScores(np.sort(rows["score"][here & is_known]), LABELLED)
        elif here.sum() >= OBJECTS_NEEDED:
            cells[cell] = RankedScores(np.sort(rows["score"][here]))
    return RecentScores(model, cells)


@contextmanager
def kept_up(settings: Settings) -> Iterator[threading.Event]:
    """Inside, a thread keeps the table of recent scores up to date; the event is set when it has read the archive."""
    stop, has_read = threading.Event(), threading.Event()
    thread = threading.Thread(target=_keep_up, args=(settings, stop, has_read), name="recent scores", daemon=True)
    thread.start()
    try:
        yield has_read
    finally:
        stop.set()


def _keep_up(settings: Settings, stop: threading.Event, has_read: threading.Event) -> None:
    ranks, registry, next_s = RecentRanks(settings), settings.registry(), 0.0
    while not stop.is_set():
        pause_s = LOOK_S
        try:
            model = registry.model("production").sha256
            if time.monotonic() >= next_s or not ranks.is_of(model):
                next_s = time.monotonic() + settings.recent_scores_interval_s
                ranks.refresh(model)
        except Exception as error:  # the stream goes on with the last table
            pause_s = settings.recent_scores_interval_s
            log.warning("the table of recent scores stays as it is: %s: %s", type(error).__name__, error)
        has_read.set()
        stop.wait(pause_s)

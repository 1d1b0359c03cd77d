"""The demonstration's selection of novel objects: its nulls, its result, and the picture of one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from active_learning import nulls
from broker.demo import model
from broker.demo.objects import DemoStream
from broker.operate.discoveries import select_night
from broker.operate.null_sets import folder, measured
from broker.settings import Settings
from models.datasets.labelled import Labelled
from models.progress import Progress
from models.training.snapshots import held_out
from schemas.taxonomy import name_of

SET_NAME = "demo"
"""Of the set of nulls that the demonstration keeps in its home."""

NIGHTS = 400
"""The window: the demonstration's stream is that of three years, and its objects are few."""

PICTURE = "novel.png"


@dataclass(frozen=True, slots=True)
class Selected:
    """``objects``: records of the selected objects, the smallest q-value first; ``n_nulls``; ``picture``: the file with
    the light curve of one, None where none was selected."""

    objects: list[dict[str, Any]]
    n_nulls: int
    picture: Path | None

    def true(self, truth: Mapping[int, int]) -> int:
        """How many truly are of a left-out class."""
        return sum(truth.get(one["object_id"]) in model.LEFT_OUT for one in self.objects)


def keep_nulls(settings: Settings, labelled: Labelled, stream: DemoStream, until_mjd: float, bar: Progress) -> int:
    """Keep as nulls the held-out objects of known classes that are not streamed, as they are at ``until_mjd``: a
    catalogue of the same sky, the same survey and the same time as the stream. Returns their number."""
    is_free = held_out(labelled, model.SEED) & ~np.isin(labelled.light_curves.object_id, list(stream.truth))
    of_known_class = ~np.isin(labelled.class_id, model.LEFT_OUT)
    objects = measured(labelled.select(np.flatnonzero(is_free & of_known_class)), until_mjd, bar)
    nulls.keep(folder(settings), SET_NAME, objects)
    return len(objects)


def select(settings: Settings, stream: DemoStream, now_ms: int, bar: Progress) -> Selected:
    """The night's selection over all that was streamed so far, published, and a picture of the surest object."""
    wide = settings.model_copy(update={"novelty_window_nights": NIGHTS})
    chosen = select_night(wide, night=None, strict=False, seed=model.SEED, now_ms=now_ms, progress=bar)
    objects = sorted(chosen.of_objects, key=lambda one: (one["q_value"], one["rank"]))
    picture = _picture(settings, stream, objects[0]) if objects else None
    return Selected(objects, int(chosen.of_night["n_nulls"]), picture)


def _picture(settings: Settings, stream: DemoStream, record: Mapping[str, Any]) -> Path:
    from broker.report.light_curve_plot import figure_of
    from broker.report.process_plot import predictions_of

    row = np.flatnonzero(stream.alerts.alert_id == record["alert_id"])[:1]
    curve = stream.alerts.select(row)
    truth = stream.truth[record["object_id"]]
    caption = f"selected as novel (q = {record['q_value']:.2g}), in truth {name_of(truth)}:"
    file = settings.home / PICTURE
    figure_of(curve, predictions_of(curve), [caption]).savefig(file, dpi=150)
    return file

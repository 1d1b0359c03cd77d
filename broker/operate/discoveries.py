"""The nightly selection with the home's settings: archive and labels in, novel objects to Kafka."""

from __future__ import annotations

from typing import Any

from active_learning import discoveries, labels, nulls
from active_learning.discoveries import Night, Window
from broker.kafka.message_log import labels_log, novel_log, selections_log
from broker.records import archive
from broker.records.build import broker_version
from broker.settings import Settings
from models.progress import Progress, silent
from models.registry.named_model import PRODUCTION, named

NULLS_FOLDER = "nulls"
"""In the home: sets of labelled light curves that were imported as nulls."""


def select_night(
    settings: Settings,
    *,
    night: int | None,
    strict: bool,
    seed: int,
    now_ms: int,
    publish: bool = True,
    progress: Progress = silent,
) -> Night:
    """Select among the objects of the nights up to ``night`` (MJD of its evening; default: the newest with alerts).

    What is new is published: messages of objects, then the message of the night, which closes it. Done again after a
    crash in between, it publishes no object twice. Raises LookupError without archive or model, KafkaFailure and
    NotSaved of Kafka, ValueError where a file of the home is damaged.
    """
    folder = archive.folder(settings)
    window = Window.of(folder, settings.novelty_window_nights, night)
    scorer = named(PRODUCTION, settings.registry())
    with labels_log(settings) as log:
        answers = labels.answers(stored.record for stored in log.read())
    imported = nulls.kept(settings.home / NULLS_FOLDER).values()
    parts = discoveries.roles(window, folder, answers, imported, scorer.class_ids.tolist(), progress)
    with novel_log(settings) as of_objects, selections_log(settings) as of_nights:
        objects, nights = ([stored.record for stored in log.read()] for log in (of_objects, of_nights))
        chosen = discoveries.night(
            scorer,
            parts,
            window,
            discoveries.history(objects, nights, window),
            fdr=settings.novelty_fdr,
            strict=strict,
            seed=seed,
            now_ms=now_ms,
            version=broker_version(),
        )
        if publish:
            there = {_identity(record) for record in objects}
            of_objects.append([record for record in chosen.of_objects if _identity(record) not in there])
            of_nights.append([chosen.of_night])
    return chosen


def _identity(record: dict[str, Any]) -> tuple[int, bool]:
    """An object is published once with an error rate; before that it may have been on a list without one."""
    return int(record["object_id"]), record["control"] != "uncontrolled"

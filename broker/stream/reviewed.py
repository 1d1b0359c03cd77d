"""Which labelled objects are none of the model's classes, and which are a fair sample of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from active_learning.labels import Answer
from schemas.taxonomy import lineage

CHOSEN_REASONS = ("uncertain", "novel")
"""Objects that were asked for because of their scores: no fair sample."""


@dataclass(frozen=True, slots=True)
class Reviewed:
    """Object ids: ``strangers``, whose labellers agree on a class that the model does not know (novel, bogus);
    ``fair_sample``, of the model's classes, labelled at random or from a catalogue."""

    strangers: frozenset[int] = frozenset()
    fair_sample: frozenset[int] = frozenset()


def reviewed(answers: Iterable[Answer], classes: Collection[int]) -> Reviewed:
    """Sort the labelled objects by whether the model knows their class; where labellers disagree, an object is
    neither."""
    fair_sample, strangers = set(), set()
    for answer in answers:
        if answer.class_id is None:
            continue
        if not is_known(answer.class_id, classes):
            strangers.add(answer.object_id)
        elif answer.newest["reason"] not in CHOSEN_REASONS:
            fair_sample.add(answer.object_id)
    return Reviewed(frozenset(strangers), frozenset(fair_sample))


def is_known(class_id: int, classes: Collection[int]) -> bool:
    """Whether a label may be one of the model's classes: itself, a part of one, or a group that holds one."""
    return any(class_id in lineage(one) or one in lineage(class_id) for one in classes)

"""Labels: what people answered, kept for ever, and what currently holds of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from uuid import uuid4

from schemas.taxonomy import NOT_CLASSIFIED, class_id_of

Record = dict[str, Any]
_OF_REQUEST = ("object_id", "object_name", "request_id", "reason", "propensity")
_OF_ALERT = ("alert_id", "input_topic", "input_partition", "input_offset", "model_sha256")


@dataclass(frozen=True, slots=True)
class Answer:
    """What holds of one object: the newest label of each labeller who has not taken it back."""

    object_id: int
    object_name: str
    by_labeller: Mapping[str, Record]

    @property
    def class_id(self) -> int | None:
        """The class that all labellers agree on; None where they do not."""
        classes = {int(label["class_id"]) for label in self.by_labeller.values()}
        return classes.pop() if len(classes) == 1 else None

    @property
    def is_conflict(self) -> bool:
        """Labellers disagree: the object is not used for training until one of them changes the label."""
        return self.class_id is None

    @property
    def label_ids(self) -> list[str]:
        """Ids of the labels that count, sorted."""
        return sorted(str(label["label_id"]) for label in self.by_labeller.values())

    @property
    def newest(self) -> Record:
        """The label given last."""
        return max(self.by_labeller.values(), key=lambda label: (label["created_ms"], label["label_id"]))


def label_of(request: Mapping[str, Any], class_id: int, labeller: str, now_ms: int, *, comment: str = "") -> Record:
    """A new label record that answers a request; LookupError for an unknown class, ValueError without a labeller."""
    if not labeller.strip():
        raise ValueError("a label needs the name of its labeller, found none")
    copied = {name: request[name] for name in (*_OF_REQUEST, *_OF_ALERT)}
    return copied | {
        "label_id": uuid4().hex,
        "class_id": class_id_of(class_id),
        "action": "label",
        "undoes": "",
        "labeller": labeller.strip(),
        "created_ms": now_ms,
        "comment": comment,
    }


def skip_of(request: Mapping[str, Any], labeller: str, now_ms: int) -> Record:
    """A record that says that this labeller does not wish to answer; not a label."""
    return label_of(request, NOT_CLASSIFIED, labeller, now_ms) | {"action": "skip"}


def undo_of(label: Mapping[str, Any], labeller: str, now_ms: int) -> Record:
    """A record that takes back a label or a skip; only its own labeller's counts."""
    return {
        **label,
        "label_id": uuid4().hex,
        "action": "undo",
        "undoes": label["label_id"],
        "labeller": labeller,
        "created_ms": now_ms,
    }


def answers(records: Iterable[Mapping[str, Any]]) -> dict[int, Answer]:
    """What holds after all these label records (in the order of the log), by object id.

    The newest label of a labeller that is not taken back counts; an undo counts for the labeller's own
    labels only, and brings the one before it back; a skip is no label; a record that comes twice
    counts once.
    """
    by_object: dict[int, dict[str, Record]] = {}
    for record in standing(records):
        if record["action"] == "label":
            by_object.setdefault(record["object_id"], {})[record["labeller"]] = record
    return {
        object_id: Answer(object_id, next(iter(labels.values()))["object_name"], labels)
        for object_id, labels in by_object.items()
    }


def standing(records: Iterable[Mapping[str, Any]]) -> list[Record]:
    """Labels and skips that have not been taken back, each once, in order."""
    once = {record["label_id"]: dict(record) for record in records}
    undone = {
        record["undoes"]
        for record in once.values()
        if record["action"] == "undo" and once.get(record["undoes"], {}).get("labeller") == record["labeller"]
    }
    return [r for label_id, r in once.items() if r["action"] in ("label", "skip") and label_id not in undone]


def counts_by_class(current: Mapping[int, Answer]) -> dict[int, int]:
    """How many objects have each class; conflicts are left out."""
    return dict(Counter(answer.class_id for answer in current.values() if answer.class_id is not None))


def fingerprint(label_ids: Iterable[str]) -> str:
    """SHA-256, in hexadecimal, of a set of labels: the same for the same labels in any order."""
    return sha256("\n".join(sorted(label_ids)).encode()).hexdigest()

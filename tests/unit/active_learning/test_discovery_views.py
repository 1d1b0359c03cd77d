"""What the page says of novel and strange objects: controlled only where it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from active_learning.web.choices import ACTION_KEYS
from active_learning.web.discovery_desk import NOVEL, STRANGE, Discovery
from active_learning.web.discovery_views import OPINION_KEYS, OPINION_MARKS, row_of, view_of
from models.discovery.interest import Opinion

RecordOf = Callable[..., dict[str, Any]]
NAN = float("nan")
SELECTED = {
    "night": 61_000,
    "nights": 1,
    "n_objects": 1_500,
    "control": "controlled",
    "fdr": 0.1,
    "q_value": 0.034,
    "nearest_known_class_ids": [],
    "driver_features": [],
    "driver_deviations": [],
}


def text_of(one: Discovery) -> str:
    view = view_of(one, [one])
    return " ".join([view.why, *(part for fact in view.facts for part in fact), view.row.evidence, view.row.nearest])


@pytest.mark.parametrize(
    ("control", "words"),
    [("controlled", "rate of 10 %"), ("strict", "with a proof for finite samples"), ("uncontrolled", "not controlled")],
)
def test_the_words_of_a_selection_follow_its_promise(record_of: RecordOf, control: str, words: str) -> None:
    rates = {"fdr": NAN, "q_value": NAN} if control == "uncontrolled" else {}
    text = text_of(Discovery(record_of(7, **SELECTED | {"control": control} | rates), NOVEL, None))
    assert words in text
    assert "nan" not in text
    assert "1,500 objects of the 1 night up to 2025-11-21" in text
    assert ("no error rate is promised" in text) == (control == "uncontrolled")


@pytest.mark.parametrize("calibration", ["training", "stream", "labelled"])
def test_a_strange_object_is_never_called_controlled(record_of: RecordOf, calibration: str) -> None:
    record = record_of(7, novelty_p_value=0.0012, novelty_calibration=calibration, control="controlled", q_value=0.01)
    text = text_of(Discovery(record, STRANGE, Opinion.BORING))
    assert "not controlled" in text
    assert "controlled" not in text.replace("not controlled", "")
    assert "p = 0.0012" in text
    assert "q =" not in text


def test_what_is_missing_is_a_dash(record_of: RecordOf) -> None:
    record = record_of(7, ra_deg=NAN, dec_deg=NAN, p_survey=[], object_name="")
    view = view_of(Discovery(record, STRANGE, None), [])
    assert [value for _, value, _ in view.facts] == ["not controlled", "—", "—", "—"]
    assert (view.row.name, view.links, view.members) == ("7", [], [])


def test_a_vote_has_a_mark_and_a_key_of_its_own(record_of: RecordOf) -> None:
    assert set(OPINION_KEYS) == set(OPINION_MARKS) == set(Opinion)
    keys = [*OPINION_KEYS.values(), *ACTION_KEYS.values()]
    assert len(set(keys)) == len(keys)
    row = row_of(Discovery(record_of(7), STRANGE, Opinion.INTERESTING))
    assert (row.opinion, row.mark) == ("interesting", "★")

"""DeadLetter: why a message, or an alert in it, could not be used."""

from __future__ import annotations

from typing import NamedTuple

STAGES = ("fetch", "decode", "light curve", "features", "score", "deliver")
"""Where an alert can fail, in the order it travels."""


class DeadLetter(NamedTuple):
    """One refusal: ``packet_index`` is the message's place in the batch, ``stage`` one of :data:`STAGES`,
    ``reason`` a sentence that says what was expected and what was found."""

    packet_index: int
    stage: str
    reason: str

"""Every Redis key of the broker. Each begins with the topic prefix: two brokers on one Redis share nothing.

The first word after the prefix says what is kept: ``object``, ``candidates``, ``points``.
"""

from __future__ import annotations

from dataclasses import dataclass

from schemas import history


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of one broker. ``prefix``: the setting ``topic_prefix``; there is no default."""

    prefix: str

    def __post_init__(self) -> None:
        if not self.prefix:
            raise ValueError("Redis keys must begin with the topic prefix, found an empty one: set topic_prefix")

    def object_state(self, object_id: int) -> str:
        """The newest classification of an object, by its 64-bit id."""
        return f"{self.prefix}:object:{object_id}"

    def candidate_nights(self) -> str:
        """The sorted set of nights that have candidates (MJD of the evening)."""
        return f"{self.prefix}:candidates:nights"

    def candidate_pool(self, pool: str, night: int) -> str:
        """The sorted set of a night's object ids in one of ``active_learning.candidates.POOLS``."""
        return f"{self.prefix}:candidates:{pool}:{night}"

    def points(self, survey: int, object_id: int) -> str:
        """The older points of an object, as bytes of ``schemas.history``'s version; ``survey``: its code."""
        return f"{self.prefix}:points:{history.VERSION}:{survey}:{object_id}"

    def of_candidates(self) -> tuple[str, str]:
        """Patterns that match every key of candidates and object states, and no other."""
        return f"{self.prefix}:candidates:*", f"{self.prefix}:object:*"

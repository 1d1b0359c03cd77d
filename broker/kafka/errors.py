"""What can go wrong with Kafka: each error is one line that names the address or topic and what to do next.

No ``KafkaException`` of the client library leaves this room: :class:`broker.kafka.clients.Connection` turns it into
one of these. All are ``KafkaFailure``, and each is also the built-in error that says the same.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from confluent_kafka import KafkaError

from active_learning.logs import NotSaved

PATIENCE_S = 120.0
"""How long a Kafka that does not answer is waited for, seconds: longer than a broker's restart."""

PASSING = frozenset(
    {
        KafkaError._TRANSPORT,
        KafkaError._TIMED_OUT,
        KafkaError._MSG_TIMED_OUT,
        KafkaError._ALL_BROKERS_DOWN,
        KafkaError._RESOLVE,
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.REQUEST_TIMED_OUT,
        KafkaError.BROKER_NOT_AVAILABLE,
        KafkaError.REPLICA_NOT_AVAILABLE,
        KafkaError.COORDINATOR_NOT_AVAILABLE,
        KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    }
)
"""Codes of errors that pass by themselves when a broker comes back or a leader is elected."""

IDENTITY = frozenset(
    {
        KafkaError._AUTHENTICATION,
        KafkaError.SASL_AUTHENTICATION_FAILED,
        KafkaError.UNSUPPORTED_SASL_MECHANISM,
        KafkaError.ILLEGAL_SASL_STATE,
    }
)
"""Codes of a user name, password or mechanism that Kafka does not accept."""

RIGHTS = frozenset(
    {
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.GROUP_AUTHORIZATION_FAILED,
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    }
)
"""Codes of a user who may not do this (Kafka's access control lists)."""

MISSING = frozenset({KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC, KafkaError._UNKNOWN_PARTITION})
"""Codes of a topic or partition that does not exist."""

log = logging.getLogger(__name__)

T = TypeVar("T")


class KafkaFailure(OSError):
    """Kafka did not do what was asked; all errors of this room are of this kind."""


class Unreachable(KafkaFailure, ConnectionError):
    """Kafka does not answer, or gives nothing of what it has. It may come back by itself."""


class AccessRefused(KafkaFailure, PermissionError):
    """Kafka, or our own check of its certificate, refuses the connection, the user or the operation."""


class NoSuchTopic(KafkaFailure, LookupError):
    """A topic or partition does not exist."""


class NotStored(KafkaFailure, NotSaved):
    """Kafka did not acknowledge a record of a log: it must be taken as lost."""


class UndeliveredError(KafkaFailure):
    """Messages did not reach a topic, for a reason that is not theirs: the task has to be done again."""


class PacketGone(KafkaFailure, LookupError):
    """Kafka no longer holds a packet: its retention has removed it."""


class LostOffsets(KafkaFailure):
    """Offsets that should be read are no longer in Kafka."""


def patiently(ask: Callable[[], T], patience_s: float) -> T:
    """Ask until Kafka answers: Unreachable is tried again for ``patience_s`` seconds, other errors are raised."""
    deadline = time.monotonic() + patience_s
    while True:
        try:
            return ask()
        except Unreachable as error:
            if time.monotonic() > deadline:
                raise
            log.warning("asking again: %s", error)
            time.sleep(1)

"""From candidates to a night's requests in Kafka."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from active_learning import labels, requests
from active_learning.candidates import Candidate
from active_learning.exposure import Spectrograph
from active_learning.planner import Plan, plan


def plan_night(
    kafka_client: Mapping[str, Any],
    prefix: str,
    candidates: Sequence[Candidate],
    *,
    budget_hours: float,
    random_fraction: float,
    seed: int,
    night: int,
    now_ms: int,
    telescope: Spectrograph | None = None,
    publish: bool = True,
) -> Plan:
    """Plan a night (MJD of its evening) and publish its requests; what is open or labelled is not asked again.

    ``prefix``: of the topics. Raises NotSaved where Kafka does not acknowledge them, KafkaException; other arguments
    as for :func:`active_learning.planner.plan`.
    """
    with requests.log_of(kafka_client, prefix) as request_log, labels.log_of(kafka_client, prefix) as label_log:
        answered = labels.answers(stored.record for stored in label_log.read())
        still_open = requests.unanswered((stored.record for stored in request_log.read()), answered)
        found = plan(
            candidates,
            budget_hours=budget_hours,
            random_fraction=random_fraction,
            seed=seed,
            night=night,
            created_ms=now_ms,
            excluded=requests.not_to_ask(still_open, answered),
            label_counts=labels.counts_by_class(answered),
            telescope=telescope,
        )
        if publish:
            request_log.append(found.requests)
    return found

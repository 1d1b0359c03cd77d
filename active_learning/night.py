"""From the candidates in Redis to a night's requests in Kafka."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from active_learning import labels, requests
from active_learning.candidates import CandidateStore
from active_learning.exposure import Spectrograph
from active_learning.planner import Plan, plan


def plan_night(
    kafka_client: Mapping[str, Any],
    redis_url: str,
    prefix: str,
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

    Raises NotSaved where Kafka does not acknowledge them, redis.RedisError, KafkaException; arguments as
    for :func:`active_learning.planner.plan`.
    """
    with requests.log_of(kafka_client, prefix) as request_log, labels.log_of(kafka_client, prefix) as label_log:
        answered = labels.answers(stored.record for stored in label_log.read())
        still_open = requests.unanswered((stored.record for stored in request_log.read()), answered)
        found = plan(
            CandidateStore(redis_url, prefix).candidates(),
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

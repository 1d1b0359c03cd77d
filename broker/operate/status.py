"""What runs in a home: its services, the topics of its Kafka, the streaming job."""

from __future__ import annotations

import time
from typing import Any

from broker.kafka import topics, watermarks
from broker.kafka.errors import KafkaFailure
from broker.local.services import is_local, running
from broker.operate import drift_file
from broker.settings import Settings
from broker.state import connection
from broker.stream.batch_log import job_report, read_batches


def report(settings: Settings) -> dict[str, Any]:
    """Kafka and Redis (running, address, pid, uptime in s), topics with their messages, the job with lag and rates.

    ``kafka`` has ``why`` where Kafka does not answer; each topic has its ``kind``, see :func:`kind_of`. ``drift`` has a
    line for each sign of drift.
    """
    kafka = _service(settings, "kafka")
    ranges: watermarks.Ranges = {}
    if kafka["address"]:
        try:
            ranges = watermarks.all_ranges(settings)
            kafka["running"] = True
        except KafkaFailure as failure:
            kafka |= {"running": False, "why": str(failure)}
    cache = _service(settings, "redis")
    cache["running"] = bool(cache["address"]) and connection.answers(cache["address"])
    ends = {topic: {number: end for number, (_, end) in of_topic.items()} for topic, of_topic in ranges.items()}
    return {
        "home": str(settings.home),
        "kafka": kafka,
        "redis": cache,
        "topics": [_topic(settings, name, of_topic) for name, of_topic in ranges.items()],
        "job": job_report(read_batches(settings.home), ends, time.time()),
        "drift": drift_file.warnings(settings.home),
    }


def kind_of(settings: Settings, topic: str) -> str:
    """What a topic is here: ``input``, ``output`` (one of the fixed ones), ``class``, ``filter`` or ``other``."""
    if topic in settings.input_topics:
        return "input"
    if topic in topics.fixed(settings):
        return "output"
    for kind, prefix in (("class", topics.of_class_prefix(settings)), ("filter", topics.of_filter(settings, ""))):
        if topic.startswith(prefix):
            return kind
    return "other"


def _service(settings: Settings, name: str) -> dict[str, Any]:
    """Where the service is: this home's own process, or the address that the settings give."""
    if not is_local(settings, name):
        address = {"kafka": settings.kafka_bootstrap_servers, "redis": settings.redis_url}[name]
        return {"running": False, "local": False, "address": address, "pid": None, "uptime_s": None}
    process = running(settings, name)
    address = settings.services().get(name, {}).get("address", "") if process else ""
    uptime_s = round(time.time() - process.create_time(), 1) if process else None
    pid = process.pid if process else None
    return {"running": process is not None, "local": True, "address": address, "pid": pid, "uptime_s": uptime_s}


def _topic(settings: Settings, name: str, ranges: dict[int, tuple[int, int]]) -> dict[str, Any]:
    messages = sum(end - first for first, end in ranges.values())
    return {"topic": name, "kind": kind_of(settings, name), "partitions": len(ranges), "messages": messages}

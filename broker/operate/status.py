"""What runs in a home: its services, the topics of its Kafka, the streaming job."""

from __future__ import annotations

import logging
import time
from typing import Any

from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from broker.local.services import is_local, running
from broker.settings import Settings
from broker.state import connection
from broker.stream.progress_file import job_report, read_progress

Ranges = dict[str, dict[int, tuple[int, int]]]
"""Topic to partition to (first offset, end offset)."""


def report(settings: Settings) -> dict[str, Any]:
    """Kafka and Redis (running, address, pid, uptime in s), topics with their messages, the job with lag and rates."""
    kafka, client = _service(settings, "kafka"), None
    if kafka["address"]:
        client = settings.kafka_client()
    ranges = read_ranges(client) if client and (kafka["running"] or not kafka["local"]) else None
    kafka["running"] = ranges is not None
    cache = _service(settings, "redis")
    cache["running"] = bool(cache["address"]) and connection.answers(cache["address"])
    ends = {topic: {p: end for p, (_, end) in found.items()} for topic, found in (ranges or {}).items()}
    return {
        "home": str(settings.home),
        "kafka": kafka,
        "redis": cache,
        "topics": [_topic(name, found) for name, found in sorted((ranges or {}).items())],
        "job": job_report(read_progress(settings.home), ends, time.time()),
    }


def read_ranges(client: dict[str, str]) -> Ranges | None:
    """First and end offset of every partition of every topic (Kafka's own aside); None where Kafka does not answer."""
    quiet = logging.getLogger("kafka-client")
    quiet.addHandler(logging.NullHandler())
    quiet.propagate = False
    admin = AdminClient(dict(client), logger=quiet)
    try:
        topics = {
            name: topic for name, topic in admin.list_topics(timeout=5).topics.items() if not name.startswith("__")
        }
        places = [TopicPartition(name, partition) for name, topic in topics.items() for partition in topic.partitions]
        if not places:
            return {}
        firsts = admin.list_offsets({place: OffsetSpec.earliest() for place in places}, request_timeout=10)
        ends = admin.list_offsets({place: OffsetSpec.latest() for place in places}, request_timeout=10)
        found: Ranges = {name: {} for name in sorted(topics)}
        for place in places:
            found[place.topic][place.partition] = (firsts[place].result().offset, ends[place].result().offset)
        return found
    except KafkaException:
        return None


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


def _topic(name: str, ranges: dict[int, tuple[int, int]]) -> dict[str, Any]:
    return {"topic": name, "partitions": len(ranges), "messages": sum(end - first for first, end in ranges.values())}

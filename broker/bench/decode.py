"""Wire messages to light curves: the columnar reader beside fastavro, which reads the same bytes to dictionaries."""

from __future__ import annotations

import io
from importlib.metadata import version
from typing import Any

import fastavro

from broker.bench import alerts
from broker.bench.contest import Contestant, Progress, Timing, side_by_side
from schemas import packets

N_ALERTS = 500
N_DETECTIONS, N_FORCED = 40, 100
"""A well-observed transient's history: with images a packet of 57 kB."""

PEER_ALERTS = 60
"""fastavro does so many a round: it is slower by two orders."""

OURS, FULL, PROJECTED = "gueststar", "fastavro", "fastavro, with a reader schema"

KEPT_FIELDS = {
    "midpointMjdTai", "ra", "dec", "psfFlux", "psfFluxErr", "band", "timeWithdrawnMjdTai", "diaSourceId",
    "diaObjectId", "ssObjectId", "reliability", "diaSource", "prvDiaSources", "prvDiaForcedSources", "diaObject",
}  # fmt: skip
"""What a light curve needs: the reader schema of the second peer."""


def contest(progress: Progress) -> tuple[dict[str, Timing], dict[str, Any]]:
    """CPU time of one alert by contestant, and what the messages were."""
    light_curves = alerts.made_up(N_ALERTS, N_DETECTIONS, N_FORCED)
    messages = alerts.messages(light_curves)
    definition, _ = packets.as_avro(messages[0])
    schema, narrow = fastavro.parse_schema(definition), fastavro.parse_schema(projection(definition))
    few = [packets.as_avro(message)[1] for message in messages[:PEER_ALERTS]]

    def peer(reader_schema: Any) -> list[Any]:
        return [fastavro.schemaless_reader(io.BytesIO(record), schema, reader_schema) for record in few]

    timings = side_by_side(
        [
            Contestant(OURS, lambda: packets.read(messages), len(messages)),
            Contestant(FULL, lambda: peer(None), len(few)),
            Contestant(PROJECTED, lambda: peer(narrow), len(few)),
        ],
        progress,
    )
    return timings, {
        "peer": f"fastavro {version('fastavro')}, schemaless_reader",
        "bytes": round(sum(map(len, messages)) / len(messages)),
        "points": N_DETECTIONS + N_FORCED,
    }


def projection(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema with only the fields that a light curve is made of."""
    return {**schema, "fields": [_projected(field) for field in schema["fields"] if field["name"] in KEPT_FIELDS]}


def _projected(field: dict[str, Any]) -> dict[str, Any]:
    return {**field, "type": _type(field["type"])}


def _type(kind: Any) -> Any:
    if isinstance(kind, list):
        return [_type(branch) for branch in kind]
    if isinstance(kind, dict) and kind.get("type") == "record":
        return projection(kind)
    if isinstance(kind, dict) and kind.get("type") == "array":
        return {**kind, "items": _type(kind["items"])}
    return kind

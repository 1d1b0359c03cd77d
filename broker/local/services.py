"""Start and stop the Kafka and the Redis of one home, and remember where they are."""

from __future__ import annotations

import json
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import psutil

from broker.local import kafka_server, redis_server
from broker.local.processes import alive, locked
from broker.settings import Settings
from broker.started_services import SERVICES_FILE
from schemas.whole_file import write_whole

PARTS: dict[str, ModuleType] = {"kafka": kafka_server, "redis": redis_server}
"""Started in this order, ended in the other. Each part has server, choose_ports, launch, answers and its deadlines."""

ADDRESSES = {"kafka": "127.0.0.1:{port}", "redis": "redis://127.0.0.1:{port}"}


@dataclass(frozen=True)
class Launched:
    """A server on its way up: what it is, its process, and whether this call started it."""

    name: str
    process: psutil.Process
    port: int
    is_new: bool


def start(settings: Settings) -> dict[str, Any]:
    """Bring up the home's Kafka and Redis; returns what ``services.json`` then holds. Harmless when they run.

    A service that the settings place elsewhere (kafka_bootstrap_servers, redis_url) is left alone.
    Raises LookupError (no Java, no Redis), JarError, ServerError.
    """
    with locked(settings.home / "services.lock"):
        remembered = settings.services()
        launched: list[Launched] = []
        try:
            for name in filter(lambda name: is_local(settings, name), PARTS):
                launched.append(_launched(settings, name, remembered))
            for server in launched:
                _wait_and_remember(settings, server, remembered)
        except BaseException:  # also Ctrl-C: an `up` that fails leaves nothing running that it started
            for server in reversed(launched):
                if server.is_new and alive(server.process):
                    _end(settings, server.name, server.process)
            raise
    return remembered


def stop(settings: Settings) -> list[str]:
    """End the home's Redis and Kafka, whoever started them; returns the names of those that ran, none when none did."""
    if not settings.home.exists():
        return []
    ended = []
    with locked(settings.home / "services.lock"):
        remembered = settings.services()
        for name in reversed(PARTS):
            if process := running(settings, name):
                _end(settings, name, process)
                ended.append(name)
            _forget(remembered, name)
        _remember(settings, remembered)
    return ended


def running(settings: Settings, name: str) -> psutil.Process | None:
    """The process of the home's ``kafka`` or ``redis``, None where it does not run."""
    process: psutil.Process | None = PARTS[name].server(settings.home).find()
    return process


def is_local(settings: Settings, name: str) -> bool:
    """Whether the service is this home's own, not one that the settings place elsewhere."""
    return not {"kafka": settings.kafka_bootstrap_servers, "redis": settings.redis_url}[name]


def _launched(settings: Settings, name: str, remembered: dict[str, Any]) -> Launched:
    """The server's process: the one that runs, else a new one. Its ports are written down before it starts."""
    part, last_start = PARTS[name], remembered.get(name, {})
    if process := running(settings, name):
        if "port" in last_start:
            return Launched(name, process, last_start["port"], is_new=False)
        _end(settings, name, process)  # nobody knows where it listens
    taken = {port for service in remembered.values() for key, port in service.items() if key.endswith("port")}
    ports = part.choose_ports(last_start, taken - set(last_start.values()))
    _forget(remembered, name)
    remembered[name] = remembered.get(name, {}) | ports
    _remember(settings, remembered)
    return Launched(name, part.launch(settings, ports), ports["port"], is_new=True)


def _wait_and_remember(settings: Settings, launched: Launched, remembered: dict[str, Any]) -> None:
    """Return when the server answers, be it new or left behind by a killed run, and write down where it is."""
    part = PARTS[launched.name]
    server = part.server(settings.home)
    server.wait_until(lambda: part.answers(launched.port), launched.process, part.READY_DEADLINE_S)
    remembered[launched.name] |= {
        "address": ADDRESSES[launched.name].format(port=launched.port),
        "pid": launched.process.pid,
        "since": launched.process.create_time(),
    }
    _remember(settings, remembered)


def _end(settings: Settings, name: str, process: psutil.Process) -> None:
    PARTS[name].server(settings.home).end(process, PARTS[name].PATIENCE_S)


def _forget(remembered: dict[str, Any], name: str) -> None:
    """Keep the ports for the next run, and nothing that would let a client look for a server that is gone."""
    for key in ("address", "pid", "since"):
        remembered.get(name, {}).pop(key, None)


def _remember(settings: Settings, services: dict[str, Any]) -> None:
    write_whole(settings.home / SERVICES_FILE, json.dumps(services, indent=1) + "\n")

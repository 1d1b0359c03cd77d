"""Kinds of settings that a plain type is too wide for: names that Kafka takes, addresses, a file of settings."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

TOPIC_LENGTH, PREFIX_LENGTH = 249, 200
"""Letters of a topic's name that Kafka takes at most, and of a prefix: after it come ``.class.`` and a name."""

_LETTERS = re.compile(r"[a-zA-Z0-9._-]+")


def topic_name(name: str, most: int = TOPIC_LENGTH) -> str:
    """The name; ValueError where Kafka would refuse it."""
    if not _LETTERS.fullmatch(name) or name in (".", "..") or len(name) > most:
        raise ValueError(f"must be 1 to {most} letters a-z, A-Z, digits, '.', '_' or '-', as Kafka takes for a topic")
    return name


def server_list(servers: str) -> str:
    """Kafka servers, separated by commas; empty where none is set. ValueError where one has no host or no port."""
    for server in servers.split(",") if servers else ():
        _host_and_port(server.strip().rpartition("://")[2])
    return servers


def redis_address(address: str) -> str:
    """An address of Redis; empty where none is set. ValueError where the client could not use it."""
    if not address:
        return address
    scheme, separator, rest = address.partition("://")
    if scheme not in ("redis", "rediss", "unix") or not separator or not rest:
        raise ValueError("must be redis://host:port, rediss://host:port or unix:///path")
    try:
        port_is_valid = urlsplit(address).port != 0
    except ValueError:
        port_is_valid = False
    if not port_is_valid:
        raise ValueError("must have a port from 1 to 65535, as in redis://host:6379")
    return address


def host(name: str) -> str:
    """A host or an address to listen on; ValueError where it is empty or holds a space."""
    if not name or name != "".join(name.split()):
        raise ValueError("must be a host or an address, such as 127.0.0.1")
    return name


def settings_toml(file: Path, *, is_named: bool) -> Path:
    """A file of settings; ValueError where it is no file, or is missing though a variable names it (``is_named``)."""
    if file.is_dir():
        raise ValueError(f"{file} must be a TOML file of settings, found a folder")
    if is_named and not file.exists():
        raise ValueError(f"{file}, named by GUESTSTAR_CONFIG, must be a TOML file of settings: there is no such file")
    return file


def _host_and_port(server: str) -> None:
    address, _, port = server.rpartition(":")
    if not address or not re.fullmatch(r"[0-9]{1,5}", port) or not 1 <= int(port) <= 65535 or " " in address:
        raise ValueError("must be a list of host:port, separated by commas, such as 127.0.0.1:9092")

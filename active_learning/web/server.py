"""Serve the page: a free port, remembered, so that a bookmark still holds tomorrow."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

PORT_FILE = "label.json"


def bound_socket(host: str, port: int, home: Path) -> socket.socket:
    """A socket that listens on ``port``; with port 0, on the one remembered in the home, else on a free one.

    The port is remembered in ``<home>/label.json``. Raises OSError where the port asked for is taken.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for wanted in [port] if port else [_remembered(home), 0]:
        listener = socket.socket(family)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, wanted))
            listener.listen(128)
        except OSError as error:
            listener.close()
            if port:
                raise OSError(f"cannot listen on {host}:{port}: {error.strerror}; give another --port") from error
            continue
        _remember(home, host, listener.getsockname()[1])
        return listener
    raise OSError(f"the labelling page found no free port on {host}")


def serve(app: Starlette, listener: socket.socket) -> None:
    """Serve until interrupted."""
    uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False, server_header=False)).run([listener])


def _remembered(home: Path) -> int:
    try:
        return int(json.loads((home / PORT_FILE).read_text())["port"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0


def _remember(home: Path, host: str, port: int) -> None:
    home.mkdir(parents=True, exist_ok=True)
    (home / PORT_FILE).write_text(json.dumps({"host": host, "port": port}) + "\n")

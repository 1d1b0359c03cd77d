"""Settings: which source wins, and what a wrong one is told."""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from broker.commands.options import with_settings
from broker.kafka import clients
from broker.setting_errors import SettingsError, mistyped_variables
from broker.settings import Settings, default_home
from broker.started_services import SERVICES_FILE
from schemas import packets
from schemas.input_topics import DEFAULT_TOPIC


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GUESTSTAR_HOME", str(tmp_path))
    return tmp_path


@click.command()
@with_settings("max_alerts_per_batch", "input_topics", "lost_offsets", "novelty_fdr")
def show(settings: Settings) -> None:
    click.echo(settings.model_dump_json(include={"max_alerts_per_batch", "input_topics", "lost_offsets"}))


def shown(*flags: str) -> dict[str, object]:
    result = CliRunner().invoke(show, flags, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    report: dict[str, object] = json.loads(result.output)
    return report


def test_the_default_holds_where_nothing_is_set(home: Path) -> None:
    assert shown() == {"max_alerts_per_batch": 10_000, "input_topics": [DEFAULT_TOPIC], "lost_offsets": "stop"}


def test_the_readers_and_the_settings_agree_on_the_default_topic() -> None:
    assert packets.DEFAULT_TOPIC == DEFAULT_TOPIC


def test_a_flag_wins_over_a_variable_and_a_variable_over_the_file(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "gueststar.toml").write_text(
        'max_alerts_per_batch = 1\ninput_topics = ["file"]\nlost_offsets = "dead-letter"'
    )
    assert shown() == {"max_alerts_per_batch": 1, "input_topics": ["file"], "lost_offsets": "dead-letter"}
    monkeypatch.setenv("GUESTSTAR_MAX_ALERTS_PER_BATCH", "2")
    monkeypatch.setenv("GUESTSTAR_INPUT_TOPICS", "variable")
    assert shown() == {"max_alerts_per_batch": 2, "input_topics": ["variable"], "lost_offsets": "dead-letter"}
    flags = ("--max-alerts-per-batch", "3", "--input-topics", "one", "--input-topics", "two", "--lost-offsets", "stop")
    assert shown(*flags) == {"max_alerts_per_batch": 3, "input_topics": ["one", "two"], "lost_offsets": "stop"}


@pytest.mark.parametrize("text", ["a,b-2", " a , b-2 ,", '["a", "b-2"]'])
def test_a_variable_holds_a_list_with_commas_or_as_json(home: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("GUESTSTAR_INPUT_TOPICS", text)
    assert Settings().input_topics == ["a", "b-2"]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.from_regex(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,39}", fullmatch=True), min_size=1, max_size=5))
def test_every_list_of_topic_names_survives_the_commas(topics: list[str]) -> None:
    assert Settings(input_topics=",".join(topics)).input_topics == topics


def test_an_empty_variable_counts_as_not_set(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GUESTSTAR_JARS", "")
    monkeypatch.setenv("GUESTSTAR_NOVELTY_FDR", "")
    assert Settings().jars is None
    assert Settings().novelty_fdr == 0.1


def test_a_wrong_flag_is_told_with_the_flag(home: Path) -> None:
    with pytest.raises(SettingsError, match=r"setting novelty_fdr \(from --novelty-fdr\) must be less than 1, found 7"):
        CliRunner().invoke(show, ["--novelty-fdr", "7"], catch_exceptions=False)
    refused = CliRunner().invoke(show, ["--lost-offsets", "ignore"])
    assert refused.exit_code == 2
    assert "'stop', 'dead-letter'" in refused.output


def test_a_wrong_variable_is_told_with_the_variable(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GUESTSTAR_MAX_ALERTS_PER_BATCH", "many")
    expected = (
        r"setting max_alerts_per_batch \(from GUESTSTAR_MAX_ALERTS_PER_BATCH\) must be a valid integer.*found 'many'"
    )
    with pytest.raises(SettingsError, match=expected):
        Settings()


def test_a_wrong_line_of_the_file_is_told_with_the_file(home: Path) -> None:
    file = home / "gueststar.toml"
    file.write_text("random_fraction = 1.5\n")
    with pytest.raises(SettingsError) as error:
        Settings()
    assert str(error.value) == f"setting random_fraction (from {file}) must be less than or equal to 1, found 1.5"


def test_an_unknown_name_in_the_file_is_refused_with_the_likely_one(home: Path) -> None:
    (home / "gueststar.toml").write_text('input_topic = ["a"]\n')
    with pytest.raises(
        SettingsError, match=r"gueststar\.toml sets input_topic, which is no setting; did you mean input_topics\?"
    ):
        Settings()


def test_every_wrong_setting_is_told_at_once(home: Path) -> None:
    with pytest.raises(SettingsError) as error:
        Settings(novelty_fdr=0, sample_fraction=2)
    assert len(str(error.value).splitlines()) == 2


def test_a_file_that_is_not_toml_is_named(home: Path) -> None:
    (home / "gueststar.toml").write_text("input_topics: [a]\n")
    with pytest.raises(SettingsError, match=r"gueststar\.toml is not TOML: .*line 1"):
        Settings()


def test_the_file_may_lie_elsewhere(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "night.toml").write_text('topic_prefix = "night"\n')
    monkeypatch.setenv("GUESTSTAR_CONFIG", str(home / "night.toml"))
    assert Settings().topic_prefix == "night"


def test_another_home_has_its_own_file(home: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = tmp_path_factory.mktemp("other")
    (other / "gueststar.toml").write_text('topic_prefix = "other"\n')
    assert Settings(home=other).topic_prefix == "other"
    assert Settings().topic_prefix == "gueststar"


def test_a_password_is_never_shown(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GUESTSTAR_KAFKA_PASSWORD", "s3cret")
    assert "s3cret" not in repr(Settings())
    with pytest.raises(SettingsError) as error:
        Settings(kafka_password=["s3cret"])
    assert "kafka_password" in str(error.value)
    assert "s3cret" not in str(error.value)


def test_the_home_is_absolute_and_may_start_with_a_tilde(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GUESTSTAR_HOME", "~/stars")
    assert default_home() == Settings().home == tmp_path / "stars"
    assert Settings(home="stars").home == Path.cwd() / "stars"


def test_a_close_miss_among_the_variables_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GUESTSTAR_INPUT_TOPIC", "a")
    monkeypatch.setenv("GUESTSTAR_XYZ", "a")
    expected = "the variable GUESTSTAR_INPUT_TOPIC is no setting; did you mean GUESTSTAR_INPUT_TOPICS?"
    assert mistyped_variables(Settings.model_fields) == [expected]


@contextmanager
def server_in(folder: Path) -> Iterator[int]:
    """The id of a process whose working folder is this one, as that of a server of the home."""
    folder.mkdir(parents=True)
    with subprocess.Popen(["sleep", "60"], cwd=folder) as process:
        yield process.pid
        process.kill()


def test_an_address_in_the_settings_wins_over_what_up_started(home: Path) -> None:
    with ExitStack() as servers:
        services = {
            name: {"address": address, "pid": servers.enter_context(server_in(home / name))}
            for name, address in (("kafka", "127.0.0.1:1"), ("redis", "redis://x"))
        }
        (home / SERVICES_FILE).write_text(json.dumps(services))
        assert Settings().bootstrap_servers() == "127.0.0.1:1"
        assert Settings().redis_address() == "redis://x"
    assert Settings(kafka_bootstrap_servers="far:9092").bootstrap_servers() == "far:9092"
    assert Settings(redis_url="redis://far").redis_address() == "redis://far"


@pytest.mark.parametrize(
    "services",
    [
        None,
        {"kafka": {}},
        {"kafka": {"port": 20001}},
        {"kafka": {"address": "127.0.0.1:1"}},
        {"kafka": {"address": "127.0.0.1:1", "pid": 2**22 + 1}},
        {"kafka": {"address": "127.0.0.1:1", "pid": 1}},
        {"kafka": {"address": "127.0.0.1:1", "pid": os.getpid()}},
        {"kafka": {"address": "127.0.0.1:1", "pid": -1}},
        {"kafka": {"address": "127.0.0.1:1", "pid": 10**30}},
    ],
)
def test_no_address_is_given_of_a_service_that_does_not_run(home: Path, services: dict[str, object] | None) -> None:
    if services is not None:
        (home / SERVICES_FILE).write_text(json.dumps(services))
    with pytest.raises(
        LookupError, match=r"no kafka runs in .*: run `gueststar up`, or set GUESTSTAR_KAFKA_BOOTSTRAP_SERVERS"
    ):
        Settings().bootstrap_servers()


@pytest.mark.parametrize(
    "text",
    ["{", "[]", "null", "", "\xff", '{"kafka": []}', '{"kafka": {"address": 5, "pid": 1}}', '{"kafka": {"pid": "x"}}'],
)
def test_a_damaged_file_of_services_is_named(home: Path, text: str) -> None:
    (home / SERVICES_FILE).write_text(text, encoding="latin-1")
    with pytest.raises(ValueError, match=rf"{home / SERVICES_FILE} is damaged .*: remove it, and run `gueststar up`"):
        Settings().bootstrap_servers()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("input_topics", ["a b"]),
        ("input_topics", ["x" * 250]),
        ("input_topics", [".."]),
        ("topic_prefix", "../x"),
        ("topic_prefix", "a b"),
        ("topic_prefix", "x" * 201),
        ("trigger_interval_s", math.inf),
        ("trigger_interval_s", math.nan),
        ("telescope_budget_hours", math.inf),
        ("telescope_budget_hours", 25),
        ("spark_driver_memory_gib", 100_000),
        ("max_alerts_per_batch", 10**30),
        ("packet_size_limit_bytes", 10**30),
        ("label_host", ""),
        ("label_host", "a b"),
        ("redis_url", "x"),
        ("redis_url", "http://x"),
        ("redis_url", "redis://"),
        ("redis_url", "redis://x:99999"),
        ("kafka_bootstrap_servers", "x"),
        ("kafka_bootstrap_servers", "a:1,b"),
        ("kafka_bootstrap_servers", "a:0"),
        ("kafka_bootstrap_servers", "a:1,"),
    ],
)
def test_what_cannot_work_is_refused_where_it_is_read(home: Path, name: str, value: Any) -> None:
    with pytest.raises(SettingsError, match=rf"^setting {name} \(from --{name.replace('_', '-')}\) must "):
        Settings(**{name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("kafka_bootstrap_servers", "a:1, b.example:9092,[::1]:9092"),
        ("kafka_bootstrap_servers", "SSL://a:1"),
        ("redis_url", "rediss://user:p@host:6380/1"),
        ("redis_url", "unix:///run/redis.sock"),
        ("label_host", "::"),
        ("topic_prefix", "A-b_c.d"),
    ],
)
def test_what_can_work_is_taken(home: Path, name: str, value: str) -> None:
    assert getattr(Settings(**{name: value}), name) == value


def test_an_empty_path_is_not_the_folder_one_is_in(home: Path) -> None:
    with pytest.raises(SettingsError, match=r"^setting home \(from --home\) must be a folder, not empty"):
        Settings(home="")
    assert Settings(jars="").jars is None


def test_a_file_of_settings_is_a_file(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "gueststar.toml").mkdir()
    with pytest.raises(SettingsError, match=rf"^{home}/gueststar.toml must be a TOML file of settings, found a folder"):
        Settings()
    for file, fault in ((home / "gueststar.toml", "found a folder"), (home / "missing.toml", "there is no such file")):
        monkeypatch.setenv("GUESTSTAR_CONFIG", str(file))
        with pytest.raises(SettingsError, match=rf"^{file}.* must be a TOML file of settings.* {fault}"):
            Settings()
    monkeypatch.setenv("GUESTSTAR_CONFIG", "/dev/null")
    assert Settings().novelty_fdr == 0.1


def test_a_tilde_is_expanded_in_every_file(home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    shutil.copy(certifi_file(), tmp_path / "ca.pem")
    read = Settings(
        kafka_bootstrap_servers="a:1",
        kafka_security_protocol="SSL",
        kafka_ca_file="~/ca.pem",
        ivy_settings="~/ivy.xml",
        jars="~/jars",
        registry_uri="sqlite:///~/mlflow.db",
    )
    assert read.kafka_ca_file == str(tmp_path / "ca.pem")
    assert read.ivy_settings == str(tmp_path / "ivy.xml")
    assert read.jars == tmp_path / "jars"
    assert read.registry_address() == f"sqlite:///{tmp_path}/mlflow.db"
    assert Settings(registry_uri="sqlite:////tmp/~a.db").registry_address() == "sqlite:////tmp/~a.db"
    assert Settings(registry_uri="https://a/~b").registry_address() == "https://a/~b"


@pytest.mark.parametrize("protocol", ["sasl_ssl", "Sasl-Ssl", " SASL_SSL "])
def test_protocol_and_mechanism_may_be_in_any_case(home: Path, protocol: str) -> None:
    read = Settings(
        kafka_bootstrap_servers="a:1",
        kafka_security_protocol=protocol,
        kafka_sasl_mechanism="scram-sha-256",
        kafka_username="night",
        kafka_password="s3cret",
    )
    assert (read.kafka_security_protocol, read.kafka_sasl_mechanism) == ("SASL_SSL", "SCRAM-SHA-256")
    assert clients.connection(read)["sasl.username"] == "night"


def test_an_unknown_protocol_or_mechanism_is_refused_with_the_list(home: Path) -> None:
    with pytest.raises(SettingsError) as error:
        Settings(kafka_security_protocol="TLS", kafka_sasl_mechanism="GSSAPI")
    assert str(error.value).splitlines() == [
        "setting kafka_security_protocol (from --kafka-security-protocol) must be one of PLAINTEXT, SSL, "
        "SASL_PLAINTEXT, SASL_SSL, found 'TLS'",
        "setting kafka_sasl_mechanism (from --kafka-sasl-mechanism) must be one of PLAIN, SCRAM-SHA-256, "
        "SCRAM-SHA-512, found 'GSSAPI'",
    ]


SECURE = {"kafka_bootstrap_servers": "a:1", "kafka_security_protocol": "SASL_SSL"}


@pytest.mark.parametrize(
    ("given", "line"),
    [
        (SECURE, "kafka_security_protocol SASL_SSL needs kafka_username and kafka_password: set them"),
        (SECURE | {"kafka_username": "u"}, "kafka_security_protocol SASL_SSL needs kafka_password: set it"),
        (
            {"kafka_username": "u", "kafka_password": "s3cret"},
            "kafka_username is set, but kafka_security_protocol PLAINTEXT sends no user: set SASL_SSL, or "
            "remove the user name",
        ),
        (
            {"kafka_security_protocol": "SSL"},
            "kafka_security_protocol SSL needs kafka_bootstrap_servers: the Kafka that `gueststar up` starts speaks "
            "PLAINTEXT",
        ),
    ],
)
def test_settings_that_cannot_work_together_are_refused(home: Path, given: dict[str, Any], line: str) -> None:
    with pytest.raises(SettingsError) as error:
        Settings(**given)
    assert str(error.value) == line


def test_authorities_without_encryption_are_refused(home: Path) -> None:
    with pytest.raises(SettingsError, match="kafka_ca_file is set, but kafka_security_protocol PLAINTEXT does not enc"):
        Settings(kafka_ca_file=certifi_file())


def test_a_file_of_authorities_that_is_missing_or_is_none_is_named(home: Path, tmp_path: Path) -> None:
    (tmp_path / "no.pem").write_text("hello")
    for name, what in (("gone.pem", "there is no such file"), ("no.pem", "must be a PEM file")):
        with pytest.raises(SettingsError, match=what) as error:
            Settings(kafka_ca_file=str(tmp_path / name))
        assert len(str(error.value).splitlines()) == 1
        assert str(tmp_path / name) in str(error.value)


def certifi_file() -> str:
    """A real file of certificate authorities."""
    import certifi

    return certifi.where()

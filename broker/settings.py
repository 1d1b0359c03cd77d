"""Settings: a TOML file, ``GUESTSTAR_…`` variables above it, command-line flags above both."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from platformdirs import user_data_path
from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from broker import setting_kinds, started_services
from broker.kafka_security import MECHANISMS, PROTOCOLS, check_authorities, check_security, one_of
from broker.setting_errors import PREFIX, Origin, SettingsError, explain, variable_of
from schemas.input_topics import DEFAULT_TOPIC

if TYPE_CHECKING:
    from models.registry.versions import Registry


def default_home() -> Path:
    """The data folder: ``GUESTSTAR_HOME``, else the user's data directory for gueststar."""
    return Path(os.environ.get("GUESTSTAR_HOME") or user_data_path("gueststar")).expanduser().absolute()


def settings_file(home: str | Path | None = None) -> Path:
    """The TOML file of settings: ``GUESTSTAR_CONFIG``, else ``gueststar.toml`` in the home. It need not exist."""
    return Path(os.environ.get("GUESTSTAR_CONFIG") or Path(home or default_home(), "gueststar.toml")).expanduser()


def _as_text(value: Any) -> str:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return json.dumps(value) if isinstance(value, list | dict) else str(value)


def _setting(default: Any, description: str, **bounds: Any) -> Any:
    return Field(default, description=description, **bounds)


class Settings(BaseSettings):
    """Every setting, its unit in its name, with a default that works after ``gueststar up``; raises SettingsError."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", env_ignore_empty=True)

    home: Path = Field(default_factory=default_home, description="Folder for all files of gueststar.")
    kafka_bootstrap_servers: str = _setting("", "host:port list; empty: the Kafka that `up` started in this home.")
    kafka_security_protocol: str = _setting("PLAINTEXT", "PLAINTEXT on one machine; SASL_SSL over a network.")
    kafka_sasl_mechanism: str = _setting("SCRAM-SHA-512", "SASL mechanism, used with SASL_SSL.")
    kafka_username: str = _setting("", "SASL user name.")
    kafka_password: SecretStr = _setting(SecretStr(""), "SASL password; give it as a variable, never as a flag.")
    kafka_ca_file: str = _setting("", "PEM file of the certificate authority for TLS.")
    redis_url: str = _setting("", "redis://… address; empty: the Redis that `up` started in this home.")
    jars: Path | None = _setting(None, "Folder of the Kafka server's jars; empty: jars/ in the home, filled by `up`.")
    ivy_settings: str = _setting("", "Ivy settings file for `up`, if the download of the Kafka server needs a mirror.")
    registry_uri: str = _setting("", "MLflow address for training runs; empty: an SQLite file in the home.")
    input_topics: Annotated[list[str], NoDecode] = _setting(
        [DEFAULT_TOPIC], "Kafka topics of alerts to read; in a variable, separated by commas.", min_length=1
    )
    topic_prefix: str = _setting("gueststar", "Output topics are <prefix>.classifications and so on.", min_length=1)
    spark_master: str = _setting("local[*]", "Spark master; under spark-submit its own --master counts.")
    spark_driver_memory_gib: int = _setting(2, "Heap of the Spark driver, GiB.", ge=1, le=1024)
    max_alerts_per_batch: int = _setting(10_000, "Most alerts a micro-batch takes.", ge=1, le=10_000_000)
    trigger_interval_s: float = _setting(
        0.5, "Shortest time between the starts of two micro-batches, seconds.", ge=0, le=86_400
    )
    packet_size_limit_bytes: int = _setting(
        5_000_000, "Longer packets become dead letters, unread; bytes.", ge=1, le=1_000_000_000
    )
    lost_offsets: Literal["stop", "dead-letter"] = _setting("stop", "What to do if retention removed unread offsets.")
    novelty_fdr: float = _setting(
        0.1, "Expected fraction of false discoveries among a night's novel objects.", gt=0, lt=1
    )
    strange_per_batch: int = _setting(10, "Strangest alerts of a batch, copied at once; 0: none.", ge=0, le=10_000)
    recent_scores_interval_s: float = _setting(
        60.0, "Shortest time between two readings of the stream's recent novelty scores, seconds.", ge=1, le=86_400
    )
    novelty_window_nights: int = _setting(
        7, "Nights of the archive in which a selection of novel objects looks.", ge=1, le=400
    )
    novelty_nightly: bool = _setting(True, "The job selects the novel objects of each night when it has ended.")
    sample_fraction: float = _setting(0.01, "Fraction of alerts copied, by object, to the sample topic.", ge=0, le=1)
    telescope_budget_hours: float = _setting(6.0, "Spectroscopic time of a night, hours.", ge=0, le=24)
    random_fraction: float = _setting(0.2, "Fraction of the night's time for randomly drawn objects.", ge=0, le=1)
    label_host: str = _setting("127.0.0.1", "Address the labelling page listens on.")
    label_port: int = _setting(0, "Port of the labelling page; 0: a free port, stored in the home.", ge=0, le=65535)

    def __init__(self, **given: Any) -> None:
        file = settings_file(given.get("home"))
        try:
            super().__init__(**given)
        except ValidationError as error:
            fields = type(self).model_fields
            secret = {name for name, field in fields.items() if field.annotation is SecretStr}
            raise SettingsError(explain(error, Origin(given.keys(), file, fields.keys(), secret))) from None

    @field_validator("home", "jars", mode="before")
    @classmethod
    def _not_here(cls, folder: Any, info: ValidationInfo) -> Any:
        """An empty path is no path: it would be the folder one is in."""
        if folder == "" and info.field_name == "home":
            raise ValueError("must be a folder, not empty")
        return None if folder == "" else folder

    @field_validator("home", "jars")
    @classmethod
    def _absolute(cls, folder: Path | None) -> Path | None:
        return folder and folder.expanduser().absolute()

    @field_validator("kafka_ca_file", "ivy_settings")
    @classmethod
    def _absolute_file(cls, file: str) -> str:
        return file and str(Path(file).expanduser().absolute())

    @field_validator("kafka_ca_file")
    @classmethod
    def _with_certificates(cls, file: str) -> str:
        check_authorities(file)
        return file

    @field_validator("topic_prefix")
    @classmethod
    def _prefix(cls, prefix: str) -> str:
        return setting_kinds.topic_name(prefix, setting_kinds.PREFIX_LENGTH)

    @field_validator("input_topics")
    @classmethod
    def _topics(cls, topics: list[str]) -> list[str]:
        return [setting_kinds.topic_name(topic) for topic in topics]

    @field_validator("kafka_bootstrap_servers")
    @classmethod
    def _servers(cls, servers: str) -> str:
        return setting_kinds.server_list(servers)

    @field_validator("redis_url")
    @classmethod
    def _redis(cls, address: str) -> str:
        return setting_kinds.redis_address(address)

    @field_validator("label_host")
    @classmethod
    def _host(cls, name: str) -> str:
        return setting_kinds.host(name)

    @field_validator("registry_uri")
    @classmethod
    def _absolute_database(cls, address: str) -> str:
        scheme, separator, path = address.partition(":///")
        return scheme + separator + str(Path(path).expanduser()) if path.startswith("~") else address

    @field_validator("kafka_security_protocol")
    @classmethod
    def _protocol(cls, protocol: str) -> str:
        return one_of(PROTOCOLS, protocol)

    @field_validator("kafka_sasl_mechanism")
    @classmethod
    def _mechanism(cls, mechanism: str) -> str:
        return one_of(MECHANISMS, mechanism)

    @model_validator(mode="after")
    def _security_can_work(self) -> Settings:
        check_security(
            self.kafka_security_protocol,
            servers=self.kafka_bootstrap_servers,
            username=self.kafka_username,
            password=self.kafka_password.get_secret_value(),
            ca_file=self.kafka_ca_file,
        )
        return self

    @field_validator("input_topics", mode="before")
    @classmethod
    def _separated(cls, topics: Any) -> Any:
        """A variable holds a list as JSON or separated by commas."""
        if not isinstance(topics, str):
            return topics
        if topics.lstrip().startswith("["):
            return json.loads(topics)
        return [topic.strip() for topic in topics.split(",") if topic.strip()]

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        file = settings_file(init_settings().get("home"))
        try:
            setting_kinds.settings_toml(file, is_named=bool(os.environ.get("GUESTSTAR_CONFIG")))
        except ValueError as error:
            raise SettingsError(str(error)) from None
        try:
            return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, file)
        except ValueError as error:
            raise SettingsError(f"{file} is not TOML: {error}") from None

    def variables(self) -> dict[str, str]:
        """Everything that was set, as variables: another process that starts with them has the same settings."""
        given = {name: getattr(self, name) for name in self.model_fields_set} | {"home": self.home}
        return {variable_of(name): _as_text(value) for name, value in given.items() if value is not None}

    def services(self) -> dict[str, dict[str, Any]]:
        """What ``gueststar up`` wrote of the services of this home; empty where nothing was started.

        Raises ValueError where its file is damaged.
        """
        return started_services.read(self.home)

    def bootstrap_servers(self) -> str:
        """The Kafka address to use; raises LookupError where none is set and none runs."""
        return self.kafka_bootstrap_servers or self._started("kafka", "kafka_bootstrap_servers")

    def redis_address(self) -> str:
        """The Redis address to use; raises LookupError where none is set and none runs."""
        return self.redis_url or self._started("redis", "redis_url")

    def _started(self, service: str, setting: str) -> str:
        service_entry = self.services().get(service, {})
        if not started_services.runs(service_entry, self.home / service):
            raise LookupError(f"no {service} runs in {self.home}: run `gueststar up`, or set {variable_of(setting)}")
        return str(service_entry["address"])

    def registry_address(self) -> str:
        """The MLflow address that gets a run of every registered model."""
        return self.registry_uri or f"sqlite:///{self.home / 'mlflow.db'}"

    def registry(self) -> Registry:
        """The registry of models, with the bundles in the home; nothing is opened before it is asked."""
        from models.registry.versions import Registry  # here: commands that need no model do without its libraries

        return Registry(self.registry_address(), self.home / "models")

"""Settings: a TOML file, ``GUESTSTAR_…`` variables above it, command-line flags above both."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from platformdirs import user_data_path
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from schemas.packets import DEFAULT_TOPIC

SERVICES_FILE = "services.json"
"""In the home: addresses and process ids of what ``gueststar up`` started."""


def default_home() -> Path:
    """The data folder: ``GUESTSTAR_HOME``, else the user's data directory for gueststar."""
    return Path(os.environ.get("GUESTSTAR_HOME") or user_data_path("gueststar")).expanduser().absolute()


class Settings(BaseSettings):
    """Every setting, with its unit in its name and a default that works after ``gueststar up``."""

    model_config = SettingsConfigDict(env_prefix="GUESTSTAR_", extra="forbid")

    home: Path = Field(default_factory=default_home, description="Everything a run leaves lies under this folder.")
    kafka_bootstrap_servers: str = Field(
        "", description="host:port list; empty: the Kafka that `up` started in this home."
    )
    kafka_security_protocol: str = Field(
        "PLAINTEXT", description="PLAINTEXT on one machine; SASL_SSL where a network is crossed."
    )
    kafka_sasl_mechanism: str = Field("SCRAM-SHA-512", description="SASL mechanism, used with SASL_SSL.")
    kafka_username: str = Field("", description="SCRAM user name.")
    kafka_password: SecretStr = Field(
        SecretStr(""), description="SCRAM password; give it as a variable, never as a flag."
    )
    kafka_ca_file: str = Field("", description="PEM file of the certificate authority for TLS.")
    redis_url: str = Field("", description="redis://… address; empty: the Redis that `up` started in this home.")
    jars: Path | None = Field(
        None, description="Folder of the Kafka server's jars; empty: jars/ in the home, fetched by `up`."
    )
    ivy_settings: str = Field("", description="Ivy settings file, where the network needs a mirror to fetch the jars.")
    registry_uri: str = Field("", description="MLflow registry; empty: an SQLite file in the home.")
    input_topics: list[str] = Field([DEFAULT_TOPIC], description="Kafka topics of alerts to read.")
    topic_prefix: str = Field("gueststar", description="Output topics are named <prefix>.classifications and so on.")
    spark_master: str = Field("local[*]", description="Spark master; under spark-submit its own --master counts.")
    spark_driver_memory_gib: int = Field(2, ge=1, description="Heap of the Spark driver, GiB.")
    max_alerts_per_batch: int = Field(10_000, ge=1, description="Most alerts a micro-batch takes.")
    trigger_interval_s: float = Field(
        0.5, ge=0, description="Shortest time from one micro-batch's start to the next, seconds."
    )
    packet_size_limit_bytes: int = Field(5_000_000, ge=1, description="Longer packets are dead-lettered unread, bytes.")
    lost_offsets: str = Field(
        "stop", pattern="^(stop|dead-letter)$", description="What to do where retention removed unread offsets."
    )
    novelty_fdr: float = Field(
        0.1, gt=0, lt=1, description="Expected fraction of false discoveries in the novel topic."
    )
    sample_fraction: float = Field(
        0.01, ge=0, le=1, description="Fraction of alerts copied, by object, to the sample topic."
    )
    telescope_budget_hours: float = Field(6.0, ge=0, description="Spectroscopic time to fill a night with, hours.")
    random_fraction: float = Field(
        0.2, ge=0, le=1, description="Fraction of the night's time that goes to randomly drawn objects."
    )
    label_host: str = Field("127.0.0.1", description="Address the labelling page listens on.")
    label_port: int = Field(
        0, ge=0, le=65535, description="Port of the labelling page; 0: a free one, remembered in the home."
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        **_: Any,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        file = Path(os.environ.get("GUESTSTAR_CONFIG") or default_home() / "gueststar.toml")
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, file)

    def services(self) -> dict[str, Any]:
        """What ``gueststar up`` wrote of the services of this home; empty where nothing was started."""
        file = self.home / SERVICES_FILE
        return json.loads(file.read_text()) if file.exists() else {}

    def bootstrap_servers(self) -> str:
        """The Kafka address to use; raises LookupError where none is set and none was started."""
        return self.kafka_bootstrap_servers or self._started("kafka", "GUESTSTAR_KAFKA_BOOTSTRAP_SERVERS")

    def redis_address(self) -> str:
        """The Redis address to use; raises LookupError where none is set and none was started."""
        return self.redis_url or self._started("redis", "GUESTSTAR_REDIS_URL")

    def _started(self, service: str, variable: str) -> str:
        address = self.services().get(service, {}).get("address")
        if not address:
            raise LookupError(f"no {service} is known to {self.home}: run `gueststar up`, or set {variable}")
        return str(address)

    def kafka_client(self) -> dict[str, str]:
        """librdkafka's connection properties: the one security configuration of every client."""
        properties = {"bootstrap.servers": self.bootstrap_servers(), "security.protocol": self.kafka_security_protocol}
        if self.kafka_security_protocol.startswith("SASL"):
            properties |= {
                "sasl.mechanism": self.kafka_sasl_mechanism,
                "sasl.username": self.kafka_username,
                "sasl.password": self.kafka_password.get_secret_value(),
            }
        if self.kafka_ca_file:
            properties["ssl.ca.location"] = self.kafka_ca_file
        return properties

    def registry_address(self) -> str:
        """The MLflow registry to use."""
        return self.registry_uri or f"sqlite:///{self.home / 'mlflow.db'}"

"""One security configuration for every client."""

from __future__ import annotations

from pathlib import Path

import certifi
import pytest

from broker.kafka import clients
from broker.kafka.errors import Unreachable
from broker.settings import Settings


def test_without_encryption_nothing_but_the_address_is_needed() -> None:
    plain = clients.connection(Settings(kafka_bootstrap_servers="a:1"))
    assert plain == {"bootstrap.servers": "a:1", "security.protocol": "PLAINTEXT"}


def test_one_security_configuration_serves_every_client() -> None:
    secure = clients.connection(
        Settings(
            kafka_bootstrap_servers="a:1",
            kafka_security_protocol="sasl_ssl",
            kafka_username="night",
            kafka_password="s3cret",
            kafka_ca_file=certifi.where(),
        )
    )
    assert secure == {
        "bootstrap.servers": "a:1",
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": "night",
        "sasl.password": "s3cret",
        "ssl.ca.location": certifi.where(),
    }


def test_without_an_address_a_client_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match=r"no kafka runs in .*: run `gueststar up`"):
        clients.admin(Settings(home=tmp_path))

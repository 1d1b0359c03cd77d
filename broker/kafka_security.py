"""What the settings of Kafka's security may be, and which of them work together."""

from __future__ import annotations

import ssl
from pathlib import Path

PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
"""Kafka's security protocols: without encryption or with TLS (SSL), without a user or with one (SASL)."""

MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
"""SASL mechanisms that need a user name and a password, and nothing else."""


def one_of(choices: tuple[str, ...], text: str) -> str:
    """The choice that the text names, in any case, with - or _; ValueError with the list where it names none."""
    by_name = {choice.replace("-", "_"): choice for choice in choices}
    try:
        return by_name[text.strip().upper().replace("-", "_")]
    except KeyError:
        raise ValueError(f"must be one of {', '.join(choices)}") from None


def check_authorities(ca_file: str) -> None:
    """ValueError where a file of certificate authorities is missing or is none; an empty name is no file."""
    if not ca_file:
        return
    if not Path(ca_file).is_file():
        raise ValueError("must be a PEM file of certificate authorities: there is no such file")
    try:
        ssl.create_default_context(cafile=ca_file)
    except OSError as error:  # also ssl.SSLError
        raise ValueError(f"must be a PEM file of certificate authorities: {error.strerror or error}") from None


def check_security(protocol: str, *, servers: str, username: str, password: str, ca_file: str) -> None:
    """ValueError, a line for each, where settings cannot work together or one of them would be passed over."""
    sets, with_user, with_tls = f"kafka_security_protocol {protocol}", protocol.startswith("SASL"), "SSL" in protocol
    faults = []
    if with_user:
        missing = [name for name, text in (("kafka_username", username), ("kafka_password", password)) if not text]
        if missing:
            faults.append(f"{sets} needs {' and '.join(missing)}: set {'them' if len(missing) > 1 else 'it'}")
    elif username:
        faults.append(f"kafka_username is set, but {sets} sends no user: set SASL_SSL, or remove the user name")
    if ca_file and not with_tls:
        faults.append(f"kafka_ca_file is set, but {sets} does not encrypt: set SSL or SASL_SSL, or remove the file")
    if protocol != "PLAINTEXT" and not servers:
        faults.append(f"{sets} needs kafka_bootstrap_servers: the Kafka that `gueststar up` starts speaks PLAINTEXT")
    if faults:
        raise ValueError("\n".join(faults))

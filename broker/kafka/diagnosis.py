"""From what librdkafka says to an error that a person can act on.

An answer that fails often says "transport failure" or "timed out" alone; the cause (a certificate, a password, a host
name) comes beside it, as a complaint about the connection. Both are read here.
"""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from confluent_kafka import KafkaError

from broker.kafka.errors import (
    IDENTITY,
    MISSING,
    PASSING,
    RIGHTS,
    AccessRefused,
    KafkaFailure,
    NoSuchTopic,
    Unreachable,
)

HANDSHAKE_TIMEOUT_S = 3.0

_WHERE = re.compile(r"^(sasl_|ssl|plaintext)?\S*://\S+?: |^\S+:\d+/\w+: ")
_CONNECT = re.compile(r"Connect to \S+ failed: ")
_AFTER = re.compile(r"\s*\(after \d+ms in state .*$")

_CAUSES = (*IDENTITY, KafkaError._SSL, KafkaError._RESOLVE, KafkaError._TRANSPORT)
"""Codes of complaints that name a cause, the most telling first."""


class Peer(NamedTuple):
    """Whom a client speaks to: its addresses, the user, the protocol and the file of certificate authorities."""

    address: str
    user: str
    protocol: str
    ca_file: str


def failure(error: KafkaError, complaints: Sequence[KafkaError], peer: Peer, topic: str = "") -> KafkaFailure:
    """The error to raise for a failed answer, by its code and the complaints that came beside it."""
    about = f", topic {topic}" if topic else ""
    code = error.code()
    if code in MISSING:
        return NoSuchTopic(
            f"Kafka at {peer.address} has no topic {topic or plain(error)}; "
            "`gueststar status` lists those that there are"
        )
    if code in RIGHTS:
        who = f"the user {peer.user}" if peer.user else "users without a name"
        return AccessRefused(
            f"Kafka at {peer.address} does not allow this to {who}{about}: {plain(error)}; "
            "ask who runs it for the right (an ACL)"
        )
    cause = _cause([error, *complaints])
    if cause.code() == KafkaError._SSL:
        return AccessRefused(f"no TLS connection to Kafka at {peer.address}{about}: {_tls_cause(cause, peer)}")
    if cause.code() in IDENTITY:
        return AccessRefused(
            f"Kafka at {peer.address} refuses the user {peer.user}{about}: {plain(cause)}; "
            "check kafka_username, kafka_password and kafka_sasl_mechanism"
        )
    if code in PASSING or cause.code() in PASSING:
        return Unreachable(f"Kafka does not answer at {peer.address}{about}: {plain(cause)}; {_advice(cause, peer)}")
    return KafkaFailure(f"Kafka at {peer.address} refuses{about}: {plain(error)} ({error.name()})")


def plain(error: KafkaError) -> str:
    """librdkafka's words without the thread, the address (it is named already) and the state it was in."""
    return _CONNECT.sub("", _AFTER.sub("", _WHERE.sub("", error.str())))


def certificate_fault(address: str, ca_file: str) -> str:
    """What is wrong with the certificate at the first ``host:port`` of an address, in OpenSSL's words; "" if nothing.

    librdkafka says only that it could not be verified; a handshake of our own tells an unknown authority from an
    expired certificate and a wrong host name.
    """
    host, _, port = address.split(",")[0].rpartition("://")[-1].rpartition(":")
    context = ssl.create_default_context(cafile=ca_file or None)
    try:
        with socket.create_connection((host.strip("[]"), int(port)), HANDSHAKE_TIMEOUT_S) as plain_socket:
            context.wrap_socket(plain_socket, server_hostname=host.strip("[]")).close()
    except ssl.SSLCertVerificationError as error:
        return error.verify_message
    except (OSError, ValueError):
        return ""
    return ""


def _cause(errors: Iterable[KafkaError]) -> KafkaError:
    """The most telling complaint, the newest of its kind; the answer itself, the first, where none helps."""
    listed = list(errors)
    for code in _CAUSES:
        of_code = [error for error in listed[1:] if error.code() == code]
        if of_code:
            return of_code[-1]
    return listed[0]


def _tls_cause(cause: KafkaError, peer: Peer) -> str:
    fault = certificate_fault(peer.address, peer.ca_file)
    if not fault:
        return f"{plain(cause)}; check kafka_security_protocol and kafka_ca_file"
    if "expired" in fault or "not yet valid" in fault:
        return f"its certificate is not valid now ({fault}); whoever runs it must renew it"
    if "ostname" in fault or "IP address" in fault:
        return f"its certificate is for another host ({fault}); name that one in kafka_bootstrap_servers"
    trusted = peer.ca_file or "this machine's authorities"
    return (
        f"its certificate is not signed by an authority in {trusted} ({fault}); "
        "set kafka_ca_file to the PEM file of the authority that signed it"
    )


def _advice(cause: KafkaError, peer: Peer) -> str:
    if cause.code() == KafkaError._RESOLVE:
        return "check the host name in kafka_bootstrap_servers"
    if "security.protocol" in cause.str() or "SSL" in cause.str():
        return f"kafka_security_protocol is {peer.protocol}: set the one that Kafka has at this port"
    return "see that it runs (`gueststar status`) and that kafka_bootstrap_servers names it"

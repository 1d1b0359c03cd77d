"""The broker's own messages: round trip, versions that stay readable, and the forms others read."""

from __future__ import annotations

import base64
import io
import json
import math
from importlib import resources

import fastavro
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import messages

FINGERPRINTS = {
    "classification.v1": "a0e50e6090ce9d37",
    "classification.v2": "f5022193fbf0c20d",
    "classification.v3": "bb9bd0e131fa9c04",
    "classification.v4": "76dd3fbc68060c56",
    "novel.v1": "7872ae4e30e08e59",
    "selection.v1": "e039c1b446d329d2",
    "request.v1": "ef2b80f78809903f",
    "label.v1": "92604bf24b716924",
    "vote.v1": "af1d9416f729d361",
    "dead_letter.v1": "b5a203745d00f049",
}
"""CRC-64-AVRO of every schema ever committed. A schema that has been written with is never changed: add a version."""

VALUES = {
    "string": st.text(max_size=20),
    "int": st.integers(-(2**31), 2**31 - 1),
    "long": st.integers(-(2**63), 2**63 - 1),
    "double": st.floats(),
    "float": st.floats(width=32),
    "boolean": st.booleans(),
    "bytes": st.binary(max_size=50),
}


NEWEST = {"classification": 4}


def definition(kind: str, version: int | None = None) -> dict:
    file = f"{kind}.v{version or NEWEST.get(kind, 1)}.avsc"
    return json.loads((resources.files("schemas") / "avro" / file).read_text(encoding="utf-8"))


def values_of(kind) -> st.SearchStrategy:
    if isinstance(kind, list):
        return st.none() | values_of(kind[1])
    if isinstance(kind, dict):
        return st.lists(values_of(kind["items"]), max_size=5)
    return VALUES[kind]


def records(kind: str) -> st.SearchStrategy:
    return st.fixed_dictionaries({field["name"]: values_of(field["type"]) for field in definition(kind)["fields"]})


def equal(first, second) -> bool:
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(equal(first[key], second[key]) for key in first)
    if isinstance(first, list):
        return len(first) == len(second) and all(map(equal, first, second))
    if isinstance(first, float):
        return first == second or (math.isnan(first) and math.isnan(second))
    return first == second


def crc64_avro(data: bytes) -> int:
    """The fingerprint as the Avro specification defines it, apart from the library's."""
    empty = 0xC15D213AA4D7A795
    value = empty
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = (value >> 1) ^ (empty & -(value & 1) & (2**64 - 1))
    return value


@pytest.mark.parametrize("kind", messages.KINDS)
@given(data=st.data())
def test_what_is_encoded_comes_back(kind: str, data: st.DataObject) -> None:
    record = data.draw(records(kind))
    decoded_kind, decoded = messages.decode(messages.encode(kind, record))
    assert decoded_kind == kind
    assert equal(record, decoded)


@settings(max_examples=20)
@given(data=st.data())
def test_a_message_of_an_older_version_is_read_with_the_new_fields_defaults(data: st.DataObject) -> None:
    version = data.draw(st.integers(1, NEWEST["classification"] - 1))
    older, newest = definition("classification", version), definition("classification")
    record = data.draw(records("classification"))
    old_fields = {field["name"] for field in older["fields"]}
    out = io.BytesIO()
    fastavro.schemaless_writer(out, older, {"novelty_threshold": 0.01, "is_novel": True, **record})
    header = bytes.fromhex("c301" + FINGERPRINTS[f"classification.v{version}"])
    decoded_kind, decoded = messages.decode(header + out.getvalue())
    assert decoded_kind == "classification"
    added = {field["name"]: field["default"] for field in newest["fields"] if field["name"] not in old_fields}
    assert added.keys() >= {"n_detections", "novelty_calibration", "is_strange"}
    assert (version == 3) == ("host_photoz" not in added)
    assert equal({**record, **added}, decoded)


@pytest.mark.parametrize("kind", messages.KINDS)
def test_the_header_is_avros_single_object_encoding(kind: str) -> None:
    canonical = fastavro.schema.to_parsing_canonical_form(definition(kind))
    header = messages.newest_schema(kind).header
    assert header == b"\xc3\x01" + crc64_avro(canonical.encode()).to_bytes(8, "little")
    assert crc64_avro(b'"int"') == 0x7275D51A3F395C8F  # the specification's example


def test_every_schema_ever_committed_is_still_there() -> None:
    kinds = {
        f"{schema.kind}.v{schema.version}": header[2:].hex() for header, schema in messages.message_schemas().items()
    }
    assert kinds == FINGERPRINTS


@pytest.mark.parametrize("kind", messages.KINDS)
def test_every_field_says_what_it_is(kind: str) -> None:
    fields = definition(kind)["fields"]
    assert all(len(field["doc"]) > 8 and field["doc"].endswith(".") for field in fields)


def test_an_older_version_is_read_with_the_newer_ones_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    newer = definition("label")
    newer["fields"].append({"name": "confidence", "type": "double", "default": 1.0})
    extended = {
        **messages.message_schemas(),
        b"\xc3\x01newer--1": messages.MessageSchema("label", 2, b"\xc3\x01newer--1", fastavro.parse_schema(newer), ()),
    }
    record = label()
    old = messages.encode("label", record)
    messages.newest_schema.cache_clear()
    monkeypatch.setattr(messages, "message_schemas", lambda: extended)
    try:
        assert messages.decode(old) == ("label", {**record, "confidence": 1.0})
    finally:
        messages.newest_schema.cache_clear()


def label() -> dict:
    filled = {"string": "x", "long": 2**60, "int": 5, "double": 0.5}
    return {field["name"]: filled[field["type"]] for field in definition("label")["fields"]}


def classification(**changes) -> dict:
    plain = {"string": "x", "long": 2**60 + 1, "int": 5, "double": 0.5, "float": 0.25, "boolean": True}
    record = {f["name"]: plain[f["type"]] for f in definition("classification")["fields"] if isinstance(f["type"], str)}
    record |= {"reliability": None, "class_ids": [2222, 2224], "p_flat": [0.5, 0.5], "p_survey": [0.25, 0.75]}
    return {**record, "features": [1.0, float("nan")], "class_id": 2224, "input_time_ms": 10**12, **changes}


def test_numpy_columns_are_taken() -> None:
    record = classification(
        alert_id=np.int64(2**62),
        class_ids=np.array([2222, 2224], np.int32),
        p_flat=np.array([0.5, 0.5], np.float32),
        features=np.ones(45, np.float32),
        reliability=np.float32(0.5),
        is_strange=np.bool_(False),
    )
    _, decoded = messages.decode(messages.encode("classification", record))
    assert decoded["alert_id"] == 2**62
    assert decoded["class_ids"] == [2222, 2224]
    assert decoded["reliability"] == 0.5
    assert decoded["is_strange"] is False


def test_json_keeps_every_digit_and_no_nan() -> None:
    record = classification(novelty_score=float("inf"), payload=b"\0\xff")
    loaded = json.loads(messages.to_json(record), parse_constant=pytest.fail)
    assert loaded["alert_id"] == str(2**60 + 1)
    assert loaded["object_id"] == str(2**60 + 1)
    assert loaded["class_id"] == 2224
    assert loaded["novelty_score"] is None
    assert loaded["features"] == [1.0, None]
    assert base64.b64decode(loaded["payload"]) == b"\0\xff"
    assert "\n" not in messages.to_json(record)


def test_the_broker_classification_is_what_its_published_schema_takes(shared_data) -> None:
    file = shared_data / "elasticc" / "schema" / "elasticc.v0_9_1.brokerClassification.avsc"
    schema = fastavro.parse_schema(json.loads(file.read_text()))
    for record, expected in (
        (classification(), {2222: 0.25, 2224: 0.75}),
        (classification(class_id=300, p_survey=[], p_flat=[]), {300: 1.0}),
    ):
        form = messages.to_broker_classification(record)
        buffer = io.BytesIO()
        fastavro.schemaless_writer(buffer, schema, form, strict=True)
        buffer.seek(0)
        read = fastavro.schemaless_reader(buffer, schema, None)
        assert read["diaSourceId"] == 2**60 + 1
        assert {item["classId"]: item["probability"] for item in read["classifications"]} == expected


@pytest.mark.parametrize(
    ("message", "word"),
    [
        (b"", "found nothing"),
        (b"Obj\x01", "C3 01"),
        (b"\xc3\x01" + b"\0" * 20, "known are"),
    ],
)
def test_other_bytes_are_refused_with_a_reason(message: bytes, word: str) -> None:
    with pytest.raises(ValueError, match=word):
        messages.decode(message)


@given(st.integers(10, 60))
def test_a_message_cut_short_is_refused(length: int) -> None:
    message = messages.encode("label", label())
    with pytest.raises(ValueError, match="damaged"):
        messages.decode(message[: min(length, len(message) - 1)])


def test_a_message_with_more_behind_it_is_refused() -> None:
    with pytest.raises(ValueError, match="must end after"):
        messages.decode(messages.encode("label", label()) + b"!")


def test_a_record_that_lacks_a_field_names_it() -> None:
    record = label()
    del record["labeller"]
    with pytest.raises(ValueError, match="missing are labeller"):
        messages.encode("label", record)


def test_a_field_of_a_wrong_type_is_refused() -> None:
    with pytest.raises(ValueError, match="wrong type"):
        messages.encode("label", {**label(), "class_id": "Ia"})


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        ("request", "night", 2**31),
        ("request", "input_partition", -(2**31) - 1),
        ("request", "class_ids", [1, 2**31]),
        ("label", "class_id", 10**30),
        ("request", "object_id", 2**63),
    ],
)
def test_a_number_longer_than_its_field_is_refused(kind: str, name: str, value: object) -> None:
    examples = {"string": "x", "int": 1, "long": 1, "double": 1.0, "float": 1.0, "boolean": True, "bytes": b""}
    fields = {
        field["name"]: [] if isinstance(field["type"], dict) else examples[field["type"]]
        for field in definition(kind)["fields"]
    }
    messages.encode(kind, fields)
    with pytest.raises(ValueError, match=f"a {kind} record has a field of a wrong type or size"):
        messages.encode(kind, fields | {name: value})


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(LookupError, match="classification"):
        messages.encode("poem", {})

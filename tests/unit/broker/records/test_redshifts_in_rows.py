"""From real packets with a host's photometric redshift to published rows: the redshift is told, and used."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import fastavro
import numpy as np
import pytest

from broker.kafka.fetching import Messages
from broker.records.build import RowContext
from broker.stream.scoring import MessageScorer
from models.registry import shipped
from models.scoring.scorer import Scorer
from schemas import messages as records
from schemas import packets
from schemas.taxonomy import NOT_CLASSIFIED
from tests.contracts.test_packet_readers import messages_of


def with_photoz(message: bytes, redshift: float) -> bytes:
    """The same packet with the two fields that a later version of its schema has."""
    reader = fastavro.reader(io.BytesIO(message))
    schema, (packet,) = reader.writer_schema, list(reader)
    thing = next(field["type"] for field in schema["fields"] if field["name"] == "diaObject")
    thing = next(one for one in thing if isinstance(one, dict)) if isinstance(thing, list) else thing
    thing["fields"] += [{"name": name, "type": ["null", "float"]} for name in ("hostgal_zphot", "hostgal_zphot_err")]
    packet["diaObject"] |= {"hostgal_zphot": redshift, "hostgal_zphot_err": 0.05}
    out = io.BytesIO()
    fastavro.writer(out, {key: value for key, value in schema.items() if not key.startswith("__")}, [packet])
    return out.getvalue()


@pytest.fixture(scope="module")
def scorer() -> Scorer:
    return Scorer.load(shipped.folder())


def test_a_redshift_goes_from_the_packet_into_the_row_and_the_probabilities(shared_data: Path, scorer: Scorer) -> None:
    values = messages_of(shared_data, "elasticc")[:120]
    values = [with_photoz(value, 0.3 if i % 2 else -9.0) for i, value in enumerate(values)]
    incoming = Messages(["e"] * len(values), [0] * len(values), list(range(len(values))), [0] * len(values), values)
    context = RowContext(scorer.sha256, "e-0-0-120", packets.SIZE_LIMIT_BYTES)
    rows = MessageScorer(scorer, context).rows(incoming).to_pylist()
    curves, letters = packets.read(values)
    assert len(rows) == len(curves) == 120
    assert not letters
    has_photoz = np.isfinite(curves.host_photoz)
    assert np.array_equal(has_photoz, np.arange(120) % 2 == 1)
    alone = scorer.score(replace(curves, host_photoz=np.full(len(curves), np.nan, np.float32)))
    for row, curve, p in zip(rows, range(len(curves)), alone.p_flat, strict=True):
        assert row["alert_id"] == curves.alert_id[curve]
        if has_photoz[curve]:
            assert row["host_photoz"] == pytest.approx(float(curves.host_photoz[curve]))
            assert row["class_id"] == NOT_CLASSIFIED or not np.allclose(row["p_flat"], p, atol=1e-6)
        else:
            assert row["host_photoz"] is None
            assert np.allclose(row["p_flat"], p, atol=1e-6)
        fields = records.newest_schema("classification").fields
        _, again = records.decode(records.encode("classification", {name: row[name] for name in fields}))
        assert again["host_photoz"] == pytest.approx(row["host_photoz"])

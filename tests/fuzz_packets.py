"""Damaged packets by the million: ``make fuzz`` (ARGS='--kind packets --packets 1000000 --seed 1').

Each packet is a good one with a few of its bytes changed, cut, doubled or replaced by numbers that are too large. It
must come out as light curves or dead letters, soon, and leave nothing behind in memory. Exits with 1 where one does
not, and writes that packet to a file.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from broker.bench import alerts
from schemas import packets
from schemas.dead_letters import DeadLetter
from schemas.light_curves import LightCurves
from tests.unit.schemas.hostile import candidate_bytes, candidate_schema, container, deflated

SLOW_MS = 10.0
WARM_UP = 2_000
"""Packets before memory is looked at: caches fill."""

CONTAINERS = 0.25
MIXTURE = (0.3, 0.04, 0.1, 0.1, 0.26, 0.2)
"""How often a place is damaged in each way: a bit turned over, all after it cut off, bytes doubled, taken out, a number
put in, bytes overwritten."""

LARGE = (b"\xff" * 9 + b"\x01", b"\xff" * 12, b"\xfe\xff\xff\xff\x0f", b"\x80" * 10, b"\x01", b"\x7f" * 8)
"""Numbers that claim too much, never end, or are negative."""


@dataclass
class Outcome:
    """What became of the packets."""

    packets: int = 0
    alerts: int = 0
    dead_letters: int = 0
    raised: int = 0
    unaccounted: int = 0
    slow: int = 0
    slowest_ms: float = 0.0
    memory_grown_mib: float = 0.0
    reasons: Counter[str] = field(default_factory=Counter)

    @property
    def is_good(self) -> bool:
        """Nothing raised, hung or got lost."""
        return not (self.raised or self.unaccounted or self.slow)


def seeds(folder: Path | None) -> list[bytes]:
    """Good packets: written here, and real ones where there is a folder of them."""
    curves = alerts.made_up(6, 3, 9)
    good = [*packets.write(curves), *packets.write(curves, full=True, cutout=b"pixels" * 9)]
    point = {"type": "record", "name": "p", "fields": [{"name": "jd", "type": ["null", "double"]}]}
    schema = candidate_schema({"name": "prv_candidates", "type": {"type": "array", "items": point}})
    good += [
        container(candidate_schema(), candidate_bytes()),
        container(candidate_schema(), deflated(candidate_bytes() * 3), 3, "deflate"),
        container(schema, candidate_bytes() + b"\x04\x00\x00\x00"),
    ]
    if folder is not None and folder.is_dir():
        real = [packets.read_files([one])[0] for one in sorted(folder.iterdir()) if one.name.endswith(("-wire", "ztf"))]
        good += [message for packets_of_file in real for message in packets_of_file if len(message) < 200_000]
    return good


def mutated(good: list[bytes], rng: np.random.Generator) -> bytes:
    """One of the good packets, damaged in one to four places; a quarter are containers, however many there are."""
    wanted = rng.random() < CONTAINERS
    packet = good[rng.integers(len(good))]
    while packet.startswith(b"Obj") != wanted:
        packet = good[rng.integers(len(good))]
    data = bytearray(packet)
    for _ in range(rng.integers(1, 5)):
        at = int(rng.integers(len(data) + 1))
        kind = rng.choice(6, p=MIXTURE)
        if kind == 0 and at < len(data):
            data[at] ^= 1 << int(rng.integers(8))
        elif kind == 1:
            del data[at:]
        elif kind == 2:
            data[at:at] = data[at : at + int(rng.integers(40))]
        elif kind == 3:
            del data[at : at + int(rng.integers(20))]
        elif kind == 4:
            data[at : at + 1] = LARGE[rng.integers(len(LARGE))]
        else:
            data[at : at + 8] = rng.bytes(int(rng.integers(9)))
    return bytes(data)


def fuzz(n: int, seed: int, good: list[bytes]) -> Iterator[tuple[Outcome, bytes | None]]:
    """The outcome after each packet, and the packet where it did harm."""
    rng, outcome = np.random.default_rng(seed), Outcome()
    memory_kib = 0
    neighbour = good[0]
    packets.read(good)  # compiles and imports what is needed
    for number in range(n):
        packet = mutated(good, rng)
        before = outcome.raised + outcome.unaccounted + outcome.slow
        took_ms = _read(outcome, packet, neighbour)
        if took_ms > SLOW_MS:  # the collector of garbage takes its time too, but not twice
            took_ms = min(took_ms, _read(Outcome(), packet, neighbour))
        outcome.packets += 1
        outcome.slowest_ms = max(outcome.slowest_ms, took_ms)
        outcome.slow += took_ms > SLOW_MS
        if number == WARM_UP:
            memory_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        if memory_kib:
            outcome.memory_grown_mib = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory_kib) / 1024
        yield outcome, packet if outcome.raised + outcome.unaccounted + outcome.slow > before else None


def _read(outcome: Outcome, packet: bytes, neighbour: bytes) -> float:
    """Read a packet beside a good one; returns the CPU time, ms: other processes on the machine do no harm."""
    began = time.process_time()
    try:
        _count(outcome, *packets.read([packet, neighbour]))
    except BaseException:  # whatever it is, it is what is looked for
        outcome.raised += 1
    return 1e3 * (time.process_time() - began)


def _count(outcome: Outcome, curves: LightCurves, dead: list[DeadLetter]) -> None:
    outcome.alerts += len(curves) - 1
    outcome.dead_letters += len(dead)
    outcome.reasons.update(" ".join(letter.reason.split()[:4]) for letter in dead)
    indices = set(curves.packet_index.tolist()) | {letter.packet_index for letter in dead}
    outcome.unaccounted += indices != {0, 1} or any(letter.packet_index == 1 for letter in dead)


def run(n: int, seed: int, data: Path) -> bool:
    """Fuzz with ``n`` packets, print the report, keep what did harm; whether nothing did. ``data``: real packets."""
    from rich.progress import track

    good, began, kept = seeds(data), time.monotonic(), 0
    outcome = Outcome()
    for outcome, culprit in track(fuzz(n, seed, good), "packets", n, disable=not sys.stderr.isatty()):
        if culprit is not None and kept < 10:
            file = Path(f"fuzz-culprit-{kept}.bin")
            file.write_bytes(culprit)
            print(f"harm done by packet {outcome.packets}: written to {file}", file=sys.stderr)
            kept += 1
    report = {**vars(outcome), "reasons": dict(outcome.reasons.most_common(20)), "seconds": time.monotonic() - began}
    print(json.dumps({"seeds": len(good), **report}, indent=1))
    return outcome.is_good

"""``make fuzz``: damaged packets and damaged files (ARGS='--kind tables --files 100000 --seed 1').

Exits with 1 where one does harm, and keeps that input. A kind of file joins by an entry in ``tests/fuzz/kinds.py``.
"""

from __future__ import annotations

import argparse
import faulthandler
import json
import resource
import sys
import time
from pathlib import Path

from rich.progress import track

from tests import fuzz_packets
from tests.fuzz.chunks import CHUNK, fuzz_in_chunks
from tests.fuzz.files import Outcome
from tests.fuzz.kinds import KINDS

PACKETS = "packets"
KEPT = Path("fuzz-culprits")
ADDRESS_SPACE_BYTES = 16 << 30
"""A damaged size that asks for more ends in a MemoryError, as on a machine with little memory."""


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kind", action="append", choices=[PACKETS, *KINDS], help="repeatable; by default all")
    parser.add_argument("--packets", type=int, default=1_000_000)
    parser.add_argument("--files", type=int, default=20_000, help="of each kind")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--data", type=Path, default=Path(__file__).resolve().parents[3] / "shared" / "data")
    given = parser.parse_args()
    faulthandler.enable()
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE_BYTES, ADDRESS_SPACE_BYTES))
    good = True
    for name in given.kind or [PACKETS, *KINDS]:
        if name == PACKETS:
            good &= fuzz_packets.run(given.packets, given.seed, given.data)
        else:
            good &= _run(name, given.files, given.seed)
    return 0 if good else 1


def _run(name: str, n: int, seed: int) -> bool:
    began, harmful, outcome = time.monotonic(), 0, Outcome()
    files = fuzz_in_chunks(KINDS[name], n, seed, KEPT / name)
    for outcome in track(files, name, n, disable=not sys.stderr.isatty()):
        if outcome.harmful > harmful:
            harmful = outcome.harmful
            print(f"{name} {outcome.files}: {outcome.harm}", file=sys.stderr, flush=True)
        elif outcome.files % CHUNK == 0 and not sys.stderr.isatty():
            print(f"{name} {outcome.files:,} of {n:,}, {harmful} did harm", file=sys.stderr, flush=True)
    report = {**vars(outcome), "reasons": dict(outcome.reasons.most_common(30)), "seconds": time.monotonic() - began}
    print(json.dumps({"kind": name, "seed": seed, **report}, indent=1), flush=True)
    return outcome.is_good


if __name__ == "__main__":
    raise SystemExit(main())

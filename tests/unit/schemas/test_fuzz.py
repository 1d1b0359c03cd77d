"""A short run of what ``make fuzz`` does at length."""

from __future__ import annotations

from tests import fuzz_packets

N = 4_000


def test_damaged_packets_do_no_harm() -> None:
    for found, _ in fuzz_packets.fuzz(N, seed=7, good=fuzz_packets.seeds(None)):  # noqa: B007
        pass
    assert found.packets == N
    assert found.raised == found.unaccounted == 0
    assert found.dead_letters > N / 3
    assert found.alerts > N / 20
    assert len(found.reasons) > 30


def test_harm_is_noticed() -> None:
    good = fuzz_packets.seeds(None)
    found = fuzz_packets.Outcome()
    fuzz_packets._count(found, *fuzz_packets.packets.read([good[0]]))
    assert found.unaccounted == 1
    assert not found.is_good

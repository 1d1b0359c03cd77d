"""A short run of what ``make fuzz`` does at length."""

from __future__ import annotations

from tests import fuzz_packets

N = 4_000


def test_damaged_packets_do_no_harm() -> None:
    for outcome, _ in fuzz_packets.fuzz(N, seed=7, good=fuzz_packets.seeds(None)):  # noqa: B007
        pass
    assert outcome.packets == N
    assert outcome.raised == outcome.unaccounted == 0
    assert outcome.dead_letters > N / 3
    assert outcome.alerts > N / 20
    assert len(outcome.reasons) > 30


def test_harm_is_noticed() -> None:
    good = fuzz_packets.seeds(None)
    outcome = fuzz_packets.Outcome()
    fuzz_packets._count(outcome, *fuzz_packets.packets.read([good[0]]))
    assert outcome.unaccounted == 1
    assert not outcome.is_good

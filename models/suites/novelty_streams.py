"""The questions of the novelty suite that are put to one hidden class, and their answers, stream by stream."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from models.discovery.interest import Candidates, Opinion, Vote, interest, order
from models.discovery.publication import publish, q_values
from models.scoring.calibration import epoch_bin
from models.suites.novelty_peers import adadetect_with_trees
from models.suites.novelty_sky import LEVELS, Draw, HiddenSet, Sky, judged, last_rows, proportions

PHASES = ("1", "2", "3_to_5", "6_to_12", "13_or_more")
"""Detections of an alert, as in the names of the figures."""

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Size:
    """How much is drawn. The quick size is for tests.

    ``stream``: objects of a stream; ``splits``: streams of the main figures; ``few``: of the others; ``most_novel``:
    objects of the hidden class that are kept; ``nights``, ``queries``: in a sequence, of a reviewer.
    """

    stream: int = 1500
    splits: int = 50
    few: int = 10
    most_novel: int = 400
    nights: int = 5
    queries: int = 100


@dataclass
class Answers:
    """``figures``: values of every stream by name; ``curves``: arrays of every stream by name."""

    figures: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    curves: dict[str, list[Array]] = field(default_factory=lambda: defaultdict(list))

    def add(self, values: dict[str, float], condition: str = "") -> None:
        """The figures of one stream, under a condition that their names carry."""
        for name, value in values.items():
            self.figures[f"{name}_{condition}" if condition else name].append(value)


def ask(hidden: HiddenSet, photoz: HiddenSet | None, size: Size, seed: int) -> Answers:
    """All answers about one hidden class."""
    out = Answers()
    rng = np.random.default_rng([seed, 1])
    sky = Sky(hidden, last_rows(hidden, size.most_novel, rng))
    _main(sky, size, seed, out)
    _without_novelty(sky, size, seed, out)
    _few_novel(sky, size, seed, out)
    _labelled(sky, size, seed, out)
    _foreign_nulls(sky, size, seed, out)
    _reviewed(sky, size, seed, out)
    _in_sequence(hidden, size, seed, out)
    _by_detections(hidden, size, seed, out)
    if photoz is not None:
        informed = Sky(photoz, last_rows(photoz, size.most_novel, np.random.default_rng([seed, 1])))
        for split in range(size.splits):
            draw, score = _nightly(informed, round(0.05 * size.stream), size, np.random.default_rng([seed, 2, split]))
            out.add(judged(score, len(draw.nulls), informed.is_novel[draw.stream]), "photoz")
            static = informed.scores(draw, photoz.static)
            out.add(judged(static, len(draw.nulls), informed.is_novel[draw.stream], "static"), "photoz")
    return out


def _nightly(
    sky: Sky, novel: int, size: Size, rng: np.random.Generator, pool: NDArray[np.int64] | None = None
) -> tuple[Draw, Array]:
    draw = sky.draw(size.stream, novel, rng, pool)
    return draw, sky.nightly(draw, rng)


def _main(sky: Sky, size: Size, seed: int, out: Answers) -> None:
    """Streams with 2, 5 and 10 % novel objects; those with 5 % are judged by every method."""
    for percent in (5, 2, 10):
        for split in range(size.splits):
            rng = np.random.default_rng([seed, percent, split])
            draw, score = _nightly(sky, round(percent / 100 * size.stream), size, rng)
            is_novel, n = sky.is_novel[draw.stream], len(draw.nulls)
            out.add(judged(score, n, is_novel), "" if percent == 5 else f"{percent}_percent")
            if percent != 5:
                continue
            methods = {"static": sky.hidden.static, "oracle": sky.hidden.oracle, **sky.hidden.peers}
            of_methods = {name: sky.scores(draw, values) for name, values in methods.items()}
            for name, values in of_methods.items():
                out.add(judged(values, n, is_novel, name))
            of_methods = {"": score, "static": of_methods["static"], "oracle": of_methods["oracle"]}
            _drawn(of_methods, n, is_novel, out)
            if split < size.few:
                _halved(sky, draw, rng, out)


def _drawn(of_methods: dict[str, Array], n: int, is_novel: NDArray[np.bool_], out: Answers) -> None:
    """Power at all levels, and the histograms of the p-values, for the report."""
    nobody, none = np.zeros(len(is_novel), bool), np.zeros(n, bool)
    for name, values in of_methods.items():
        q = q_values(values[n:], values[:n], nobody, none)
        at_levels = [proportions(q <= level, is_novel) for level in LEVELS]
        out.curves[f"power_{name}"].append(np.array([power for power, _ in at_levels]))
        out.curves[f"fdr_{name}"].append(np.array([false for _, false in at_levels]))
        ordered = np.sort(values[:n])
        p = (1 + n - np.searchsorted(ordered, values[n:], side="left")) / (n + 1)
        for kind, rows in (("novel", is_novel), ("ordinary", ~is_novel)):
            out.curves[f"p_{name}_{kind}"].append(np.histogram(p[rows], 20, (0, 1))[0].astype(np.float64))


def _halved(sky: Sky, draw: Draw, rng: np.random.Generator, out: Answers) -> None:
    """Methods that calibrate with half of the nulls: the strict mode, and AdaDetect with boosted trees."""
    n, is_novel = len(draw.nulls), sky.is_novel[draw.stream]
    hides = rng.permutation(n) % 2 == 0
    strict = sky.nightly(draw, rng, hides=hides)
    out.add(judged(np.concatenate([strict[:n][hides], strict[n:]]), int(hides.sum()), is_novel, "strict"))
    vectors = sky.robust[np.concatenate([draw.nulls, draw.stream])]
    score, calibrates = adadetect_with_trees(vectors, n, int(rng.integers(1 << 30)))
    score = np.concatenate([score[:n][calibrates], score[n:]])
    out.add(judged(score, int(calibrates.sum()), is_novel, "adadetect_trees"))


def _without_novelty(sky: Sky, size: Size, seed: int, out: Answers) -> None:
    for split in range(2 * size.few):
        draw, score = _nightly(sky, 0, size, np.random.default_rng([seed, 3, split]))
        values = judged(score, len(draw.nulls), sky.is_novel[draw.stream])
        out.add(
            {f"any_without_novelty_fdr{level}": float(values[f"fdr_at_{level}"] > 0) for level in ("05", "10", "20")}
        )


def _few_novel(sky: Sky, size: Size, seed: int, out: Answers) -> None:
    """The curve against the number of novel objects."""
    for number in (10, 20, 40, 80):
        if number > size.stream // 2:
            continue
        for split in range(size.few):
            draw, score = _nightly(sky, number, size, np.random.default_rng([seed, 4, number, split]))
            out.add(judged(score, len(draw.nulls), sky.is_novel[draw.stream]), f"{number}_novel")


def _labelled(sky: Sky, size: Size, seed: int, out: Answers) -> None:
    """Labelled examples of the novel class, when 2 % of the stream are novel: too few for a crowd."""
    for number in (0, 3, 10):
        for split in range(size.few):
            rng = np.random.default_rng([seed, 5, split])
            draw = sky.draw(size.stream, round(0.02 * size.stream), rng)
            others = np.setdiff1d(np.flatnonzero(sky.is_novel), draw.stream)
            if len(others) < number:
                continue
            examples = rng.choice(others, number, replace=False)
            score = sky.nightly(draw, rng, examples=examples)
            out.add(judged(score, len(draw.nulls), sky.is_novel[draw.stream]), f"{number}_labels")


def _foreign_nulls(sky: Sky, size: Size, seed: int, out: Answers) -> None:
    """Nulls of another population than the stream's known objects: the brighter half against the fainter."""
    brightness = sky.hidden.brightness[sky.rows]
    ordinary = np.flatnonzero(~sky.is_novel)
    is_bright = brightness[ordinary] > np.median(brightness[ordinary])
    for split in range(size.few):
        rng = np.random.default_rng([seed, 6, split])
        faint = ordinary[~is_bright]
        draw = sky.draw(size.stream, round(0.05 * size.stream), rng, faint)
        draw = Draw(ordinary[is_bright], draw.stream)
        values = judged(sky.nightly(draw, rng), len(draw.nulls), sky.is_novel[draw.stream])
        out.add({"fdr_at_10": values["fdr_at_10"], "power_fdr10": values["power_fdr10"]}, "foreign_nulls")


def _reviewed(sky: Sky, size: Size, seed: int, out: Answers) -> None:
    """A reviewer is shown the best object again and again; each answer re-ranks the rest."""
    for split in range(max(size.few // 2, 1)):
        rng = np.random.default_rng([seed, 7, split])
        draw, score = _nightly(sky, round(0.05 * size.stream), size, rng)
        is_novel = sky.is_novel[draw.stream]
        right = is_novel[_asked(score[len(draw.nulls) :], sky.space[draw.stream], is_novel, size.queries)]
        out.curves["found"].append(np.cumsum(right).astype(np.float64))
        out.add({"found_in_100_queries": float(np.sum(right))})
        alone = np.argsort(-score[len(draw.nulls) :], kind="stable")[: len(right)]
        out.add({"found_in_100_without_answers": float(is_novel[alone].sum())})


def _asked(
    score: NDArray[np.float64], space: NDArray[np.float32], is_novel: NDArray[np.bool_], queries: int
) -> NDArray[np.int64]:
    """Rows in the order in which a reviewer is asked, who finds the novel objects interesting and all others boring:
    each time the first one by interest (:mod:`models.discovery.interest`) that was not asked about."""
    candidates = Candidates(np.arange(len(score)), space.astype(np.float64), score)
    votes: list[Vote] = []
    asked: list[int] = []
    for _ in range(min(queries, len(score))):
        ranking = order(candidates, interest(candidates, votes))
        row = int(ranking[~np.isin(ranking, asked)][0])
        opinion = Opinion.INTERESTING if is_novel[row] else Opinion.BORING
        votes.append(Vote(row, opinion, candidates.vectors[row]))
        asked.append(row)
    return np.array(asked, np.int64)


def _in_sequence(hidden: HiddenSet, size: Size, seed: int, out: Answers) -> None:
    """Nights in sequence: each object's alerts from its first to its last, published ones stay; nulls go along."""
    order = np.lexsort((hidden.detections, hidden.object_id))
    begin = np.flatnonzero(np.append(True, np.diff(hidden.object_id[order]) != 0))
    number = np.diff(np.append(begin, len(order)))
    is_novel = hidden.is_hidden[order[begin]]
    for split in range(max(size.few // 2, 1)):
        rng = np.random.default_rng([seed, 8, split])
        ordinary, novel = np.flatnonzero(~is_novel), np.flatnonzero(is_novel)
        taken = rng.permutation(ordinary)[: 2 * size.stream]
        chosen = np.concatenate([taken, rng.choice(novel, min(len(taken) // 38, len(novel)), replace=False)])
        nulls, stream = np.arange(len(taken) // 2), np.arange(len(taken) // 2, len(chosen))
        published, passed = np.zeros(len(stream), bool), np.zeros(len(nulls), bool)
        for night in range(size.nights):
            step = np.round((number[chosen] - 1) * (night + 1) / size.nights).astype(np.int64)
            sky = Sky(hidden, order[begin[chosen] + step])
            score = sky.nightly(Draw(nulls, stream), rng)
            decision = publish(score[len(nulls) :], score[: len(nulls)], 0.1, published, passed)
            published, passed = decision.chosen, passed | decision.over
        power, false = proportions(published, is_novel[chosen[stream]])
        out.add({"power_in_sequence_10": power, "fdr_in_sequence_10": false})


def _by_detections(hidden: HiddenSet, size: Size, seed: int, out: Answers) -> None:
    """Streams of alerts with the same number of detections."""
    phase = epoch_bin(hidden.detections)
    for number, name in enumerate(PHASES):
        rng = np.random.default_rng([seed, 9, number])
        mine = rng.permutation(np.flatnonzero(phase == number))
        rows = mine[np.unique(hidden.object_id[mine], return_index=True)[1]]
        novel = rows[hidden.is_hidden[rows]][: size.most_novel]
        ordinary = rows[~hidden.is_hidden[rows]]
        if len(novel) < 10 or len(ordinary) < 2 * size.stream // 3:
            continue
        sky = Sky(hidden, np.concatenate([ordinary, novel]))
        for split in range(size.few):
            draw, score = _nightly(sky, round(0.05 * size.stream), size, np.random.default_rng([seed, 10, split]))
            is_novel, n = sky.is_novel[draw.stream], len(draw.nulls)
            out.add(judged(score, n, is_novel), f"{name}_detections")
            out.add(judged(sky.scores(draw, hidden.static), n, is_novel, "static"), f"{name}_detections")

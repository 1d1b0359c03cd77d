"""The demonstration, step by step: from an empty home to a model trained with labels."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import Popen
from typing import Any

import numpy as np

from active_learning import labels
from broker.demo import home, measure, model, novel, objects, retraining, screen
from broker.kafka import topics
from broker.kafka.message_log import labels_log
from broker.kafka.watermarks import all_ranges
from broker.local import services
from broker.operate import audit, night, replay
from broker.operate import job_process as job
from broker.settings import Settings
from broker.stream import warm_up
from models.datasets import plasticc
from models.datasets.labelled import Labelled
from schemas import packets
from schemas.night import night_of

REPLAY_RATE_PER_S = 300.0
"""A little more than the 270 alerts a second that the largest survey will send, day after day."""

FIRST_PART = 0.85
"""Fraction of the alerts that come before the labels; the rest is scored with the retrained model."""

NIGHTS = 7
"""Nights of spectroscopy between the two parts: enough for the labels to teach a class that was left out."""

STEPS = 11


@dataclass
class Story:
    """What the steps hand to each other."""

    settings: Settings
    screen: screen.Screen
    n_objects: int
    began: float = field(default_factory=time.monotonic)
    n_requests: int = 0
    last_night: int = 0
    retrained: bool = False
    n_streamed: int = 0
    streaming_s: float = 0.0


def tell(
    settings: Settings, n_objects: int, real_alerts: Path | None, then: Callable[[dict[str, Any]], None]
) -> dict[str, Any]:
    """Run the demonstration; returns the report of ``gueststar demo --json``.

    ``then`` is called with it while the job still runs. Kafka and Redis are left running.
    """
    real = _real_packets(real_alerts)
    story = Story(settings, screen.Screen(STEPS + bool(real)), n_objects)
    kept = _services(story)
    labelled = _light_curves(story)
    _first_model(story, labelled, kept)
    stream = _alerts(story, labelled)
    messages = replay.in_time_order(stream.messages)
    cut = round(FIRST_PART * len(messages))
    with job.running_job(settings) as process:
        _ready(story, process)
        _stream(story, process, messages[:cut], "the first part of the stream")
        selected = _select_novel(story, labelled, stream, messages[cut - 1].time_mjd)
        _nights(story, stream, int(night_of(messages[cut - 1].time_mjd)))
        story.retrained = _retrain(story)
        _stream(story, process, messages[cut:], "the rest, scored by the model in production now")
        n_open = _open_requests(story, int(night_of(messages[-1].time_mjd)))
        if real:
            _real_alerts(story, process, real)
        result = _account(story, stream, selected, n_open)
        then(result)
    return result


def _services(story: Story) -> dict[str, Any]:
    with story.screen.step("Kafka and Redis") as outcome:
        kept = home.prepare(story.settings)
        started = services.start(story.settings)
        topics.create(story.settings, topics.all_topics(story.settings, {}))
        kafka, redis = started["kafka"]["address"], started["redis"]["address"]
        outcome(f"Kafka at {kafka}, Redis at {redis}, home {story.settings.home}")
    return kept


def _light_curves(story: Story) -> Labelled:
    with story.screen.step("PLAsTiCC's training set: simulated light curves with known classes") as outcome:
        labelled = plasticc.load()
        outcome(f"{len(labelled):,} objects, {labelled.light_curves.offsets[-1]:,} measurements")
    return labelled


def _first_model(story: Story, labelled: Labelled, kept: dict[str, Any]) -> None:
    with (
        story.screen.step("A first model, which knows neither kilonovae nor tidal disruption events") as outcome,
        story.screen.bar() as bar,
    ):
        warm_up.compiled_in_parallel(bar)
        kept_sha256 = kept.get("first_model")
        trained = model.first_model(story.settings, labelled, kept_sha256, bar)
        home.remember(story.settings.home, {**kept, "first_model": trained.sha256})
        outcome(
            f"model {trained.version} {'kept from last time' if trained.sha256 == kept_sha256 else 'trained'}, "
            f"SHA-256 {trained.sha256[:16]}, macro-F1 {trained.metrics.get('macro_f1', np.nan):.2f} on held-out objects"
        )


def _alerts(story: Story, labelled: Labelled) -> objects.DemoStream:
    with story.screen.step("Alerts of held-out objects, as packets of the survey's newest schema") as outcome:
        rows = objects.choose(labelled, list(model.LEFT_OUT), story.n_objects, model.SEED)
        stream = objects.make_stream(labelled, rows)
        size = sum(map(len, stream.messages))
        outcome(f"{len(rows)} objects, {len(stream.messages):,} alerts, {size / 1e6:.0f} MB")
    return stream


def _ready(story: Story, process: Popen[bytes]) -> None:
    """The job is ready when something has come through it."""
    with story.screen.step("The Spark job, and a first message through it") as outcome, story.screen.bar() as bar:
        bar("starting Spark", 0, 1)
        replay.send(story.settings, story.settings.input_topics[0], replay.in_time_order([b"not an alert"]))
        job.wait_until_passed(story.settings, process, job.end_offsets(story.settings), lambda left: None)
        outcome("one message that is no alert went through, and became a dead letter")


def _real_alerts(story: Story, process: Popen[bytes], real: list[bytes]) -> None:
    """Last, when the nights are planned: nobody here can answer a request about a real object."""
    with story.screen.step("Real packets through the same job") as outcome:
        sent = replay.send(story.settings, story.settings.input_topics[0], replay.in_time_order(real))
        job.wait_until_passed(story.settings, process, job.end_offsets(story.settings), lambda left: None)
        outcome(f"{sent.alerts} packets of real telescopes")


def _real_packets(folder: Path | None) -> list[bytes]:
    """Wire messages of real telescopes, in the folders of that name; none where there is no such folder."""
    folders = sorted(folder.glob("*-wire")) if folder is not None else []
    return packets.read_files(folders)[0] if folders else []


def _stream(story: Story, process: Popen[bytes], messages: list[replay.Message], what: str) -> None:
    with story.screen.step(f"Streaming {what}") as outcome, story.screen.bar() as bar:
        topic, began = story.settings.input_topics[0], time.monotonic()
        replay.send(story.settings, topic, messages, REPLAY_RATE_PER_S, lambda done: bar("sent", done, len(messages)))
        job.wait_until_passed(story.settings, process, job.end_offsets(story.settings), lambda left: None)
        seconds = time.monotonic() - began
        story.n_streamed, story.streaming_s = story.n_streamed + len(messages), story.streaming_s + seconds
        outcome(f"{len(messages):,} alerts sent at {REPLAY_RATE_PER_S:.0f}/s, the last scored after {seconds:.1f} s")


def _select_novel(story: Story, labelled: Labelled, stream: objects.DemoStream, until_mjd: float) -> novel.Selected:
    with (
        story.screen.step("A night's selection: objects of no known class, at a false-discovery rate") as outcome,
        story.screen.bar() as bar,
    ):
        novel.keep_nulls(story.settings, labelled, stream, until_mjd, bar)
        selected = novel.select(story.settings, stream, int(time.time() * 1000), bar)
        outcome(
            f"{len(selected.objects)} selected at a rate of {story.settings.novelty_fdr:g}, compared with "
            f"{selected.n_nulls:,} labelled objects; {selected.true(stream.truth)} truly are of a class left out"
        )
    return selected


def _nights(story: Story, stream: objects.DemoStream, tonight: int) -> None:
    """Plan nights of spectroscopy from the night ``tonight`` (MJD) on, and answer each request with the truth."""
    settings = story.settings
    with story.screen.step(f"{NIGHTS} nights of spectroscopy: requests planned, answered with the truth") as outcome:
        hours = 0.0
        for number in range(NIGHTS):
            plan = _plan(settings, tonight + number)
            hours += plan.hours
            now_ms = int(time.time() * 1000)
            with labels_log(settings) as log:
                log.append(
                    [labels.label_of(r, stream.truth[r["object_id"]], home.SPECTROGRAPH, now_ms) for r in plan.requests]
                )
            story.n_requests += len(plan.requests)
            story.last_night = tonight + number
        outcome(f"{story.n_requests} spectra in {hours:.1f} hours of telescope time")


def _plan(settings: Settings, of_night: int) -> Any:
    return night.plan_night(settings, of_night, seed=model.SEED, now_ms=int(time.time() * 1000))


def _retrain(story: Story) -> bool:
    with story.screen.step("Learning from the labels") as outcome, story.screen.bar() as bar:
        accepted, sentence = retraining.learn(story.settings, bar)
        outcome(sentence)
    return accepted


def _open_requests(story: Story, last_alert_night: int) -> int:
    """Plan one more night, for the labelling page: the first after the nights before and after the last alert."""
    return len(_plan(story.settings, max(story.last_night, last_alert_night) + 1).requests)


def _account(story: Story, stream: objects.DemoStream, selected: novel.Selected, n_open: int) -> dict[str, Any]:
    settings = story.settings
    with story.screen.step("The audit: every input offset accounted for") as outcome:
        accounts = audit.audit(settings)
        scored = measure.messages_of(settings, topics.classifications(settings))
        figures = measure.figures(scored, stream.truth)
        outcome(
            f"{accounts.alerts_in:,} in, {accounts.alerts_out:,} out, {accounts.dead_letters:,} dead letters, "
            f"{accounts.lost} lost"
        )
    p50, p99 = np.percentile(figures.latency_s, [50, 99])
    result = {
        "alerts_in": accounts.alerts_in,
        "alerts_out": accounts.alerts_out,
        "dead_letters": accounts.dead_letters,
        "lost": accounts.lost,
        "duplicates": accounts.duplicates,
        "done_again": accounts.done_again,
        "twice_in_input": accounts.twice_in_input,
        "novel": len(selected.objects),
        "novel_true": selected.true(stream.truth),
        "novel_picture": str(selected.picture) if selected.picture else None,
        "left_out_objects": sum(class_id in model.LEFT_OUT for class_id in stream.truth.values()),
        "requests": story.n_requests,
        "requests_open": n_open,
        "nights": NIGHTS,
        "retrained": story.retrained,
        "alerts_with_new_model": sum(n for sha, n in figures.alerts_by_model.items() if sha != figures.first_model),
        "accuracy": round(figures.accuracy, 4),
        "rate_alerts_per_s": round(story.n_streamed / max(story.streaming_s, 1e-9), 1),
        "latency_p50_s": round(float(p50), 3),
        "latency_p99_s": round(float(p99), 3),
        "seconds": round(time.monotonic() - story.began, 1),
        "topics": topics_with_messages(settings),
    }
    screen.summary(story.screen, result, figures, model.LEFT_OUT)
    return result


def topics_with_messages(settings: Settings) -> dict[str, int]:
    """Messages in each output topic that has any."""
    counts = {name: sum(high - low for low, high in parts.values()) for name, parts in all_ranges(settings).items()}
    return {name: n for name, n in sorted(counts.items()) if n and name.startswith(f"{settings.topic_prefix}.")}

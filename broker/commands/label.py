"""``gueststar label``: the labelling page."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING

import click

from broker.commands.options import json_option, with_settings
from broker.settings import Settings

if TYPE_CHECKING:
    from active_learning.web.desk import Desk
    from active_learning.web.discovery_desk import DiscoveryDesk

NOVEL_LISTED, STRANGE_LISTED = 1000, 200
"""Messages of each partition that the page lists, the newest, of novel and of strange objects."""


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), help="The same as --label-port.")
@json_option
@with_settings("home", "label_host", "label_port")
def label(port: int | None, as_json: bool, settings: Settings) -> None:
    """Serve the labelling page until Ctrl-C: one light curve at a time, one key for each label.

    Beside the queue it lists novel and strange objects, in the order of your votes on them.

    With --json the address of the page is printed first, as one JSON object.
    """
    from broker.local.at_work import at_work

    with at_work(settings.home, "label"):
        serve_page(settings, settings.label_port if port is None else port, as_json)


def serve_page(settings: Settings, port: int, as_json: bool = False) -> None:
    """Serve the page on ``port`` (0: a free one) until Ctrl-C, and print its address."""
    from active_learning.web.app import create_app
    from active_learning.web.server import bound_socket, serve
    from broker.kafka import topics

    desk, discoveries = desk_of(settings), discovery_desk_of(settings)
    listener = bound_socket(settings.label_host, port, settings.home)
    host = f"[{settings.label_host}]" if ":" in settings.label_host else settings.label_host
    address = f"http://{host}:{listener.getsockname()[1]}/"
    if as_json:
        click.echo(json.dumps({"address": address, "labels": topics.labels(settings)}))
    else:
        click.echo(f"labelling page: {address}   (Ctrl-C ends it)")
        if settings.label_host not in ("127.0.0.1", "localhost", "::1"):
            click.echo("anybody who can open this address can label: put a proxy with a login in front of it", err=True)
    serve(create_app(desk, discoveries, host=settings.label_host), listener)


def desk_of(settings: Settings, *, timeout_s: float = 15.0) -> Desk:
    """The desk behind the page: requests and labels in Kafka, light curves from the packets of the input topics.

    ``timeout_s``: longest wait until a label is stored, seconds.
    """
    from active_learning.web.desk import Desk
    from broker.kafka.following import FollowedLog
    from broker.kafka.message_log import labels_log, requests_log
    from broker.kafka.packet_fetch import light_curve_of

    return Desk(
        FollowedLog(settings, requests_log(settings, timeout_s=timeout_s)),
        FollowedLog(settings, labels_log(settings, timeout_s=timeout_s)),
        partial(light_curve_of, settings),
    )


def discovery_desk_of(settings: Settings, *, timeout_s: float = 15.0) -> DiscoveryDesk:
    """The desk of novel and strange objects: messages and votes in Kafka, vectors by the production model.

    ``timeout_s``: longest wait until a vote is stored, seconds.
    """
    from active_learning.web.discovery_desk import DiscoveryDesk
    from broker.kafka.following import FollowedLog
    from broker.kafka.message_log import novel_log, strange_log, votes_log
    from broker.kafka.packet_fetch import light_curve_of
    from broker.operate.object_vectors import ObjectVectors

    return DiscoveryDesk(
        FollowedLog(settings, novel_log(settings), newest=NOVEL_LISTED),
        FollowedLog(settings, strange_log(settings), newest=STRANGE_LISTED),
        FollowedLog(settings, votes_log(settings, timeout_s=timeout_s)),
        partial(light_curve_of, settings),
        ObjectVectors(settings),
    )

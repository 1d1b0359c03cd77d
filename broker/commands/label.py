"""``gueststar label``: the labelling page."""

from __future__ import annotations

import json

import click

from broker.commands.options import json_option, with_settings
from broker.settings import Settings


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), help="The same as --label-port.")
@json_option
@with_settings("home", "label_host", "label_port")
def label(port: int | None, as_json: bool, settings: Settings) -> None:
    """The labelling page: light curves, one at a time, one key each. Ends with Ctrl-C.

    With --json the page's address is printed as one JSON object before it serves.
    """
    serve_page(settings, settings.label_port if port is None else port, as_json)


def serve_page(settings: Settings, port: int, as_json: bool = False) -> None:
    """Serve the page on ``port`` (0: a free one) until Ctrl-C, and print its address."""
    from active_learning.web.app import create_app
    from active_learning.web.desk import Desk
    from active_learning.web.server import bound_socket, serve

    desk = Desk(settings.kafka_client(), settings.topic_prefix)
    listener = bound_socket(settings.label_host, port, settings.home)
    host = f"[{settings.label_host}]" if ":" in settings.label_host else settings.label_host
    address = f"http://{host}:{listener.getsockname()[1]}/"
    if as_json:
        click.echo(json.dumps({"address": address, "labels": f"{settings.topic_prefix}.labels"}))
    else:
        click.echo(f"labelling page: {address}   (Ctrl-C ends it)")
        if settings.label_host not in ("127.0.0.1", "localhost", "::1"):
            click.echo("anybody who reaches this address can label: put a proxy with a login in front of it", err=True)
    serve(create_app(desk, host=settings.label_host), listener)

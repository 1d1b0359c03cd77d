"""``gueststar up``, ``down`` and ``status``."""

from __future__ import annotations

import json
import time
from typing import Any

import click

from broker.commands.options import json_option, with_settings
from broker.settings import Settings


@click.command()
@json_option
@with_settings("home")
def up(as_json: bool, settings: Settings) -> None:
    """Start Kafka and Redis on this machine.

    They run on free loopback ports and keep their data in the home folder. The first start downloads the Kafka server
    (44 MB). Safe to repeat: a service that runs already is left alone.
    """
    from broker.local.services import is_local, start

    begun = time.monotonic()
    services = start(settings)
    report = {"home": str(settings.home), **services, "seconds": round(time.monotonic() - begun, 2)}
    if as_json:
        click.echo(json.dumps(report))
        return
    for name in ("kafka", "redis"):
        click.echo(
            f"{name}  {services[name]['address'] if is_local(settings, name) else 'set elsewhere, not started here'}"
        )
    click.echo(f"home   {settings.home}")


@click.command()
@json_option
@with_settings("home")
def down(as_json: bool, settings: Settings) -> None:
    """Stop the services that `up` started in this home. The data stay."""
    from broker.local.services import stop

    ended = stop(settings)
    if as_json:
        click.echo(json.dumps({"home": str(settings.home), "ended": ended}))
    else:
        click.echo(f"ended {' and '.join(ended)}" if ended else f"nothing runs in {settings.home}")


@click.command()
@json_option
@with_settings("home")
def status(as_json: bool, settings: Settings) -> None:
    """Show the services, the streaming job with its lag and rates, and the topics."""
    from broker.operate.status import report

    running: dict[str, Any] = report(settings)
    if as_json:
        click.echo(json.dumps(running))
    else:
        from broker.commands.status_tables import show

        show(running)

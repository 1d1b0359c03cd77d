"""``gueststar deadletters``: refused messages, the reasons, and sending them again."""

from __future__ import annotations

import json
import sys
from collections import Counter

import click

from broker.commands.options import CommandGroup, json_option, with_settings
from broker.settings import Settings
from broker.text_output import printable
from schemas.counts import counted
from schemas.dead_letters import STAGES

stage_option = click.option("--stage", type=click.Choice(STAGES), help="Only letters of this stage.")
reason_option = click.option("--reason", default="", help="Only reasons that contain this text.")


@click.group(cls=CommandGroup)
def deadletters() -> None:
    """Show refused messages with the reasons, and send them again."""


@deadletters.command("list")
@stage_option
@reason_option
@json_option
@with_settings("home", "topic_prefix")
def list_letters(stage: str | None, reason: str, as_json: bool, settings: Settings) -> None:
    """Count the dead letters by stage and reason, with the offset of one example each."""
    from broker.operate import dead_letters

    groups = dead_letters.groups(dead_letters.letters(settings, stage or "", reason))
    count = sum(group.count for group in groups)
    if as_json:
        by_reason: Counter[str] = Counter()
        for group in groups:
            by_reason[group.reason] += group.count
        rows = [vars(group) for group in groups]
        click.echo(json.dumps({"count": count, "by_reason": by_reason, "groups": rows}))
        return
    for group in groups:
        click.echo(printable(f"{group.count:>8,}  {group.stage}: {group.reason}"))
        click.echo(printable(f"          e.g. {group.example}"))
    click.echo(counted(count, "dead letter"))


@deadletters.command()
@stage_option
@reason_option
@click.option("--again", is_flag=True, help="Also send those that were sent again before.")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@json_option
@with_settings("home", "topic_prefix")
def replay(stage: str | None, reason: str, again: bool, yes: bool, as_json: bool, settings: Settings) -> None:
    """Send the original messages to their input topics again, for example after a fault was fixed.

    The command shows the number of messages and asks for confirmation. Each message is sent once, with the header
    gueststar-replay-of.
    """
    from broker.operate import dead_letters

    letters = dead_letters.letters(settings, stage or "", reason)
    chosen = list(letters) if again else dead_letters.not_yet_replayed(settings, letters)
    counts = Counter(letter.record["reason"] for letter in chosen)
    places = len({letter.place for letter in chosen})
    if chosen and not yes:
        if not sys.stdin.isatty():
            raise click.ClickException(
                f"{counted(places, 'message')} would be sent again: add --yes to confirm without a terminal"
            )
        click.confirm(f"send {counted(places, 'message')} again?", abort=True, err=True)
    result = dead_letters.replay(settings, chosen)
    if as_json:
        report = {"count": result.sent, "by_reason": counts, "gone": list(result.gone)}
        click.echo(json.dumps(report))
        return
    click.echo(f"{counted(result.sent, 'message')} sent again")
    for place in result.gone[:20]:
        click.echo(f"{place}: Kafka no longer has the whole message", err=True)

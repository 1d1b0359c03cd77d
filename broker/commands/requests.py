"""``gueststar requests``: requests to the telescopes."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import click

from broker.commands.options import SEED, CommandGroup, json_option, with_settings
from broker.settings import Settings
from broker.text_output import printable
from schemas.night import FIRST_NIGHT, LAST_NIGHT, night_of_unix_ms

if TYPE_CHECKING:
    from active_learning.planner import NightPlan


@click.group(cls=CommandGroup, invoke_without_command=True)
@json_option
@with_settings("home")
@click.pass_context
def requests(ctx: click.Context, as_json: bool, settings: Settings) -> None:
    """Requests to the telescopes: `requests plan` plans a night, `requests list` shows the open requests."""
    if ctx.invoked_subcommand is None:
        _list(settings, as_json)


@requests.command("list")
@json_option
@with_settings("home")
def list_(as_json: bool, settings: Settings) -> None:
    """List the requests that have no answer yet."""
    _list(settings, as_json)


@requests.command()
@click.option(
    "--night",
    type=click.IntRange(FIRST_NIGHT, LAST_NIGHT),
    help="The night to plan, as the MJD of its evening; default: tonight.",
)
@click.option("--seed", type=SEED, default=1, show_default=True, help="Random seed.")
@click.option("--dry-run", is_flag=True, help="Show the plan without publishing it.")
@json_option
@with_settings("home", "telescope_budget_hours", "random_fraction")
def plan(night: int | None, seed: int, dry_run: bool, as_json: bool, settings: Settings) -> None:
    """Plan a night from the candidates that the stream has stored, and publish its requests."""
    from broker.kafka import topics
    from broker.operate.night import plan_night

    now_ms = time.time_ns() // 1_000_000
    of_night = night if night is not None else int(night_of_unix_ms(now_ms))
    planned = plan_night(settings, of_night, seed=seed, now_ms=now_ms, publish=not dry_run)
    topic = topics.requests(settings)
    if as_json:
        click.echo(json.dumps(_report(planned, topic, dry_run)))
        return
    _show(planned.requests)
    click.echo(
        f"{len(planned.requests)} requests, {planned.hours:.2f} of {planned.budget_hours:g} h "
        f"({planned.random_hours:.2f} h drawn at random); {len(planned.infeasible)} candidates cannot be observed"
    )
    if dry_run or not planned.requests:
        return
    click.echo(f"published to {topic}; answer them with `gueststar label`")


def _list(settings: Settings, as_json: bool) -> None:
    from active_learning import labels, requests
    from broker.kafka.message_log import labels_log, requests_log
    from schemas.messages import to_json

    answered = labels.answers(stored.record for stored in labels_log(settings).read())
    still_open = requests.unanswered((stored.record for stored in requests_log(settings).read()), answered)
    if as_json:
        listed = [json.loads(to_json(request)) for request in still_open]
        click.echo(json.dumps({"open": len(listed), "answered": len(answered), "requests": listed}))
        return
    _show(still_open)
    click.echo(f"{len(still_open)} open, {len(answered)} objects answered")
    if not still_open:
        click.echo("`gueststar requests plan` plans a night")


def _report(planned: NightPlan, topic: str, dry_run: bool) -> dict[str, Any]:
    by_reason: dict[str, int] = {}
    for request in planned.requests:
        by_reason[request["reason"]] = by_reason.get(request["reason"], 0) + 1
    return {
        "requests": len(planned.requests),
        "by_reason": by_reason,
        "hours": planned.hours,
        "random_hours": planned.random_hours,
        "budget_hours": planned.budget_hours,
        "infeasible": len(planned.infeasible),
        "infeasible_reasons": dict(planned.infeasible[:20]),
        "objects": [request["object_name"] for request in planned.requests],
        "published": "" if dry_run else topic,
    }


def _show(asked: list[dict[str, Any]]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from schemas.taxonomy import name_or_id

    table = Table(box=box.SIMPLE_HEAD)
    for column, justify in (("night", "right"), ("object", "left"), ("why", "left"), ("most probable", "left")):
        table.add_column(column, justify=justify, no_wrap=True)  # type: ignore[arg-type]
    for column in ("mag", "exposure s", "RA °", "Dec °", "propensity"):
        table.add_column(column, justify="right", no_wrap=True)
    for request in asked:
        likely = max(zip(request["p_survey"], request["class_ids"], strict=False), default=(0.0, 300))
        table.add_row(
            str(request["night"]),
            Text(printable(request["object_name"])),
            Text(printable(request["reason"])),
            f"{name_or_id(likely[1])} {likely[0]:.2f}",
            Text(f"{printable(request['band'])} {request['magnitude']:.1f}"),
            f"{request['exposure_s']:.0f}",
            f"{request['ra_deg']:.4f}",
            f"{request['dec_deg']:+.4f}",
            f"{request['propensity']:.3g}",
        )
    console = Console()
    if asked:
        Console(width=None if console.is_terminal else 130).print(table)

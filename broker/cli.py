"""The command line: ``gueststar COMMAND``. Each command lives in a file of ``broker.commands``, loaded when called."""

from __future__ import annotations

import os
import re
import sys
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import click

from broker.error_lines import TRACEBACK_VARIABLE, in_one_line, shortened
from broker.setting_errors import mistyped_variables, near
from broker.settings import Settings, default_home
from broker.text_output import accept_any_text, printable, reader_has_gone, unwritten
from schemas.compiled_code import use_cache

COMMANDS = {
    "demo": ("demo", "Show the whole broker at work on this machine."),
    "up": ("services", "Start Kafka and Redis on this machine."),
    "down": ("services", "Stop what `up` started."),
    "status": ("services", "Show services, job, lag, rates and topics."),
    "show": ("show", "Show alert files in readable form."),
    "convert": ("convert", "Turn light curves into alert messages."),
    "replay": ("replay", "Send alert files to Kafka in time order."),
    "run": ("run", "Run the streaming job: Kafka to Spark to Kafka."),
    "audit": ("audit", "Account for every input offset."),
    "listen": ("listen", "Subscribe to a topic of classified alerts."),
    "filters": ("filters", "Add, list, check and remove SQL filters."),
    "deadletters": ("deadletters", "Show refused messages, and send them again."),
    "data": ("data", "List, describe, check and fetch data sets."),
    "features": ("features", "Extract the features of light curves."),
    "train": ("train", "Train a model bundle and register it."),
    "evaluate": ("evaluate", "Run a published test, with intervals."),
    "novelty": ("novelty", "Select, list and explain objects of no known class."),
    "models": ("models", "List, show, compare, promote and roll back models."),
    "requests": ("requests", "Plan a night, and list requests to telescopes."),
    "label": ("label", "Serve the labelling page."),
    "labels": ("labels", "List the labels, and import those of others."),
    "retrain": ("retrain", "Train a new model with the labels."),
    "adapt": ("adapt", "Adapt the model to the stream, with random labels."),
    "warm": ("warm", "Compile the numerical code before the first run."),
    "bench": ("bench", "Measure speed, compared with a named peer."),
}
"""Command name: (module of ``broker.commands``, one line of help)."""


class CommandError(Exception):
    """Carries an error of a command, its cause, past click."""


class Commands(click.Group):
    """A group whose commands are imported only when they are called, so that ``--help`` answers at once."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [name for name, (module, _) in COMMANDS.items() if _exists(module)]

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS or not _exists(COMMANDS[name][0]):
            return None
        command: click.Command = getattr(import_module(f"broker.commands.{COMMANDS[name][0]}"), name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        commands = self.list_commands(ctx)
        if args[0] not in commands and not args[0].startswith("-"):
            raise click.UsageError(f"There is no command {args[0]!r}{near(args[0], commands)}", ctx)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command. click takes an EOFError or BrokenPipeError for the end of a terminal and ends the program
        in silence; so one that the command raises is wrapped."""
        try:
            return super().invoke(ctx)
        except (EOFError, BrokenPipeError) as error:
            if isinstance(error, BrokenPipeError) and reader_has_gone():
                raise
            raise CommandError from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = [(name, COMMANDS[name][1]) for name in self.list_commands(ctx)]
        if rows:
            with formatter.section("Commands"):
                formatter.write_dl(rows)


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="gueststar", prog_name="gueststar")
def gueststar() -> None:
    """A streaming broker for astronomical alerts.

    Start with `gueststar demo`. Settings come from gueststar.toml in the home folder; GUESTSTAR_… variables override
    them, and flags override both. GUESTSTAR_HOME is the home folder, where everything is kept.
    """


def main() -> None:
    """Entry point. Every error is reported as one line on standard error, with exit code 1.

    With GUESTSTAR_TRACEBACK=1 the traceback is shown instead.
    """
    accept_any_text()
    use_cache(default_home() / "cache" / "numba")
    for line in mistyped_variables(Settings.model_fields):
        click.echo(f"gueststar: {line}", err=True)
    try:
        code = gueststar.main(standalone_mode=False)
    except click.ClickException as error:
        if isinstance(error, click.NoSuchOption) and re.match(r"-[\d.(]", error.option_name):
            error = click.UsageError(f"{error.format_message()} Put -- before what begins with a dash.", error.ctx)
        lines = [error.message] if isinstance(error, click.UsageError) else error.message.split("\n")
        error.message = "\n".join(shortened(printable(line)) for line in lines)  # type: ignore[misc]
        if isinstance(error, click.UsageError):  # with the usage of the command
            error.show()
        else:
            click.echo(f"gueststar: {error.message}", err=True)
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    except Exception as error:
        cause = error.__cause__ if isinstance(error, CommandError) else error
        if os.environ.get(TRACEBACK_VARIABLE) == "1":
            raise cause or error from None
        unwritten()  # else Python tries again at the end, and tells of it in words of its own
        click.echo(f"gueststar: {in_one_line(cause if isinstance(cause, Exception) else error)}", err=True)
        sys.exit(1)
    if (failure := unwritten()) is not None:
        if not isinstance(failure, BrokenPipeError):
            click.echo(f"gueststar: {in_one_line(failure)}", err=True)
        sys.exit(1)
    # click returns the code of ctx.exit(code), and what the command returned.
    sys.exit(code if isinstance(code, int) else 0)


def _exists(module: str) -> bool:
    return find_spec(f"broker.commands.{module}") is not None


if __name__ == "__main__":
    main()

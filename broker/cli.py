"""The command line: ``gueststar COMMAND``. Each command lives in a file of ``broker.commands`` and is loaded when called."""

from __future__ import annotations

import os
import sys
from importlib import import_module

import click

from broker.settings import default_home

COMMANDS = {
    "demo": ("demo", "Show the whole broker at work on this machine."),
    "up": ("services", "Start Kafka and Redis on this machine."),
    "down": ("services", "Stop what `up` started."),
    "status": ("services", "What runs, how far behind, how fast."),
    "show": ("show", "Read alert files as a person would."),
    "convert": ("convert", "Turn light curves into alert messages."),
    "replay": ("replay", "Send alert files to Kafka in time order."),
    "run": ("run", "The streaming job: Kafka to Spark to Kafka."),
    "audit": ("audit", "Account for every input offset."),
    "listen": ("listen", "Subscribe to a topic of classified alerts."),
    "filters": ("filters", "A subscriber's own SQL filters."),
    "deadletters": ("deadletters", "What was refused, and why; send it again."),
    "features": ("features", "Light curves to a feature matrix."),
    "train": ("train", "Train a model bundle and register it."),
    "evaluate": ("evaluate", "A published test, with intervals."),
    "models": ("models", "The registry: list, show, promote, roll back."),
    "requests": ("requests", "What is asked of the telescopes."),
    "label": ("label", "The labelling page."),
    "labels": ("labels", "What was answered."),
    "retrain": ("retrain", "Learn from the labels."),
    "bench": ("bench", "Speed, side by side with a named peer."),
}
"""Command name: (module of ``broker.commands``, one line of help)."""


class Commands(click.Group):
    """A group whose commands are imported only when they are called, so that ``--help`` answers at once."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [name for name, (module, _) in COMMANDS.items() if _exists(module)]

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS or not _exists(COMMANDS[name][0]):
            return None
        command: click.Command = getattr(import_module(f"broker.commands.{COMMANDS[name][0]}"), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = [(name, COMMANDS[name][1]) for name in self.list_commands(ctx)]
        if rows:
            with formatter.section("Commands"):
                formatter.write_dl(rows)


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="gueststar", prog_name="gueststar")
def gueststar() -> None:
    """A streaming broker for astronomical alerts.

    Start with `gueststar demo`. Settings: gueststar.toml in the home folder, GUESTSTAR_… variables
    above it, flags above both. GUESTSTAR_HOME is the folder where everything is kept.
    """


def main() -> None:
    """Entry point: errors a user can mend are one line on standard error and exit code 1."""
    os.environ.setdefault("NUMBA_CACHE_DIR", str(default_home() / "cache" / "numba"))
    try:
        gueststar.main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.exceptions.Exit as request:
        sys.exit(request.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    except (LookupError, OSError, ValueError) as error:
        click.echo(f"gueststar: {error}", err=True)
        sys.exit(1)


def _exists(module: str) -> bool:
    from importlib.util import find_spec

    return find_spec(f"broker.commands.{module}") is not None


if __name__ == "__main__":
    main()

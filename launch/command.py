"""The three things the launcher does, and how it ends: one sentence and exit code 1 when it cannot."""

from __future__ import annotations

import argparse
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from launch import process
from launch.places import secret_key
from launch.roles import first_line
from launch.run import run
from launch.services import services
from launch.trouble import Trouble, explain, say


def main(arguments: list[str]) -> int:
    """Do what the arguments say and return the exit code."""
    wish = _parser().parse_args(arguments)
    try:
        with _polite_end():
            return int(wish.do(wish))
    except Trouble as trouble:
        say(str(trouble))
    except OSError as error:
        say(explain(error))
    except psycopg.Error as error:
        say(f"The database went away or refused: {first_line(error)}.")
    except KeyboardInterrupt:
        return 130
    return 1


def _parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(prog="python -m launch", description=__doc__)
    parser.add_argument(
        "--var", type=Path, default=Path("var"), help="folder for data and logs (default: var)"
    )
    deeds = parser.add_subparsers(required=True)
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--var", type=Path, default=argparse.SUPPRESS, help="folder for data and logs")

    run = deeds.add_parser("run", parents=[shared], help="start the whole study on this machine")
    run.add_argument("--port", type=int, default=8000, help="where the pages are served (default: 8000)")
    run.set_defaults(do=run_study)

    within = deeds.add_parser("with", parents=[shared], help="run a command with database and broker")
    within.add_argument("command", nargs=argparse.REMAINDER, metavar="-- COMMAND ...")
    within.set_defaults(do=run_command)

    only = deeds.add_parser(
        "services", parents=[shared], help="start database and broker, print their addresses"
    )
    only.set_defaults(do=keep_services)
    return parser


@contextmanager
def _polite_end() -> Iterator[None]:
    """Turn a request to end (kill, closed terminal) into the same orderly way out as Ctrl-C."""

    def end(number: int, frame: object) -> None:
        for each in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(each, signal.SIG_IGN)  # the way out is under way: one request is enough
        raise KeyboardInterrupt

    for each in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(each, end)
    yield


def run_study(wish: argparse.Namespace) -> int:
    """Start everything and stay until told to end."""
    return run(wish.var, wish.port)


def run_command(wish: argparse.Namespace) -> int:
    """Run a command beside database and broker and return its exit code."""
    command = wish.command[1:] if wish.command[:1] == ["--"] else wish.command
    if not command:
        raise Trouble("No command was given; write: python -m launch with -- COMMAND.")
    with services(wish.var) as addresses:
        env = os.environ | addresses | {"EDC_SECRET_KEY": secret_key(wish.var)}
        try:
            child = process.start(command, env=env, own_session=False)
        except OSError as error:
            raise Trouble(f"{command[0]} cannot be started: {error.strerror}.") from error
        return _wait(child)


def _wait(child: subprocess.Popen[bytes]) -> int:
    """Wait for a command on our terminal. Ctrl-C is its affair; a request to us to end is passed on."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for each in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, lambda number, frame: child.send_signal(number))
    code = child.wait()
    return code if code >= 0 else 128 - code


def keep_services(wish: argparse.Namespace) -> int:
    """Print the addresses, one NAME=value a line, and stay until told to end."""
    with services(wish.var) as addresses:
        for name, value in addresses.items():
            plain = re.fullmatch(r"[\w:/?=@.,%+-]*", value)
            print(f"{name}={value if plain else shlex.quote(value)}")
        sys.stdout.flush()
        say("Database and broker are ready; Ctrl-C stops them.")
        while True:
            signal.pause()

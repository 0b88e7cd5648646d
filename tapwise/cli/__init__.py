"""The command line: `tapwise COMMAND ...`. A command's module is imported only when the command is called."""

from __future__ import annotations

import importlib
import json
import sys

from tapwise import __version__
from tapwise.errors import ConfigError, TapwiseError

COMMANDS: dict[str, str] = {
    "demo": "train an agent from nothing on virtual phones, and write a report",
    "train": "train by a recipe",
    "eval": "measure a policy on a suite of tasks",
    "compare": "two evaluations: what differs in how they were made, and which is better",
    "data": "import, check, count and export trajectories",
    "judge": "let a model judge stored trajectories",
    "view": "look at stored episodes in a browser",
    "replay": "score stored trajectories anew, or replay a policy on them",
    "phone": "serve virtual phones to any ADB client",
    "farm": "devices that stay up for other programs; what a farm makes of faults",
    "tasks": "list, count, prove and play the tasks of a suite",
    "doctor": "say what this machine has and lacks",
    "pretrain": "train the base weights of the small model",
    "report": "write the report of a run again",
}

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130


def main(argv: list[str] | None = None) -> int:
    """Run a command and return its exit status: 0 done, 1 failed, 2 wrong usage or configuration, 130 interrupted."""
    arguments = sys.argv[1:] if argv is None else argv
    if not arguments or arguments[0] in ("-h", "--help"):
        print(_help())
        return 0 if arguments else EXIT_USAGE
    if arguments[0] == "--version":
        print(f"tapwise {__version__}")
        return 0
    command, rest = arguments[0], arguments[1:]
    if command not in COMMANDS:
        print(f"error: unknown command {command!r}\n\n{_help()}", file=sys.stderr)
        return EXIT_USAGE
    try:
        module = importlib.import_module(f"tapwise.cli.{command}")
        return int(module.run(rest))
    except TapwiseError as error:
        if "--json" in rest:
            print(json.dumps({"error": type(error).__name__, "message": str(error)}))
        print(f"error: {error}", file=sys.stderr)
        return EXIT_USAGE if isinstance(error, ConfigError) else EXIT_FAILED
    except KeyboardInterrupt:
        print("interrupted: the same command goes on from here", file=sys.stderr)
        return EXIT_INTERRUPTED


def _help() -> str:
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {text}" for name, text in COMMANDS.items()]
    return (
        "usage: tapwise COMMAND [OPTIONS]\n\ncommands:\n"
        + "\n".join(lines)
        + "\n\n`tapwise COMMAND --help` tells more."
    )

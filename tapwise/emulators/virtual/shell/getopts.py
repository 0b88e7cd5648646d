"""`getopts`: a script's own options, one at each call."""

from __future__ import annotations

from tapwise.emulators.virtual.shell.command import Shell
from tapwise.emulators.virtual.shell.streams import Streams


def next_option(shell: Shell, arguments: list[str], streams: Streams) -> int:
    """`getopts LETTERS NAME [WORD...]`: status 0 with the next option in NAME and OPTARG, 1 after the last one.

    As in dash, OPTIND counts a word as read from its first letter on.
    """
    if len(arguments) < 2:
        streams.stderr.line("/system/bin/sh: getopts: usage: getopts optstring name [arg ...]")
        return 2
    letters, name, *words = arguments
    words = words or shell.positional
    variables = shell.variables
    index = variables.get("OPTIND", "1")
    position = int(index) if index.isascii() and index.isdigit() and int(index) > 0 else 1
    counted, rest = shell.option_rest
    if not rest or counted != position:
        word = words[position - 1] if position <= len(words) else ""
        if len(word) < 2 or word[0] != "-" or word == "--":
            variables |= {name: "?", "OPTIND": str(position + (word == "--"))}
            variables.pop("OPTARG", None)
            shell.option_rest = (0, "")
            return 1
        rest, position = word[1:], position + 1
    letter, rest = rest[0], rest[1:]
    quiet = letters.startswith(":")
    option, argument, problem = letter, "", ""
    if letter == ":" or letter not in letters:
        option, argument, problem = "?", letter, f"Illegal option -{letter}"
    elif letters[letters.index(letter) + 1 :].startswith(":"):
        if rest:
            argument, rest = rest, ""
        elif position <= len(words):
            argument, position = words[position - 1], position + 1
        else:
            option, argument, problem = ":" if quiet else "?", letter, f"No arg for -{letter} option"
    variables |= {name: option, "OPTIND": str(position), "OPTARG": argument}
    if problem and not quiet:
        variables.pop("OPTARG")
        streams.stderr.line(problem)
    shell.option_rest = (position, rest)
    return 0

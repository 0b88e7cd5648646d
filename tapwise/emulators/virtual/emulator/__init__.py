"""A program that takes the place of Google's `emulator`: the same options, ports, console and exit codes."""

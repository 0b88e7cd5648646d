"""The keyboard side of an interactive shell: cuts input into lines and, on a terminal, echoes it."""

from __future__ import annotations

from typing import NamedTuple

_BACKSPACES = (0x08, 0x7F)
_INTERRUPT = 0x03
_END_OF_INPUT = 0x04


class Typed(NamedTuple):
    """What some input came to: bytes to echo, whole lines, and whether it ended."""

    echo: bytes
    lines: list[str]
    ended: bool


class Terminal:
    """Collects lines. `echoes` is for hosts whose terminal shows nothing by itself."""

    def __init__(self, *, echoes: bool = False) -> None:
        self._echoes = echoes
        self._line = bytearray()

    def feed(self, data: bytes) -> Typed:
        """Take input; backspace, Ctrl-C and Ctrl-D do on a terminal what they do everywhere."""
        echo = bytearray()
        lines: list[str] = []
        for byte in data:
            if byte in b"\r\n":
                echo += b"\r\n"
                lines.append(self._line.decode("utf-8", "surrogateescape"))
                self._line.clear()
            elif self._echoes and byte == _END_OF_INPUT and not self._line:
                return Typed(bytes(echo), lines, True)
            elif self._echoes and byte == _INTERRUPT:
                self._line.clear()
                echo += b"^C\r\n"
                lines.append("")
            elif self._echoes and byte in _BACKSPACES:
                echo += b"\b \b" if self._line else b""
                del self._line[-1:]
            else:
                self._line.append(byte)
                echo.append(byte)
        return Typed(bytes(echo) if self._echoes else b"", lines, False)

    def shown(self, output: bytes) -> bytes:
        """Output as this terminal needs it: a raw terminal wants a carriage return at each line end."""
        return output.replace(b"\n", b"\r\n") if self._echoes else output

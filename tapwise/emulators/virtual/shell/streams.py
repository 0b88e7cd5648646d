"""What a command reads from and writes to: streams, and the table of a shell's open ones by descriptor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tapwise.emulators.virtual.phone import VirtualPhone


class Output:
    """A command's output stream: chunks that are kept as they are, so that a picture is never copied."""

    __slots__ = ("chunks",)

    def __init__(self) -> None:
        self.chunks: list[bytes | memoryview] = []

    def write(self, data: bytes | memoryview | str) -> None:
        """Add bytes, or text as UTF-8."""
        encoded = data.encode("utf-8", "surrogateescape") if isinstance(data, str) else data
        if len(encoded):
            self.chunks.append(encoded)

    def line(self, text: str) -> None:
        """Add a line of text."""
        self.write(text + "\n")

    def value(self) -> bytes:
        """All bytes so far."""
        return b"".join(self.chunks)

    def flush(self) -> None:
        """Hand on what is written so far, where it goes anywhere. Raises OSError."""


class Discard(Output):
    """Forgets what is written: /dev/null, and a descriptor that is closed."""

    __slots__ = ()

    def write(self, data: bytes | memoryview | str) -> None:
        """Forget."""


class FileOutput(Output):
    """Writes to a file of the phone, at its end or, with a `position`, from there on."""

    __slots__ = ("_path", "_phone", "_position")

    def __init__(self, phone: VirtualPhone, path: str, position: int | None) -> None:
        super().__init__()
        self._phone = phone
        self._path = path
        self._position = position

    def flush(self) -> None:
        """Write what has come since the last time; nothing when the file is gone. Raises OSError, as on a full disk."""
        if not self.chunks:
            return
        data = self.value()
        self.chunks.clear()
        files, now = self._phone.files, self._phone.clock.now()
        if not files.exists(self._path):
            return
        if self._position is None:
            files.append(self._path, data, now)
            return
        before, start = files.read(self._path), self._position
        gap = b"\0" * (start - len(before))
        files.write(self._path, before[:start] + gap + data + before[start + len(data) :], now)
        self._position += len(data)


class Input:
    """An input stream, all of it there from the start; commands that share it share the position in it."""

    __slots__ = ("_data", "_position")

    def __init__(self, data: bytes = b"") -> None:
        self._data = data
        self._position = 0

    def read(self, most: int | None = None) -> bytes:
        """All that is left, or at most so many bytes."""
        start = self._position
        self._position = len(self._data) if most is None else min(start + most, len(self._data))
        return self._data[start : self._position]

    def read_line(self, end: bytes = b"\n") -> bytes:
        """The next line with the byte that ends it; empty when nothing is left."""
        stop = self._data.find(end, self._position) + 1 or len(self._data)
        line = self._data[self._position : stop]
        self._position = stop
        return line


STDIN: Final = 0
STDOUT: Final = 1
STDERR: Final = 2


class Streams:
    """The open streams of a shell by descriptor; two descriptors may stand for one stream."""

    __slots__ = ("_first", "table")

    def __init__(self, stdin: Input | None = None, stdout: Output | None = None, stderr: Output | None = None) -> None:
        self.table: dict[int, Input | Output] = {
            STDIN: stdin if stdin is not None else Input(),
            STDOUT: stdout if stdout is not None else Output(),
            STDERR: stderr if stderr is not None else Output(),
        }
        self._first = dict(self.table)

    @property
    def stdin(self) -> Input:
        """Standard input; at its end from the start when it is closed."""
        return self.source(STDIN) or Input()

    @property
    def stdout(self) -> Output:
        """Standard output; what is written is forgotten when it is closed."""
        return self._sink(STDOUT)

    @property
    def stderr(self) -> Output:
        """Standard error; what is written is forgotten when it is closed."""
        return self._sink(STDERR)

    def source(self, descriptor: int) -> Input | None:
        """The stream to read from a descriptor; None when it is closed or only for writing."""
        stream = self.table.get(descriptor)
        return stream if isinstance(stream, Input) else None

    def _sink(self, descriptor: int) -> Output:
        stream = self.table.get(descriptor)
        return stream if isinstance(stream, Output) else Discard()

    def fork(self, stdin: Input | None = None, stdout: Output | None = None, stderr: Output | None = None) -> Streams:
        """A table of its own with the same streams, but for those given."""
        child = Streams.__new__(Streams)
        child.table = dict(self.table)
        child._first = self._first
        for descriptor, stream in ((STDIN, stdin), (STDOUT, stdout), (STDERR, stderr)):
            if stream is not None:
                child.table[descriptor] = stream
        return child

    def inherit(self, earlier: Streams) -> None:
        """Open what an earlier script left open; where that stands for a stream it began with, ours takes its place."""
        ours = {id(stream): self._first[descriptor] for descriptor, stream in reversed(earlier._first.items())}
        self.table = {descriptor: ours.get(id(stream), stream) for descriptor, stream in earlier.table.items()}

    def restore(self, before: Mapping[int, Input | Output | None]) -> None:
        """Give descriptors the streams that they had; None closes one."""
        for descriptor, stream in before.items():
            if stream is None:
                self.table.pop(descriptor, None)
            else:
                self.table[descriptor] = stream

    def flush(self) -> None:
        """Have every stream hand on what is written. Raises the first OSError, after all have had their turn."""
        problem = None
        for stream in self.table.values():
            if isinstance(stream, FileOutput):
                try:
                    stream.flush()
                except OSError as error:
                    problem = problem or error
        if problem is not None:
            raise problem

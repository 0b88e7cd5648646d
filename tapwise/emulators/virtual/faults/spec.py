"""One fault: its kind, and when it happens. In text: KIND or KIND:NAME=VALUE,NAME=VALUE."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Final

from tapwise.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of fault: what is looked at each time, its modes (the first is the usual one), and what it does."""

    at: str
    modes: tuple[str, ...]
    does: str


KINDS: Final[Mapping[str, Kind]] = {
    "offline": Kind(
        "each connection of a host, and each service that it opens",
        ("silent", "drop"),
        "silent: a connection is never answered; drop: the link is cut when a service is opened",
    ),
    "unauthorized": Kind("each connection of a host", ("reject",), "the host's key is never accepted"),
    "hang": Kind(
        "each service that a host opens",
        ("silent", "stall", "deaf"),
        "silent: it opens and says nothing; stall: it stops after `bytes`; deaf: the whole link is not read any more",
    ),
    "closed": Kind("each service that a host opens", ("refuse",), "the service is refused: error: closed"),
    "slow": Kind("each message of a host", ("delay",), "it is answered `delay` seconds late"),
    "crash": Kind("each service that a host opens", ("exit",), "the phone's process ends at once"),
    "screenshot": Kind(
        "each picture that is asked for",
        ("white", "black", "empty", "truncated", "prefixed", "stale"),
        "a blank, secured, missing or torn picture, one with a warning before it, or the one before it",
    ),
    "tree": Kind(
        "each dump of the accessibility tree",
        ("busy", "null", "empty", "stale"),
        "uiautomator's errors, which leave the old file, an empty answer, or the tree before it",
    ),
    "forest": Kind(
        "each accessibility forest that is sent to a host",
        ("silent", "stale", "refused"),
        "the forwarder says nothing, sends the forest before the latest change, or does not reach the host",
    ),
    "anr": Kind("each touch and key", ("dialog",), "a dialog says that the app does not respond, above everything"),
    "lost_input": Kind("each touch, key and text", ("drop",), "nothing happens"),
    "snapshot": Kind(
        "each save and load of a snapshot",
        ("error", "wrong", "slow"),
        "it fails, another state than the one asked for comes, or the phone stands still for `delay` seconds first",
    ),
    "full_disk": Kind("each write of a file and each install", ("enospc",), "there is no space left"),
    "boot": Kind("each look at sys.boot_completed", ("endless",), "the phone has never booted"),
    "reboot": Kind("every `delay` seconds", ("restart",), "the phone reboots by itself"),
    "launch": Kind(
        "each start of the emulator",
        ("disk", "lock", "no_adb", "stray"),
        "it refuses for want of space, or because of a lock that a killed run left; it runs without its ADB port; a"
        " child that has left its process group keeps its ports",
    ),
    "end": Kind("each request to end the emulator: SIGTERM, SIGINT, kill", ("deaf",), "it runs on"),
}
"""Every kind, by name."""


@dataclass(frozen=True, slots=True)
class FaultSpec:
    """A fault and its conditions, which must all hold.

    on: text that the service, command or action must contain. after: looks that pass before it may happen.
    probability: of happening at each further look, drawn from `seed`. times: how often at most, 0 for no limit.
    seconds: real seconds from its first happening after which it is over, 0 for never. bytes and delay are for the
    kinds that speak of them.
    """

    kind: str
    mode: str = ""
    on: str = ""
    after: int = 0
    probability: float = 1.0
    times: int = 0
    seconds: float = 0.0
    seed: int = 0
    bytes: int = 4096
    delay: float = 1.0

    def __post_init__(self) -> None:
        kind = KINDS.get(self.kind)
        if kind is None:
            raise ConfigError(f"there is no fault {self.kind!r}: known are {', '.join(KINDS)}")
        if not self.mode:
            object.__setattr__(self, "mode", kind.modes[0])
        if self.mode not in kind.modes:
            raise ConfigError(f"fault {self.kind!r} has no mode {self.mode!r}: known are {', '.join(kind.modes)}")
        if not 0.0 <= self.probability <= 1.0:
            raise ConfigError(f"fault {self.kind!r}: probability {self.probability} does not lie in [0, 1]")
        if min(self.after, self.times, self.seconds, self.bytes, self.delay) < 0:
            raise ConfigError(f"fault {self.kind!r}: after, times, seconds, bytes and delay cannot be negative")

    @classmethod
    def parse(cls, text: str) -> FaultSpec:
        """Read "hang:on=screencap,after=10,times=1". Raises ConfigError naming the wrong part."""
        kind, _, rest = text.partition(":")
        values: dict[str, Any] = {}
        for part in filter(None, rest.split(",")):
            name, sign, value = part.partition("=")
            if not sign:
                raise ConfigError(f"fault {text!r}: {part!r} is not NAME=VALUE")
            values[name.strip()] = value.strip()
        return cls.from_mapping({"kind": kind.strip(), **values})

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> FaultSpec:
        """Make one of names and values, which may be text. Raises ConfigError naming the wrong one."""
        kinds = {field.name: str(field.type) for field in fields(cls)}
        casts: Mapping[str, Any] = {"str": str, "int": int, "float": float}
        found: dict[str, Any] = {}
        for name, value in values.items():
            if name not in kinds:
                raise ConfigError(f"a fault has no {name!r}: known are {', '.join(kinds)}")
            try:
                found[name] = casts[kinds[name]](value)
            except (TypeError, ValueError):
                raise ConfigError(f"fault {values.get('kind')!r}: {name}={value!r} is not a {kinds[name]}") from None
        if "kind" not in found:
            raise ConfigError(f"a fault needs a kind: one of {', '.join(KINDS)}")
        return cls(**found)

    def __str__(self) -> str:
        values = ((name, value) for name, value in self.as_dict().items() if name != "kind" and value != "")
        return f"{self.kind}:{','.join(f'{name}={value}' for name, value in values)}"

    def as_dict(self) -> dict[str, Any]:
        """All of it, for JSON."""
        return asdict(self)

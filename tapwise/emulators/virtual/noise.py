"""The world's interruptions, dialled per recipe and drawn from the seed: what makes real phones stochastic."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from tapwise.emulators.virtual.state import Popup
from tapwise.errors import ConfigError

ItemT = TypeVar("ItemT")

POPUPS = (
    Popup("Rate this app", "Not now", "Rate", "App store"),
    Popup("Update available", "Later", "Update", "System update"),
    Popup("Try premium", "No thanks", "Try", "Premium"),
    Popup("Turn on notifications", "Skip", "Allow", "Notifications"),
)
ADS = (
    Popup("Big summer sale", "Close", "Visit", "Summer sale"),
    Popup("Win a free phone", "Close", "Play", "Prize game"),
    Popup("We use cookies", "Reject", "Options", "Cookie options"),
    Popup("Join our newsletter", "No thanks", "Join", "Newsletter"),
)
DISMISS_ID = "noise_dismiss"


@dataclass(frozen=True, slots=True)
class Noise:
    """Probabilities in [0, 1]: of a pop-up or an ad for each page that is opened (ads only in the browser), of a slow
    load for each page, and, for each list, that its order differs from seed to seed. `drift` is that of each change
    that apps go through from one version to the next: renamed buttons, other colours and sizes of text,
    reordered menus, and other goods and prices in the shops.

    The others are again of each page that is opened: that its app asks for a permission it has not been given or denied
    yet, that a heads-up notification comes in over it, that a site asks for an account before it goes on (`walls`), and
    that a page from the network cannot be loaded at first."""

    popups: float = 0.0
    ads: float = 0.0
    slow_loads: float = 0.0
    layout_shifts: float = 0.0
    drift: float = 0.0
    permissions: float = 0.0
    heads_up: float = 0.0
    walls: float = 0.0
    failed_loads: float = 0.0

    def __post_init__(self) -> None:
        for name in self.__dataclass_fields__:
            value = getattr(self, name)
            if not 0.0 <= value <= 1.0:
                raise ConfigError(f"noise {name} = {value}: a probability between 0 and 1 is needed")

    @classmethod
    def parse(cls, text: str) -> Noise:
        """Read "popups=0.1,ads=0.2"; an empty text is no noise. Raises ConfigError naming the wrong part."""
        values: dict[str, float] = {}
        for part in filter(None, text.split(",")):
            name, _, number = part.partition("=")
            if name not in cls.__dataclass_fields__:
                raise ConfigError(f"noise {part!r}: unknown name; known: {', '.join(cls.__dataclass_fields__)}")
            try:
                values[name] = float(number)
            except ValueError:
                raise ConfigError(f"noise {part!r}: write it as {name}=0.1") from None
        return cls(**values)

    def __str__(self) -> str:
        return ",".join(f"{name}={getattr(self, name):g}" for name in self.__dataclass_fields__)


def interruption(noise: Noise, rng: random.Random, *, browser: bool) -> Popup | None:
    """The pop-up that a newly opened page meets, if any."""
    if browser and rng.random() < noise.ads:
        return rng.choice(ADS)
    if rng.random() < noise.popups:
        return rng.choice(POPUPS)
    return None


def loading_time_s(noise: Noise, rng: random.Random) -> float:
    """Virtual seconds that a page takes to load; one slow load in six outlasts a patient observer."""
    if rng.random() >= noise.slow_loads:
        return 0.0
    return rng.uniform(2.0, 4.0) if rng.random() < 1 / 6 else rng.uniform(0.1, 0.5)


def happens(noise: Noise, dial: str, seed: int, draw: str) -> bool:
    """Whether the event that a dial governs comes about at one of its draws. Each dial has random numbers of its own,
    so that turning one up leaves the others' events as they are."""
    probability: float = getattr(noise, dial)
    return random.Random(f"{seed}/{dial}/{draw}").random() < probability


def shuffled(items: Sequence[ItemT], key: str, noise: Noise, seed: int) -> list[ItemT]:
    """The items in the order that this seed gives to the list called `key`."""
    order = list(items)
    rng = random.Random(f"{seed}/{key}")
    if rng.random() < noise.layout_shifts:
        rng.shuffle(order)
    return order

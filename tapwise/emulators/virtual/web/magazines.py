"""Sites to read: a banner, headlines drawn from the seed, and articles."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from tapwise.emulators.virtual.ui.page import Page
from tapwise.emulators.virtual.ui.theme import Colour
from tapwise.emulators.virtual.ui.views import ListItem, Space, Text, View
from tapwise.emulators.virtual.web.site import Site, Visit, banner, inset, not_found

HEADLINES = 6


@dataclass
class MagazineData:
    """The headlines of the day."""

    headlines: list[str]


class Magazine(Site):
    """A site of headlines, made of a list of openings and a list of subjects."""

    def __init__(self, name: str, icon: str, colour: Colour, openings: Sequence[str], subjects: Sequence[str]) -> None:
        self.name = name
        self.host = name.lower().replace(" ", "") + ".com"
        self.icon = icon
        self.colour = colour
        self._openings = tuple(openings)
        self._subjects = tuple(subjects)

    def initial(self, rng: random.Random) -> MagazineData:
        subjects = rng.sample(self._subjects, min(HEADLINES, len(self._subjects)))
        return MagazineData([f"{rng.choice(self._openings)} {subject}" for subject in subjects])

    def page(self, visit: Visit) -> Page:
        match visit.url.path:
            case ():
                rows = [self._row(visit, headline) for headline in visit.data.headlines]
                return Page(title=self.name, body=[banner(self.name, self.colour), *rows])
            case ("article", headline):
                text = f"{headline}. Our readers write to us about it every day, and we have asked those who know."
                body = [banner(headline, self.colour), Space(size=14), inset(Text(value=text, size=20, wrap=True))]
                return Page(title=headline, body=body)
        return not_found(f"{self.name} has no such page")

    def _row(self, visit: Visit, headline: str) -> View:
        return ListItem(title=headline, icon="note", on_tap=lambda: visit.open("article", headline))


def magazines() -> tuple[Magazine, ...]:
    """The sites to read."""
    places = ("coast", "hills", "city", "north", "south", "islands", "valley")
    return (
        Magazine(
            "Daily news", "thing_paper", (176, 32, 40), ("Vote in", "Trains to", "Storm over", "Music in"), places
        ),
        Magazine("Skycast", "thing_cloud", (2, 119, 189), ("Rain in", "Sun in", "Snow in", "Wind in"), places),
        Magazine(
            "Recipes",
            "thing_pan",
            (191, 87, 0),
            ("Quick", "Classic", "Spicy", "Fresh"),
            ("soup", "pasta", "salad", "bread", "curry", "cake", "rice"),
        ),
        Magazine(
            "Sportzone",
            "thing_ball",
            (46, 125, 50),
            ("Win in", "Draw in", "New coach in"),
            ("tennis", "football", "cycling", "rowing", "hockey", "golf", "chess"),
        ),
        Magazine(
            "Filmclub",
            "thing_film",
            (103, 58, 183),
            ("Review of", "Trailer of"),
            ("Red moon", "Last train", "Old town", "Long road", "Blue hour", "Night owl", "Small world"),
        ),
        Magazine(
            "Trails",
            "thing_hills",
            (84, 110, 60),
            ("Walk the", "Ride the", "Run the"),
            ("ridge", "forest", "lake", "river", "canyon", "beach", "meadow"),
        ),
    )

"""Recipes: what to cook, of what, and how long it takes."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from tapwise.emulators.virtual.app import Ui
from tapwise.emulators.virtual.apps.forms import Field
from tapwise.emulators.virtual.apps.records import RecordsApp, line
from tapwise.emulators.virtual.apps.schemas import recipes_database
from tapwise.emulators.virtual.databases import Database
from tapwise.emulators.virtual.state import Route
from tapwise.emulators.virtual.ui.theme import Colour
from tapwise.emulators.virtual.ui.views import Icon, IconButton, View

DISHES = {
    "Tomato soup": "Tomatoes, onion, cream",
    "Fried rice": "Rice, eggs, peas",
    "Apple pie": "Apples, flour, butter",
    "Lentil stew": "Lentils, carrots, cumin",
    "Pancakes": "Flour, milk, eggs",
    "Greek salad": "Cucumber, feta, olives",
    "Pesto pasta": "Pasta, basil, nuts",
    "Bean chili": "Beans, peppers, corn",
    "Potato gratin": "Potatoes, cheese, milk",
}
TIMES = ("10 minutes", "20 minutes", "30 minutes", "45 minutes", "1 hour")
PLATES: tuple[Colour, ...] = ((191, 54, 12), (51, 105, 30), (130, 119, 23), (78, 52, 46), (183, 28, 28))


@dataclass
class Recipe:
    """A dish for a number of people."""

    id: int
    title: str
    ingredients: str
    servings: int
    time: str
    favorite: bool = False


@dataclass
class RecipesData:
    """All recipes."""

    items: list[Recipe]


class Recipes(RecordsApp):
    """Broccoli, the recipe app."""

    package = "com.flauschcode.broccoli"
    label = "Cookbook"
    icon = "pot"
    colour = (85, 139, 47)
    activity = ".MainActivity"
    record = Recipe
    noun = "recipe"
    uri = "content://com.flauschcode.broccoli/recipes"
    columns: ClassVar = {
        "_id": "id",
        "title": "title",
        "ingredients": "ingredients",
        "servings": "servings",
        "time": "time",
        "favorite": "favorite",
    }
    fields = (
        Field("title", "Title", required=True),
        Field("ingredients", "Ingredients", icon="note"),
        Field("servings", "Servings", "number", icon="person", usual="2"),
        Field("time", "Time", "choice", TIMES, icon="timer", usual="30 minutes"),
    )

    def initial(self, rng: random.Random) -> RecipesData:
        dishes = rng.sample(sorted(DISHES), rng.randint(4, 6))
        return RecipesData(
            [
                Recipe(n, dish, DISHES[dish], rng.randrange(1, 7), rng.choice(TIMES), rng.random() < 0.3)
                for n, dish in enumerate(dishes, 1)
            ]
        )

    def databases(self, data: RecipesData) -> Sequence[Database]:
        return [recipes_database(Recipe, data.items)]

    def is_remote(self, route: Route) -> bool:
        return route[0] in ("home", "item")

    def title_of(self, record: Recipe) -> str:
        return record.title

    def list_body(self, ui: Ui) -> Sequence[View]:
        shown: list[Recipe] = sorted(ui.data.items, key=lambda recipe: recipe.title)
        return [
            self.row(
                ui,
                recipe,
                subtitle=f"{recipe.time}, for {recipe.servings}",
                icon="pot",
                plate=PLATES[recipe.id % len(PLATES)],
                trailing=Icon(name="heart", size=24) if recipe.favorite else None,
            )
            for recipe in shown
        ]

    def item_actions(self, ui: Ui, record: Recipe) -> Sequence[IconButton]:
        def flip() -> None:
            record.favorite = not record.favorite

        name = "Remove from favorites" if record.favorite else "Add to favorites"
        colour = (214, 40, 90) if record.favorite else None
        return [IconButton(icon="heart", description=name, colour=colour, selected=record.favorite, on_tap=flip)]

    def details(self, ui: Ui, record: Recipe) -> Sequence[View]:
        return [
            line("Ingredients", record.ingredients, "note"),
            line("Servings", str(record.servings), "person"),
            line("Time", record.time, "timer"),
            *([line("Marked", "Favorite", "heart")] if record.favorite else []),
        ]

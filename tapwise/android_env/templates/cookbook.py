"""Tasks in Cookbook."""

from __future__ import annotations

from collections.abc import Sequence

from tapwise.android_env import rows
from tapwise.android_env.screen import Screen
from tapwise.android_env.tasks import Params, Shell, Template
from tapwise.android_env.templates import records
from tapwise.android_env.templates.records import Kind, capital
from tapwise.android_env.templates.script import BACK, has_parent_page, inside, row_texts
from tapwise.records import Action, Finish

KIND = Kind(
    "cookbook",
    "com.flauschcode.broccoli",
    "content://com.flauschcode.broccoli/recipes",
    "recipe",
    usual=(("ingredients", "Water"), ("servings", 2), ("time", "30 minutes"), ("favorite", 0)),
)

TITLES = ("noodle bowl", "corn bread", "fish curry", "plum cake", "egg toast", "pea soup")
INGREDIENTS = ("flour and eggs", "salt and oil", "milk and sugar")
TIMES = ("10 minutes", "45 minutes", "1 hour")

_title = records.typed("title", "Title", "title")
_ingredients = records.typed("ingredients", "Ingredients", "ingredients")
_time = records.chosen("Time", "time")


def _absent(params: Params) -> Sequence[str]:
    return KIND.absent(params["title"])


def _present(params: Params) -> Sequence[str]:
    return KIND.present(params["title"])


def _favorite(params: Params) -> Sequence[str]:
    return KIND.present(params["title"], favorite=1)


def _several(params: Params) -> Sequence[str]:
    """The recipe that is asked for, among others that take other times."""
    number = TITLES.index(params["title"])
    times = ("10 minutes", "20 minutes", "45 minutes", "1 hour")
    return KIND.only(
        *(
            {"title": capital(title), "servings": 1 + (number + place) % 6, "time": times[(place + number) % 4]}
            for place, title in enumerate(TITLES[number:] + TITLES[:number])
            if place < 4
        )
    )


def _added(shell: Shell, params: Params) -> bool:
    return KIND.added(
        shell,
        title=params["title"],
        ingredients=params.get("ingredients", ""),
        time=params.get("time", "30 minutes"),
        servings="2",
    )


def _quickest(screen: Screen, params: Params) -> Action:
    if has_parent_page(screen):
        return BACK
    for title in TITLES:
        if any(text.startswith("10 minutes") for text in row_texts(screen, title)):
            return Finish("success", title)
    return screen.swipe_up()


def _true_quickest(shell: Shell, params: Params) -> str:

    return rows.query(shell, KIND.uri, "time='10 minutes'")[0]["title"]


def _true_servings(shell: Shell, params: Params) -> str:
    return KIND.row(shell, params["title"])["servings"]


def _true_time(shell: Shell, params: Params) -> str:
    return KIND.row(shell, params["title"])["time"]


_T = {"title": TITLES}

TEMPLATES: tuple[Template, ...] = tuple(
    Template(
        name=f"cookbook.{name}",
        suite="office",
        app="cookbook",
        instructions=instructions,
        params=params,
        max_steps=steps,
        level=level,
        setup=set_up,
        check=check,
        expert=inside("cookbook", KIND.package, act),
        answer=answer,
        impossible=name.startswith("no_"),
    )
    for level, steps, name, instructions, params, set_up, check, act, answer in (
        (
            2, 14, "new", ("add the recipe {title} to my cookbook", "new recipe: {title}"), _T, _absent, _added,
            records.adding(KIND, "title", [_title]), None,
        ),
        (
            3, 16, "new_ingredients", ("add a recipe for {title} made of {ingredients}",),
            {**_T, "ingredients": INGREDIENTS}, _absent, _added,
            records.adding(KIND, "title", [_title, _ingredients]), None,
        ),
        (
            3, 16, "new_time", ("add the recipe {title}, which takes {time}",), {**_T, "time": TIMES}, _absent, _added,
            records.adding(KIND, "title", [_title, _time]), None,
        ),
        (
            4, 20, "new_all", ("write down the recipe {title}: {ingredients}, ready in {time}",),
            {**_T, "ingredients": INGREDIENTS, "time": TIMES[:2]}, _absent, _added,
            records.adding(KIND, "title", [_title, _ingredients, _time]), None,
        ),
        (
            2, 10, "favorite", ("mark the recipe {title} as a favorite", "add {title} to my favorite recipes"), _T,
            _present, lambda shell, params: KIND.changed(shell, params["title"], favorite="1"),
            records.pressing("title", "add to favorites"), None,
        ),
        (
            2, 10, "unfavorite", ("{title} is no favorite recipe any more", "take {title} out of my favorite recipes"),
            _T, _favorite, lambda shell, params: KIND.changed(shell, params["title"], favorite="0"),
            records.pressing("title", "remove from favorites"), None,
        ),
        (
            2, 12, "delete", ("delete the recipe {title}", "throw the recipe {title} away"), _T, _present,
            lambda shell, params: KIND.removed(shell, params["title"]), records.deleting("title"), None,
        ),
        (
            3, 14, "set_time", ("the recipe {title} takes {time}, correct that",), {**_T, "time": TIMES}, _present,
            lambda shell, params: KIND.changed(shell, params["title"], time=params["time"]),
            records.editing(KIND, "title", _time, lambda s, p: records.detail(s, "Time") == p["time"]), None,
        ),
        (
            2, 10, "servings", ("for how many people is the recipe {title}", "how many servings does {title} make"),
            _T, _several, KIND.untouched, records.telling("title", "Servings"), _true_servings,
        ),
        (
            2, 10, "time", ("how long does the recipe {title} take", "how much time do i need for {title}"), _T,
            _several, KIND.untouched, records.telling("title", "Time"), _true_time,
        ),
        (
            3, 10, "quickest", ("which recipe takes 10 minutes, {title} or another one",
                                "i have 10 minutes: can i cook {title}, or what else"),
            _T, _several, KIND.untouched, _quickest, _true_quickest,
        ),
        (
            3, 10, "no_favorite", ("make the recipe {title} a favorite of mine", "put a heart on the recipe {title}"),
            _T, _absent, KIND.untouched, records.looking_in_vain, None,
        ),
    )
)  # fmt: skip

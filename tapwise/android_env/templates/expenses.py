"""Tasks in Expenses."""

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
    "expenses",
    "com.arduia.expense",
    "content://com.arduia.expense/expense",
    "expense",
    key="name",
    usual=(("amount", 20), ("category", "Food"), ("note", "")),
)

NAMES = ("shoes", "dinner", "parking", "candles", "vitamins", "puzzle")
AMOUNTS = ("12", "25", "48", "99")
CATEGORIES = ("Travel", "Home", "Health", "Fun")
CENTS = ("05", "50", "95", "99")
NOTES = ("paid by card", "for Anna", "on sale")

_name = records.typed("name", "Name", "name")
_amount = records.typed("amount", "Amount", "amount")
_note = records.typed("note", "Note", "note")
_cents = records.picked("Cents", lambda params: params["cents"])
_category = records.chosen("Category", "category")


def _absent(params: Params) -> Sequence[str]:
    return KIND.absent(params["name"])


def _present(params: Params) -> Sequence[str]:
    return KIND.present(params["name"])


def _several(params: Params) -> Sequence[str]:
    """The expense that is asked for, among others of all categories."""
    number = NAMES.index(params["name"])
    return KIND.only(
        *(
            {
                "name": capital(name),
                "amount": 11 + 17 * ((number + 3 * place) % 5) + place,
                "category": ("Food", *CATEGORIES)[(number + place) % 3],
            }
            for place, name in enumerate(NAMES[number:] + NAMES[:number])
            if place < 4
        )
    )


def _added(shell: Shell, params: Params) -> bool:
    return KIND.added(
        shell,
        name=params["name"],
        amount=params["amount"],
        category=params.get("category", "Food"),
        note=params.get("note", ""),
        cents=str(int(params.get("cents", "0"))),
    )


def _cents_cells(params: Params) -> Sequence[str]:
    return (str(int(params["cents"])),)


def _has_cents(screen: Screen, params: Params) -> bool:
    return records.detail(screen, "Amount") == f"$20.{params['cents']}"


def _total(screen: Screen, params: Params) -> Action:
    if has_parent_page(screen):
        return BACK
    shown = next(text for text in screen.texts if text.startswith("Total $"))
    return Finish("success", shown.removeprefix("Total $"))


def _true_total(shell: Shell, params: Params) -> str:
    return str(sum(int(row["amount"]) for row in rows.query(shell, KIND.uri)))


def _sum(screen: Screen, params: Params) -> Action:
    if not screen.has("By category") or not has_parent_page(screen):
        return BACK if has_parent_page(screen) else screen.tap("by category")
    for node in screen.nodes:
        texts = [child.text for child in node.children if child.text]
        if texts[:1] == [params["category"]] or texts[-1:] == [params["category"]]:
            return Finish("success", next(text for text in texts if text.startswith("$"))[1:])
    return screen.swipe_up()


def _true_sum(shell: Shell, params: Params) -> str:
    return str(sum(int(row["amount"]) for row in rows.query(shell, KIND.uri, f"category='{params['category']}'")))


def _dearest(screen: Screen, params: Params) -> Action:
    if has_parent_page(screen):
        return BACK
    amounts: dict[str, int] = {}
    for name in NAMES:
        found = [text for text in row_texts(screen, name) if text.startswith("$")]
        if found:
            amounts[name] = int(found[0][1:])
    return Finish("success", max(amounts, key=lambda name: amounts[name]))


def _true_dearest(shell: Shell, params: Params) -> str:
    return max(rows.query(shell, KIND.uri), key=lambda row: int(row["amount"]))["name"]


def _true_amount(shell: Shell, params: Params) -> str:
    return f"${KIND.row(shell, params['name'])['amount']}"


_N = {"name": NAMES}

TEMPLATES: tuple[Template, ...] = tuple(
    Template(
        name=f"expenses.{name}",
        suite="office",
        app="expenses",
        instructions=instructions,
        params=params,
        max_steps=steps,
        level=level,
        setup=set_up,
        check=check,
        expert=inside("expenses", KIND.package, act),
        answer=answer,
        impossible=name.startswith("no_"),
    )
    for level, steps, name, instructions, params, set_up, check, act, answer in (
        (
            3, 16, "new", ("i spent {amount} dollars on {name}, note that", "add an expense: {name}, {amount} dollars"),
            {**_N, "amount": AMOUNTS}, _absent, _added, records.adding(KIND, "name", [_name, _amount]), None,
        ),
        (
            3, 18, "new_category", ("add {name} for {amount} dollars to my expenses, category {category}",),
            {**_N, "amount": AMOUNTS[:2], "category": CATEGORIES}, _absent, _added,
            records.adding(KIND, "name", [_name, _amount, _category]), None,
        ),
        (
            4, 22, "new_all", ("note an expense: {name}, {amount} dollars, {note}, category {category}",),
            {**_N, "amount": AMOUNTS[:2], "category": CATEGORIES[:2], "note": NOTES[:2]}, _absent, _added,
            records.adding(KIND, "name", [_name, _amount, _note, _category]), None,
        ),
        (
            4, 20, "new_cents",
            ("i spent ${amount}.{cents} on {name}, note that", "add an expense: {name}, ${amount}.{cents}"),
            {**_N, "amount": AMOUNTS[:2], "cents": CENTS}, _absent, _added,
            records.at_pickers(records.adding(KIND, "name", [_name, _amount, _cents]), _cents_cells), None,
        ),
        (
            3, 16, "set_cents", ("the expense {name} was 20 dollars and {cents} cents, add the cents",),
            {**_N, "cents": CENTS}, _present,
            lambda shell, params: KIND.changed(shell, params["name"], cents=str(int(params["cents"]))),
            records.at_pickers(records.editing(KIND, "name", _cents, _has_cents), _cents_cells), None,
        ),
        (
            2, 12, "delete", ("delete the expense {name}", "remove {name} from my expenses"), _N, _present,
            lambda shell, params: KIND.removed(shell, params["name"]), records.deleting("name"), None,
        ),
        (
            3, 14, "set_category", ("put the expense {name} into the category {category}",),
            {**_N, "category": CATEGORIES}, _present,
            lambda shell, params: KIND.changed(shell, params["name"], category=params["category"]),
            records.editing(
                KIND, "name", _category, lambda s, p: records.detail(s, "Category") == p["category"].lower()
            ),
            None,
        ),
        (
            3, 14, "add_note", ("add the note {note} to the expense {name}",), {**_N, "note": NOTES}, _present,
            lambda shell, params: KIND.changed(shell, params["name"], note=params["note"]),
            records.editing(KIND, "name", _note, lambda s, p: records.detail(s, "Note") == p["note"].lower()), None,
        ),
        (
            2, 10, "amount", ("how much was the expense {name}", "what did i pay for {name}"), _N, _several,
            KIND.untouched, records.telling("name", "Amount"), _true_amount,
        ),
        (
            1, 8, "total", ("what do my expenses, such as {name}, add up to",
                            "how much have i spent in all, {name} included"),
            _N, _several, KIND.untouched, _total, _true_total,
        ),
        (
            3, 10, "sum", ("how much have i spent in the category {category}, {name} or not",),
            {**_N, "category": ("Food", "Travel")}, _several, KIND.untouched, _sum, _true_sum,
        ),
        (
            3, 10, "dearest", ("what was my largest expense, {name} or another one",
                               "did {name} or something else cost most, and what was it"),
            _N, _several, KIND.untouched, _dearest, _true_dearest,
        ),
        (
            3, 10, "no_delete", ("take the expense {name} out of the list", "erase the expense called {name}"), _N,
            _absent, KIND.untouched, records.looking_in_vain, None,
        ),
    )
)  # fmt: skip

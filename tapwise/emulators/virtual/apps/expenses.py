"""Expenses: what was spent, on what, and how much of it in all."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from tapwise.emulators.virtual.app import Ui
from tapwise.emulators.virtual.apps.forms import Field
from tapwise.emulators.virtual.apps.navigation import place
from tapwise.emulators.virtual.apps.records import RecordsApp, line
from tapwise.emulators.virtual.apps.schemas import expenses_database
from tapwise.emulators.virtual.databases import Database
from tapwise.emulators.virtual.ui.page import Page
from tapwise.emulators.virtual.ui.theme import Colour
from tapwise.emulators.virtual.ui.views import Card, IconButton, ListItem, Text, View

CATEGORIES = ("Food", "Travel", "Home", "Health", "Fun", "Gifts")
PLATES: dict[str, Colour] = {
    "Food": (230, 81, 0),
    "Travel": (2, 119, 189),
    "Home": (85, 139, 47),
    "Health": (198, 40, 40),
    "Fun": (106, 27, 154),
    "Gifts": (173, 20, 87),
}
CENTS = (*(f"{cents}" for cents in range(0, 100, 5)), "99")
ALL = "All expenses"
OTHER: Colour = (96, 125, 139)
"""of a category that clients alone know"""
NAMES = {
    "Food": ("Bakery", "Pizza", "Coffee", "Market"),
    "Travel": ("Bus pass", "Taxi", "Train ticket"),
    "Home": ("Light bulbs", "Rent", "Paint"),
    "Health": ("Pharmacy", "Gym fee"),
    "Fun": ("Cinema", "Concert", "Museum"),
    "Gifts": ("Flowers", "Birthday card"),
}


@dataclass
class Expense:
    """Something bought: the amount in whole dollars, and the cents of it."""

    id: int
    name: str
    amount: int
    category: str
    note: str = ""
    cents: int = 0


@dataclass
class ExpensesData:
    """All expenses, oldest first."""

    items: list[Expense]


class Expenses(RecordsApp):
    """Pro Expense."""

    package = "com.arduia.expense"
    label = "Expenses"
    icon = "wallet"
    colour = (0, 131, 143)
    activity = ".ui.MainActivity"
    record = Expense
    noun = "expense"
    uri = "content://com.arduia.expense/expense"
    columns: ClassVar = {
        "_id": "id",
        "name": "name",
        "amount": "amount",
        "category": "category",
        "note": "note",
        "cents": "cents",
    }
    fields = (
        Field("name", "Name", required=True, icon="tag"),
        Field("amount", "Amount", "number", icon="wallet"),
        Field("note", "Note", icon="note"),
        Field("category", "Category", "choice", CATEGORIES, icon="filter", usual="Food"),
        Field("cents", "Cents", "count", CENTS, usual="0", shown="{:02}"),
    )

    def initial(self, rng: random.Random) -> ExpensesData:
        known = [(category, name) for category, names in NAMES.items() for name in names]
        chosen = rng.sample(known, rng.randint(5, 7))
        items = [Expense(n, name, rng.randrange(3, 90), category) for n, (category, name) in enumerate(chosen, 1)]
        return ExpensesData(items)

    def databases(self, data: ExpensesData) -> Sequence[Database]:
        return [expenses_database(Expense, data.items)]

    def title_of(self, record: Expense) -> str:
        return record.name

    def places(self) -> Sequence[tuple[str, str]]:
        return ((ALL, "wallet"), *((category, "tag") for category in CATEGORIES))

    def list_actions(self, ui: Ui) -> Sequence[IconButton]:
        return [IconButton(icon="filter", description="By category", on_tap=partial(ui.go, "categories"))]

    def list_body(self, ui: Ui) -> Sequence[View]:
        shown = place(ui, ALL)
        items: list[Expense] = [one for one in ui.data.items if shown in (ALL, one.category)]
        total = Text(value=f"{'Total' if shown == ALL else shown} {_sum(items)}", size=32, align="center")
        return [Card(children=[total]), *(self._row(ui, expense) for expense in reversed(items))]

    def _row(self, ui: Ui, expense: Expense) -> View:
        amount = Text(value=_sum([expense]))
        look = {"subtitle": expense.category, "icon": "tag", "plate": PLATES.get(expense.category, OTHER)}
        return self.row(ui, expense, trailing=amount, trailing_width=72, **look)

    def details(self, ui: Ui, record: Expense) -> Sequence[View]:
        return [
            line("Amount", _sum([record]), "wallet"),
            line("Category", record.category, "filter"),
            line("Note", record.note, "note"),
        ]

    def extra_page(self, ui: Ui) -> Page | None:
        if ui.route[0] != "categories":
            return None
        items: list[Expense] = ui.data.items
        names = dict.fromkeys([*CATEGORIES, *(one.category for one in items)])
        sums = {name: _sum([one for one in items if one.category == name]) for name in names}
        rows = [
            ListItem(
                title=name, icon="tag", plate=PLATES.get(name, OTHER), trailing=Text(value=total), trailing_width=72
            )
            for name, total in sums.items()
        ]
        return Page(title="By category", on_back=ui.back, body=rows)


def _sum(expenses: Sequence[Expense]) -> str:
    dollars, cents = divmod(sum(100 * one.amount + one.cents for one in expenses), 100)
    return f"${dollars}.{cents:02}" if cents else f"${dollars}"

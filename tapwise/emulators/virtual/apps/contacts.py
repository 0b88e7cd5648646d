"""Contacts: people with a number, a star, and calls to them."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from tapwise.emulators.virtual.app import App, RecordTable, Table, Ui
from tapwise.emulators.virtual.ui import theme as themes
from tapwise.emulators.virtual.ui.page import Dialog, Page, confirm_dialog
from tapwise.emulators.virtual.ui.theme import Colour
from tapwise.emulators.virtual.ui.views import Button, IconButton, ListItem, Row, Space, Text

NAMES = ("Alice", "Bob", "Carol", "David", "Emma", "Frank", "Grace", "Henry", "Julia", "Kevin", "Laura", "Martin")
STAR_COLOUR: Colour = (242, 169, 0)
PLATES: tuple[Colour, ...] = ((26, 115, 232), (0, 121, 107), (123, 31, 162), (216, 67, 21), (194, 24, 91))


@dataclass
class Contact:
    """A person."""

    id: int
    name: str
    number: str
    starred: bool = False


@dataclass
class Call:
    """A call that was made."""

    id: int
    number: str


@dataclass
class ContactsData:
    """The address book and the calls made from it."""

    contacts: list[Contact]
    calls: list[Call]


class Contacts(App):
    """Google's contacts."""

    package = "com.google.android.contacts"
    label = "Contacts"
    icon = "person"
    colour = (25, 118, 210)
    activity = "com.android.contacts.activities.PeopleActivity"

    def initial(self, rng: random.Random) -> ContactsData:
        names = rng.sample(NAMES, rng.randint(3, 5))
        people = [Contact(number, name, _number(rng), rng.random() < 0.3) for number, name in enumerate(names, 1)]
        return ContactsData(people, [])

    def tables(self, data: ContactsData) -> Mapping[str, Table]:
        columns = {"_id": "id", "display_name": "name", "number": "number", "starred": "starred"}
        return {
            "content://com.android.contacts/contacts": RecordTable(data.contacts, Contact, columns),
            "content://contacts/phones": RecordTable(data.contacts, Contact, columns),
            "content://call_log/calls": RecordTable(data.calls, Call, {"_id": "id", "number": "number"}),
        }

    def page(self, ui: Ui) -> Page:
        data: ContactsData = ui.data
        if ui.route[0] == "new":
            return _new_page(ui)
        if ui.route[0] == "call":
            return _call_page(ui)
        if ui.route[0] in ("person", "number"):
            person = next((person for person in data.contacts if str(person.id) == ui.route[1]), None)
            if person is None:
                return Page(title="No contact", on_back=ui.back)
            return _person_page(ui, person) if ui.route[0] == "person" else _number_page(ui, person)
        return _list_page(ui)


def _number(rng: random.Random) -> str:
    return "555" + "".join(rng.choice("0123456789") for _ in range(4))


def _list_page(ui: Ui) -> Page:
    people = sorted(ui.data.contacts, key=lambda person: person.name.casefold())
    rows = [
        ListItem(
            title=person.name,
            icon="person",
            plate=PLATES[person.id % len(PLATES)],
            on_tap=partial(ui.go, "person", str(person.id)),
        )
        for person in people
    ]
    add = IconButton(icon="add", description="Add", on_tap=partial(ui.go, "new"))
    return Page(title="Contacts", body=rows, floating=add)


def _new_page(ui: Ui) -> Page:
    def save() -> None:
        name = ui.field("name").strip()
        if not name:
            ui.toast("Name needed")
            return
        person = Contact(ui.new_id(), name[:1].upper() + name[1:], ui.field("number").strip())
        ui.data.contacts.append(person)
        ui.replace("person", str(person.id))

    fields = [ui.text_field("name", "Name", icon="person"), ui.text_field("number", "Number", icon="phone")]
    button = IconButton(icon="save", description="Save", on_tap=save)
    return Page(title="New contact", on_back=ui.back, actions=[button], body=[Space(size=8), *fields])


def _person_page(ui: Ui, person: Contact) -> Page:
    def flip_star() -> None:
        person.starred = not person.starred

    def ask() -> None:
        ui.set_field("dialog", "delete")

    def call() -> None:
        ui.data.calls.append(Call(ui.new_id(), person.number))
        ui.go("call", person.name)

    star = IconButton(
        icon="star",
        description="Unstar" if person.starred else "Star",
        colour=STAR_COLOUR if person.starred else None,
        selected=person.starred,
        on_tap=flip_star,
    )
    delete = IconButton(icon="delete", description="Delete", on_tap=ask)
    body = [
        ListItem(title=person.number or "No number", icon="phone"),
        Row(
            children=[
                Button(label="Call", icon="phone", on_tap=call),
                Button(label="Edit", icon="edit", flat=True, on_tap=partial(ui.go, "number", str(person.id))),
            ],
            gap=8,
        ),
    ]
    if person.starred:
        body.append(ListItem(title="Favorite", icon="star"))
    dialog = _delete_dialog(ui, person) if ui.field("dialog") else None
    return Page(title=person.name, on_back=ui.back, actions=[star, delete], body=body, dialog=dialog)


def _delete_dialog(ui: Ui, person: Contact) -> Dialog:
    def delete() -> None:
        ui.data.contacts.remove(person)
        ui.root()

    return confirm_dialog(f"Delete {person.name}", "Delete", delete, partial(ui.set_field, "dialog", ""))


def _number_page(ui: Ui, person: Contact) -> Page:
    def save() -> None:
        number = ui.field("number").strip()
        if not number:
            ui.toast("Number needed")
            return
        person.number = number
        ui.back()

    field = ui.text_field("number", "New number", icon="phone")
    button = IconButton(icon="save", description="Save", on_tap=save)
    body = [
        ListItem(title=person.name, icon="person"),
        ListItem(title=person.number or "No number", icon="phone"),
        field,
    ]
    return Page(title="Edit contact", on_back=ui.back, actions=[button], body=body)


def _call_page(ui: Ui) -> Page:
    body = [
        Space(size=2 * themes.ROW_DP),
        Text(value=ui.route[1], size=40, align="center"),
        Text(value="Calling", align="center", muted=True),
        Space(size=2 * themes.ROW_DP),
        Row(children=[Space(size=1), Button(label="End call", on_tap=ui.back), Space(size=1)], weights=[1, 2, 1]),
    ]
    return Page(body=body)

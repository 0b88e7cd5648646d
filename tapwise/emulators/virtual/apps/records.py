"""Apps that keep records of one kind: a list, a page for each record, and a form to make or change one."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import fields as dataclass_fields
from functools import partial
from typing import Any, ClassVar

from tapwise.emulators.virtual.app import App, RecordTable, Table, Ui
from tapwise.emulators.virtual.apps.forms import Field, Values, form
from tapwise.emulators.virtual.apps.navigation import navigation
from tapwise.emulators.virtual.ui.page import Page, confirm_dialog
from tapwise.emulators.virtual.ui.views import IconButton, ListItem, Text, View


class RecordsApp(App):
    """An app whose data has a list of records called `items`, each with a number `id`."""

    record: ClassVar[type]
    noun: ClassVar[str]
    """what a record is called"""
    fields: ClassVar[tuple[Field, ...]]
    uri: ClassVar[str]
    columns: ClassVar[Mapping[str, str]]
    """columns of the content provider, with the record's field of each"""

    @abstractmethod
    def title_of(self, record: Any) -> str:
        """What a record is known by."""

    @abstractmethod
    def list_body(self, ui: Ui) -> Sequence[View]:
        """What the list page shows."""

    @abstractmethod
    def details(self, ui: Ui, record: Any) -> Sequence[View]:
        """What a record's page shows."""

    def item_actions(self, ui: Ui, record: Any) -> Sequence[IconButton]:
        """Further buttons on a record's page."""
        return ()

    def defaults(self, ui: Ui) -> Values:
        """The values that a new record begins with, where they are not the fields' usual ones."""
        return {}

    def extra_page(self, ui: Ui) -> Page | None:
        """Pages of the app's own, by `ui.route`."""
        return None

    def places(self) -> Sequence[tuple[str, str]]:
        """The places of a navigation drawer, label and icon, the usual one first; none for no drawer."""
        return ()

    def list_actions(self, ui: Ui) -> Sequence[IconButton]:
        """Buttons in the list's toolbar."""
        return ()

    def tables(self, data: Any) -> Mapping[str, Table]:
        return {self.uri: RecordTable(data.items, self.record, self.columns)}

    # --- pages -------------------------------------------------------------------------------------------

    def page(self, ui: Ui) -> Page:
        extra = self.extra_page(ui)
        if extra is not None:
            return extra
        match ui.route:
            case ("new", *_):
                given = {field.name: field.usual for field in self.fields} | self.defaults(ui)
                return form(ui, f"New {self.noun}", self.fields, given, partial(self._add, ui))
            case (("item" | "edit") as kind, key, *_):
                record = next((one for one in ui.data.items if str(one.id) == key), None)
                if record is None:
                    return Page(title=f"No {self.noun}", on_back=ui.back)
                return self._item_page(ui, record) if kind == "item" else self._edit_page(ui, record)
        add = IconButton(icon="add", description="Add", on_tap=partial(ui.go, "new"))
        page = Page(title=self.label, body=self.list_body(ui), floating=add, actions=self.list_actions(ui))
        places = self.places()
        if places:
            page.drawer = navigation(ui, self, places, places[0][0])
        return page

    def row(self, ui: Ui, record: Any, **look: Any) -> ListItem:
        """A record in a list, which opens its page."""
        opened = partial(ui.go, "item", str(record.id))
        return ListItem(title=self.title_of(record), on_tap=opened, **look)

    def _item_page(self, ui: Ui, record: Any) -> Page:
        def remove() -> None:
            ui.data.items.remove(record)
            ui.root()

        edit = IconButton(icon="edit", description="Edit", on_tap=partial(ui.go, "edit", str(record.id)))
        ask = partial(ui.set_field, "dialog", "delete")
        delete = IconButton(icon="delete", description="Delete", on_tap=ask)
        cancel = partial(ui.set_field, "dialog", "")
        dialog = (
            confirm_dialog(f"Delete {self.title_of(record)}", "Delete", remove, cancel) if ui.field("dialog") else None
        )
        actions = [*self.item_actions(ui, record), edit, delete]
        return Page(
            title=self.title_of(record), on_back=ui.back, actions=actions, body=self.details(ui, record), dialog=dialog
        )

    def _edit_page(self, ui: Ui, record: Any) -> Page:
        def save(values: Values) -> None:
            for name, value in self.typed(values).items():
                setattr(record, name, value)
            ui.back()

        names = [name for field in self.fields for name in field.names]
        given = {name: _text(getattr(record, name)) for name in names}
        return form(ui, f"Edit {self.noun}", self.fields, given, save)

    def _add(self, ui: Ui, values: Values) -> None:
        record = self.record(id=ui.new_id(), **self.typed(values))
        ui.data.items.append(record)
        ui.replace("item", str(record.id))

    def typed(self, values: Values) -> dict[str, Any]:
        """The form's texts as the record's values; a text begins with a capital, as keyboards make it."""
        kinds = {field.name: str(field.type) for field in dataclass_fields(self.record)}
        texts = {field.name for field in self.fields if field.kind == "text"}
        return {
            name: int(value or 0)
            if kinds[name] == "int"
            else value == "1"
            if kinds[name] == "bool"
            else (value[:1].upper() + value[1:] if name in texts else value)
            for name, value in values.items()
        }


def _text(value: Any) -> str:
    return str(int(value)) if isinstance(value, bool) else str(value)


def line(label: str, value: str, icon: str = "") -> View:
    """A detail on a record's page."""
    return ListItem(title=value or "None", subtitle=label, icon=icon)


def paragraph(value: str) -> View:
    """A longer text."""
    return Text(value=value, wrap=True)

"""Files: the folders of the shared storage, browsed and changed. It keeps nothing of its own."""

from __future__ import annotations

import posixpath
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from tapwise.emulators.virtual.app import App, Ui
from tapwise.emulators.virtual.ui import theme as themes
from tapwise.emulators.virtual.ui.page import Dialog, Page, confirm_dialog
from tapwise.emulators.virtual.ui.views import IconButton, ListItem, Space, Text, View

STORAGE = "/sdcard"
ROOTS = (
    ("Documents", "file"),
    ("Download", "download"),
    ("Music", "music"),
    ("Pictures", "image"),
    ("Movies", "play"),
    ("Recordings", "sound"),
)
ICONS = {".jpg": "image", ".png": "image", ".mp3": "music", ".mp4": "play"}
PREVIEW_BYTES = 200


@dataclass
class FilesData:
    """All that the app shows lies in the phone's file system."""


class Files(App):
    """Android's files."""

    package = "com.google.android.documentsui"
    label = "Files"
    icon = "folder"
    colour = (30, 142, 62)
    activity = "com.android.documentsui.files.FilesActivity"

    def initial(self, rng: random.Random) -> FilesData:
        return FilesData()

    def page(self, ui: Ui) -> Page:
        if ui.route[0] == "home":
            return _home_page(ui)
        path = ui.route[1]
        if not ui.files.exists(path) or ui.files.is_dir(path) != (ui.route[0] in ("folder", "new")):
            return Page(title="Not found", on_back=ui.back)
        pages = {
            "folder": _folder_page,
            "item": _item_page,
            "new": _new_page,
            "rename": _rename_page,
            "move": _move_page,
        }
        return pages[ui.route[0]](ui, path)


def _label(path: str) -> str:
    """A file or folder's name on screen: without its extension, the first letter a capital."""
    name = posixpath.splitext(posixpath.basename(path))[0]
    return name[:1].upper() + name[1:]


def _home_page(ui: Ui) -> Page:
    rows = [
        ListItem(title=name, icon=icon, on_tap=partial(ui.go, "folder", f"{STORAGE}/{name}"))
        for name, icon in ui.order(ROOTS, "roots")
    ]
    return Page(title="Files", body=rows)


def _folder_page(ui: Ui, folder: str) -> Page:
    paths = [f"{folder}/{name}" for name in ui.files.listdir(folder) if not name.startswith(".")]
    paths.sort(key=lambda path: (not ui.files.is_dir(path), _label(path)))
    rows: list[View] = [_row(ui, path) for path in paths]
    if not rows:
        rows = [Space(size=themes.ROW_DP), Text(value="No files", align="center", muted=True)]
    held = ui.field("dialog")
    dialog = _delete_dialog(ui, held, lambda: ui.set_field("dialog", "")) if held and ui.files.exists(held) else None
    add = IconButton(icon="add", description="Add", on_tap=partial(ui.go, "new", folder))
    return Page(title=_label(folder), on_back=ui.back, body=rows, floating=add, dialog=dialog)


def _row(ui: Ui, path: str) -> View:
    """A folder opens, a file shows what can be done with it; holding either asks to delete it."""
    hold = partial(ui.set_field, "dialog", path)
    if ui.files.is_dir(path):
        return ListItem(title=_label(path), icon="folder", on_tap=partial(ui.go, "folder", path), on_long_press=hold)
    extension = posixpath.splitext(path)[1]
    size = f"{ui.files.stat(path).size} bytes"
    return ListItem(
        title=_label(path),
        subtitle=f"{extension[1:].upper()} {size}".strip(),
        icon=ICONS.get(extension, "file"),
        on_tap=partial(ui.go, "item", path),
        on_long_press=hold,
    )


def _delete_dialog(ui: Ui, path: str, close: Callable[[], None]) -> Dialog:
    def delete() -> None:
        ui.files.remove(path, recursive=True)
        close()

    return confirm_dialog(f"Delete {_label(path)}", "Delete", delete, lambda: ui.set_field("dialog", ""))


def _item_page(ui: Ui, path: str) -> Page:
    body: list[View] = [
        ListItem(title="Rename", icon="edit", on_tap=partial(ui.go, "rename", path)),
        ListItem(title="Move", icon="folder", on_tap=partial(ui.go, "move", path)),
    ]
    if posixpath.splitext(path)[1] == ".txt":
        preview = ui.files.read(path)[:PREVIEW_BYTES].decode(errors="replace")
        body.append(Text(value=preview.strip(), size=themes.SMALL_DP, muted=True, wrap=True, align="center"))
    delete = IconButton(icon="delete", description="Delete", on_tap=partial(ui.set_field, "dialog", "delete"))
    dialog = _delete_dialog(ui, path, ui.back) if ui.field("dialog") else None
    return Page(title=_label(path), on_back=ui.back, actions=[delete], body=body, dialog=dialog)


def _form(ui: Ui, title: str, hint: str, save: Callable[[str], None], above: Sequence[View] = ()) -> Page:
    """A page that asks for a name, which must be a plain one."""

    def check_and_save() -> None:
        name = ui.field("name").strip()
        if not name or "/" in name or name.startswith("."):
            ui.toast("Name needed")
            return
        save(name)

    button = IconButton(icon="save", description="Save", on_tap=check_and_save)
    body = [Space(size=8), *above, ui.text_field("name", hint)]
    return Page(title=title, on_back=ui.back, actions=[button], body=body)


def _new_page(ui: Ui, folder: str) -> Page:
    def save(name: str) -> None:
        path = f"{folder}/{name[:1].upper() + name[1:]}"
        if ui.files.exists(path):
            ui.toast("Name taken")
            return
        ui.files.make_directory(path)
        ui.back()

    return _form(ui, "New folder", "Folder name", save)


def _rename_page(ui: Ui, path: str) -> Page:
    def save(name: str) -> None:
        folder, old = posixpath.split(path)
        target = f"{folder}/{name}{posixpath.splitext(old)[1]}"
        if ui.files.exists(target):
            ui.toast("Name taken")
            return
        ui.files.rename(path, target)
        ui.back()
        ui.back()

    return _form(ui, "Rename file", "New name", save, [ListItem(title=_label(path), icon="file")])


def _move_page(ui: Ui, path: str) -> Page:
    def move(folder: str) -> None:
        target = f"{folder}/{posixpath.basename(path)}"
        if ui.files.exists(target) or not ui.files.is_dir(folder):
            ui.toast("Name taken" if ui.files.is_dir(folder) else "No folder")
            return
        ui.files.rename(path, target)
        ui.root()
        ui.go("folder", folder)

    rows = [
        ListItem(title=name, icon=icon, on_tap=partial(move, f"{STORAGE}/{name}"))
        for name, icon in ui.order(ROOTS, "roots")
        if f"{STORAGE}/{name}" != posixpath.dirname(path)
    ]
    return Page(title="Move to", on_back=ui.back, body=rows)

"""Audio recorder: recordings, which are files, made with one button."""

from __future__ import annotations

import posixpath
import random
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from tapwise.emulators.virtual.app import App, Ui
from tapwise.emulators.virtual.apps.forms import Field, Values, form
from tapwise.emulators.virtual.ui import theme as themes
from tapwise.emulators.virtual.ui.page import Page, confirm_dialog
from tapwise.emulators.virtual.ui.views import Icon, IconButton, ListItem, Row, Space, Text, View

FOLDER = "/sdcard/Android/data/com.dimowner.audiorecorder/files/Music/records"
ENDING = ".m4a"


@dataclass
class RecorderData:
    """When the recording that goes on began, in seconds since 1970; 0 while nothing is recorded."""

    started_s: float = 0.0
    made: int = 0


class Recorder(App):
    """Dimowner's audio recorder."""

    package = "com.dimowner.audiorecorder"
    label = "Recorder"
    icon = "mic"
    colour = (198, 40, 40)
    activity = ".app.main.MainActivity"

    def initial(self, rng: random.Random) -> RecorderData:
        return RecorderData()

    def page(self, ui: Ui) -> Page:
        match ui.route:
            case ("recordings",):
                return _list_page(ui)
            case ("recording", name):
                return _recording_page(ui, name)
            case ("rename", name):
                field = Field("name", "New name", required=True)
                return form(ui, "Rename recording", (field,), {}, partial(_rename, ui, name))
        return _main_page(ui)


def _names(ui: Ui) -> list[str]:
    if not ui.files.is_dir(FOLDER):
        return []
    return [name.removesuffix(ENDING) for name in ui.files.listdir(FOLDER) if name.endswith(ENDING)]


def _path(name: str) -> str:
    return posixpath.join(FOLDER, name + ENDING)


def _main_page(ui: Ui) -> Page:
    data: RecorderData = ui.data
    on = data.started_s > 0

    def press() -> None:
        if not on:
            data.started_s = ui.now().timestamp()
            return
        data.made += 1
        ui.files.make_directory(FOLDER, parents=True, exist_ok=True, mtime=ui.now())
        seconds = int(ui.now().timestamp() - data.started_s)
        ui.files.write(_path(f"Record-{data.made}"), b"\0\0\0\x18ftypM4A " + b"\0" * (100 * seconds), ui.now())
        data.started_s = 0.0
        ui.toast(f"Saved Record-{data.made}")

    seconds = int(ui.now().timestamp() - data.started_s) if on else 0
    button = IconButton(icon="stop" if on else "mic", description="Stop" if on else "Record", size=72, on_tap=press)
    body: list[View] = [
        Space(size=2 * themes.ROW_DP),
        Text(value=f"{seconds // 60:02}:{seconds % 60:02}", size=56, align="center"),
        Text(value="Recording" if on else "Ready", align="center", muted=True),
        Space(size=themes.ROW_DP),
        Row(children=[button], row_height=1.6 * themes.ROW_DP),
    ]
    recordings = IconButton(icon="menu", description="Recordings", on_tap=partial(ui.go, "recordings"))
    return Page(title="Recorder", actions=[recordings], body=body)


def _list_page(ui: Ui) -> Page:
    rows = [ListItem(title=name, icon="music", on_tap=partial(ui.go, "recording", name)) for name in _names(ui)]
    empty = [Text(value="No recordings", align="center", muted=True)]
    return Page(title="Recordings", on_back=ui.back, body=rows or empty)


def _recording_page(ui: Ui, name: str) -> Page:
    if name not in _names(ui):
        return Page(title="No recording", on_back=ui.back)

    def remove() -> None:
        ui.files.remove(_path(name))
        ui.back()

    made: datetime = ui.files.stat(_path(name)).mtime
    rename = IconButton(icon="edit", description="Rename", on_tap=partial(ui.go, "rename", name))
    delete = IconButton(icon="delete", description="Delete", on_tap=partial(ui.set_field, "dialog", "delete"))
    cancel = partial(ui.set_field, "dialog", "")
    dialog = confirm_dialog(f"Delete {name}", "Delete", remove, cancel) if ui.field("dialog") else None
    body: list[View] = [
        Row(children=[Icon(name="mic", size=140, plate=(198, 40, 40))], row_height=2.5 * themes.ROW_DP),
        ListItem(title=f"{made:%d %b %Y}", subtitle="Made", icon="calendar"),
        ListItem(title=f"{ui.files.stat(_path(name)).size} bytes", subtitle="Size", icon="storage"),
    ]
    return Page(title=name, on_back=ui.back, actions=[rename, delete], body=body, dialog=dialog)


def _rename(ui: Ui, name: str, values: Values) -> None:
    new = values["name"][:1].upper() + values["name"][1:]
    if "/" in new or new in _names(ui):
        ui.toast("Name is taken")
        return
    ui.files.rename(_path(name), _path(new))
    ui.back()
    ui.back()

"""Tasks in Files: deleting, renaming and moving files, making and deleting folders."""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from tapwise.android_env.screen import Screen
from tapwise.android_env.tasks import Params, Shell, Template
from tapwise.android_env.templates.script import (
    BACK,
    delete_by_long_press,
    fill,
    has_parent_page,
    inside,
    is_asking,
    tap_or_back,
)
from tapwise.records import Action, Finish

PACKAGE = "com.google.android.documentsui"
STORAGE = "/sdcard"
NOTE = "/data/local/tmp/tapwise_files.txt"

FOLDERS = ("documents", "download", "music", "pictures")
ROOTS = (*FOLDERS, "movies", "recordings")
EXTENSIONS: Mapping[str, str] = {
    "report": ".txt",
    "invoice": ".txt",
    "letter": ".txt",
    "map": ".jpg",
    "holiday": ".jpg",
    "song": ".mp3",
}
NEW_NAMES = ("plans", "draft", "final", "backup")
NEW_FOLDERS = ("work", "school", "family", "travel", "garden", "winter")


def _root(folder: str) -> str:
    return f"{STORAGE}/{folder.capitalize()}"


def _file(folder: str, name: str, of: str | None = None) -> str:
    """The path of a file; `of` is the name whose extension it has, when that is another."""
    return f"{_root(folder)}/{name}{EXTENSIONS[of or name]}"


# --- set-up and check --------------------------------------------------------------------------------------


def _set_up(params: Params, present: Sequence[str], absent: Sequence[str] = ()) -> list[str]:
    """Folders with a few other files drawn from the parameters, what must be there, and nothing that must not be."""
    rng = random.Random(repr(sorted(params.items())))
    others = [_file(folder, name) for folder in FOLDERS for name in rng.sample(sorted(EXTENSIONS), 2)]
    commands = [f"mkdir -p {' '.join(map(_root, ROOTS))}"]
    if absent:
        commands.append(f"rm -rf {' '.join(absent)}")
    commands += [f"echo Hello > {path}" for path in dict.fromkeys([*others, *present]) if path not in absent]
    return [*commands, _remember()]


def _remember() -> str:
    return f"find {' '.join(map(_root, ROOTS))} > {NOTE}"


@dataclass(frozen=True, slots=True)
class _Difference:
    """Paths that came and went since the set-up."""

    added: Collection[str]
    removed: Collection[str]


def _difference(shell: Shell) -> _Difference:
    before = set(shell(f"cat {NOTE}").split("\n"))
    after = set(shell(f"find {' '.join(map(_root, ROOTS))} 2>/dev/null; true").split("\n"))  # a folder may be gone
    return _Difference(after - before, before - after)


def _is(paths: Collection[str], *expected: str) -> bool:
    """Whether the paths are the expected ones, whatever the case of what was typed."""
    return sorted(path.casefold() for path in paths) == sorted(path.casefold() for path in expected)


# --- the way to a file -------------------------------------------------------------------------------------


def _in_folder(screen: Screen, folder: str) -> bool:
    """Whether the page lists the folder: its name is the title, and something can be added."""
    return has_parent_page(screen) and screen.has(folder) and screen.has("add")


def _on_file(screen: Screen, folder: str, name: str) -> Action | None:
    """Come to the page of the file."""
    if has_parent_page(screen):
        if screen.has(name) and screen.has("move"):
            return None
        return screen.tap(name) if _in_folder(screen, folder) and screen.has(name) else BACK
    return tap_or_back(screen, folder)


# --- files -------------------------------------------------------------------------------------------------


def _set_up_file(params: Params) -> Sequence[str]:
    return _set_up(params, [_file(params["folder"], params["name"])])


def _check_delete(shell: Shell, params: Params) -> bool:
    found = _difference(shell)
    return not found.added and _is(found.removed, _file(params["folder"], params["name"]))


def _delete(screen: Screen, params: Params) -> Action:
    name, folder = params["name"], params["folder"]
    if is_asking(screen):
        return screen.tap("delete") if screen.has(f"delete {name}") else screen.tap("cancel")
    if _in_folder(screen, folder) and not screen.has(name):
        return Finish()
    return _on_file(screen, folder, name) or screen.tap("delete")


def _set_up_rename(params: Params) -> Sequence[str]:
    folder, name = params["folder"], params["name"]
    return _set_up(params, [_file(folder, name)], [_file(folder, params["new"], name)])


def _check_rename(shell: Shell, params: Params) -> bool:
    found, folder, name = _difference(shell), params["folder"], params["name"]
    return _is(found.removed, _file(folder, name)) and _is(found.added, _file(folder, params["new"], name))


def _rename(screen: Screen, params: Params) -> Action:
    name, folder = params["name"], params["folder"]
    if screen.has("rename file"):
        return (fill(screen, "name", "New name", params["new"]) or screen.tap("save")) if screen.has(name) else BACK
    if _in_folder(screen, folder) and screen.has(params["new"]):
        return Finish()
    return _on_file(screen, folder, name) or screen.tap("rename")


def _set_up_move(params: Params) -> Sequence[str]:
    name = params["name"]
    return _set_up(params, [_file(params["folder"], name)], [_file(params["target"], name)])


def _check_move(shell: Shell, params: Params) -> bool:
    found, name = _difference(shell), params["name"]
    return _is(found.removed, _file(params["folder"], name)) and _is(found.added, _file(params["target"], name))


def _move(screen: Screen, params: Params) -> Action:
    name, target = params["name"], params["target"]
    if screen.has("move to"):
        return tap_or_back(screen, target)
    if _in_folder(screen, target) and screen.has(name):
        return Finish()
    return _on_file(screen, params["folder"], name) or screen.tap("move")


# --- folders -----------------------------------------------------------------------------------------------


def _folder(params: Params) -> str:
    return f"{_root(params['folder'])}/{params['name'].capitalize()}"


def _set_up_new_folder(params: Params) -> Sequence[str]:
    return _set_up(params, [], [_folder(params)])


def _check_new_folder(shell: Shell, params: Params) -> bool:
    found = _difference(shell)
    return not found.removed and _is(found.added, _folder(params))


def _new_folder(screen: Screen, params: Params) -> Action:
    if screen.has("new folder"):
        return fill(screen, "name", "Folder name", params["name"]) or screen.tap("save")
    if has_parent_page(screen):
        if not _in_folder(screen, params["folder"]):
            return BACK
        return Finish() if screen.has(params["name"]) else screen.tap("add")
    return tap_or_back(screen, params["folder"])


def _set_up_delete_folder(params: Params) -> Sequence[str]:
    *commands, remember = _set_up(params, [], [_folder(params)])
    return *commands, f"mkdir -p {_folder(params)}", remember


def _check_delete_folder(shell: Shell, params: Params) -> bool:
    found = _difference(shell)
    return not found.added and _is(found.removed, _folder(params))


def _delete_folder(screen: Screen, params: Params) -> Action:
    if _in_folder(screen, params["folder"]) or is_asking(screen):
        return delete_by_long_press(screen, params["name"])
    return BACK if has_parent_page(screen) else tap_or_back(screen, params["folder"])


# --- the templates -----------------------------------------------------------------------------------------

_NAMES = tuple(EXTENSIONS)
_FILE = {"name": _NAMES, "folder": FOLDERS}
_FOLDER = {"name": NEW_FOLDERS, "folder": FOLDERS}
_DELETE = ("delete the file {name} in {folder}", "remove {name} from the folder {folder}")
_RENAME = ("rename {name} in {folder} to {new}", "rename the file {name} in {folder} to {new}")
_MOVE = ("move {name} from {folder} to {target}", "move the file {name} from {folder} to {target}")
_NEW_FOLDER = ("make a folder called {name} in {folder}", "create the folder {name} in {folder}")
_DELETE_FOLDER = ("delete the folder {name} in {folder}", "remove the folder {name} from {folder}")

TEMPLATES: tuple[Template, ...] = tuple(
    Template(
        name=f"files.{name}",
        suite="general",
        app="files",
        instructions=instructions,
        params=params,
        max_steps=10,
        level=level,
        setup=set_up,
        check=check,
        expert=inside("files", PACKAGE, act),
        exclude=lambda p: p.get("target") == p["folder"],
    )
    for level, name, instructions, params, set_up, check, act in (
        (2, "delete", _DELETE, _FILE, _set_up_file, _check_delete, _delete),
        (3, "rename", _RENAME, {**_FILE, "new": NEW_NAMES}, _set_up_rename, _check_rename, _rename),
        (3, "move", _MOVE, {**_FILE, "target": FOLDERS}, _set_up_move, _check_move, _move),
        (3, "new_folder", _NEW_FOLDER, _FOLDER, _set_up_new_folder, _check_new_folder, _new_folder),
        (2, "delete_folder", _DELETE_FOLDER, _FOLDER, _set_up_delete_folder, _check_delete_folder, _delete_folder),
    )
)

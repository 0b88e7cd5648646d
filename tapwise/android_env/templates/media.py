"""Tasks in Camera, Gallery and Recorder, whose works are files."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence

from tapwise.android_env.screen import Screen
from tapwise.android_env.tasks import Params, Shell, Template
from tapwise.android_env.templates.records import typed
from tapwise.android_env.templates.script import BACK, has_parent_page, inside, is_asking, open_app
from tapwise.records import Action, Finish

CAMERA, GALLERY, RECORDER = "com.android.camera2", "com.simplemobiletools.gallery.pro", "com.dimowner.audiorecorder"
PHOTOS = "/sdcard/DCIM/Camera"
PICTURES = "/sdcard/Pictures"
RECORDS = "/sdcard/Android/data/com.dimowner.audiorecorder/files/Music/records"
_KEPT = "/data/local/tmp/tapwise_media.txt"

NAMES = ("beach", "sunset", "castle", "bridge", "puppy", "forest")
TAPES = ("lecture", "meeting", "birdsong", "interview", "concert", "idea")
NEW_NAMES = ("draft", "final", "archive", "backup")
SIZES = ("120", "250", "480")


def _remember(folder: str) -> str:
    return f"mkdir -p {folder}; ls {folder} > {_KEPT}"


def _changes(shell: Shell, folder: str) -> tuple[list[str], list[str]]:
    """Names that came, and names that went."""
    before, after = set(shell(f"cat {_KEPT}").split()), set(shell(f"ls {folder}").split())
    return sorted(after - before), sorted(before - after)


def _unchanged(folder: str) -> object:
    return lambda shell, params: _changes(shell, folder) == ([], [])


# --- camera ----------------------------------------------------------------------------------------------


def _set_up_camera(params: Params) -> Sequence[str]:
    return [f"rm -rf {PHOTOS}", f"pm clear {CAMERA}", _remember(PHOTOS)]


def _took(kind: str) -> object:
    def check(shell: Shell, params: Params) -> bool:
        came, went = _changes(shell, PHOTOS)
        return not went and len(came) == int(params.get("count", "1")) and all(name.startswith(kind) for name in came)

    return check


def _photos(screen: Screen, params: Params) -> Action:
    taken = sum(getattr(action, "target", None) == "shutter" for action in screen.history_actions)
    return screen.tap("shutter") if taken < int(params.get("count", "1")) else Finish()


def _selfie(screen: Screen, params: Params) -> Action:
    return _photos(screen, params) if screen.tapped("switch camera") else screen.tap("switch camera")


def _video(screen: Screen, params: Params) -> Action:
    if screen.has("stop"):
        return screen.tap("stop")
    if screen.tapped("stop"):
        return Finish()
    return screen.tap("shutter") if screen.tapped("video") else screen.tap("video")


# --- gallery ---------------------------------------------------------------------------------------------


def _set_up_gallery(params: Params) -> Sequence[str]:
    number = NAMES.index(params["name"])
    chosen = [NAMES[(number + place) % len(NAMES)] for place in range(1 + number % 4)]
    writes = [
        f"head -c {SIZES[(number + place) % len(SIZES)]} /data/local/tmp/shot > {PICTURES}/{name}.png"
        for place, name in enumerate(chosen)
    ]
    return [
        f"rm -rf {PICTURES} {PHOTOS}; mkdir -p {PICTURES}",
        f"pm clear {GALLERY}",
        "screencap -p /data/local/tmp/shot",
        *writes,
        f"rm /data/local/tmp/shot; {_remember(PICTURES)}",
    ]


def _deleted_picture(shell: Shell, params: Params) -> bool:
    return _changes(shell, PICTURES) == ([], [f"{params['name']}.png"])


def _on_picture(screen: Screen, params: Params) -> Action | None:
    name = f"{params['name']}.png"
    if has_parent_page(screen):
        return None if screen.has(name) and screen.has("details") else BACK
    return screen.tap(name) if screen.has(name) else screen.swipe_up()


def _delete_picture(screen: Screen, params: Params) -> Action:
    if is_asking(screen):
        return screen.tap("delete") if screen.has(f"delete {params['name']}.png") else screen.tap("cancel")
    if not has_parent_page(screen) and screen.tapped("delete"):
        return Finish()
    return _on_picture(screen, params) or screen.tap("delete")


def _size(screen: Screen, params: Params) -> Action:
    shown = next((text for text in screen.texts if text.endswith(" bytes")), None)
    if shown is not None:
        return Finish("success", shown.split()[0])
    return _on_picture(screen, params) or screen.tap("details")


def _true_size(shell: Shell, params: Params) -> str:
    return shell(f"stat -c %s {PICTURES}/{params['name']}.png").strip()


def _count_pictures(screen: Screen, params: Params) -> Action:
    if has_parent_page(screen):
        return BACK
    return Finish("success", str(sum(node.description.endswith(".png") for node in screen.nodes)))


def _true_pictures(shell: Shell, params: Params) -> str:
    return str(len(shell(f"ls {PICTURES}").split()))


def _no_picture(params: Params) -> Sequence[str]:
    return [*_set_up_gallery(params)[:-1], f"rm -f {PICTURES}/{params['name']}.png; {_remember(PICTURES)}"]


def _in_vain(screen: Screen, params: Params) -> Action:
    return BACK if has_parent_page(screen) else Finish("impossible")


# --- recorder --------------------------------------------------------------------------------------------


def _set_up_recorder(params: Params) -> Sequence[str]:
    tape = f"printf 0123456789 > {RECORDS}/{params['name'].capitalize()}.m4a" if "name" in params else ":"
    return [f"rm -rf {RECORDS}; mkdir -p {RECORDS}; {tape}", f"pm clear {RECORDER}", _remember(RECORDS)]


def _recorded(shell: Shell, params: Params) -> bool:
    came, went = _changes(shell, RECORDS)
    return not went and len(came) == int(params["count"])


def _renamed(shell: Shell, params: Params) -> bool:
    names = [f"{params[key].capitalize()}.m4a" for key in ("new", "name")]
    return _changes(shell, RECORDS) == ([names[0]], [names[1]])


def _erased(shell: Shell, params: Params) -> bool:
    return _changes(shell, RECORDS) == ([], [f"{params['name'].capitalize()}.m4a"])


def _record(screen: Screen, params: Params) -> Action:
    if has_parent_page(screen):
        return BACK
    if screen.has("stop"):
        return screen.tap("stop")
    done = sum(getattr(action, "target", None) == "stop" for action in screen.history_actions)
    return screen.tap("record") if done < int(params["count"]) else Finish()


def _on_recording(screen: Screen, params: Params) -> Action | None:
    name = params["name"]
    if screen.has("rename") and screen.has(name):
        return None
    if screen.has("recordings") and has_parent_page(screen):
        return screen.tap(name) if screen.has(name) else BACK
    return BACK if has_parent_page(screen) else screen.tap("recordings")


_new_name = typed("name", "New name", "new")


def _rename(screen: Screen, params: Params) -> Action:
    if screen.has("rename recording"):
        return _new_name(screen, params) or screen.tap("save")
    if screen.has("recordings") and has_parent_page(screen) and screen.has(params["new"]):
        return Finish()
    return _on_recording(screen, params) or screen.tap("rename")


def _erase(screen: Screen, params: Params) -> Action:
    if is_asking(screen):
        return screen.tap("delete") if screen.has(f"delete {params['name']}") else screen.tap("cancel")
    if screen.has("recordings") and has_parent_page(screen) and not screen.has(params["name"]):
        return Finish()
    return _on_recording(screen, params) or screen.tap("delete")


def _shoot_and_look(screen: Screen, params: Params) -> Action:
    """Take a photo, then delete it in the gallery."""
    if not screen.tapped("shutter"):
        return open_app(screen, "camera", CAMERA) or screen.tap("shutter")
    action = open_app(screen, "gallery", GALLERY)
    if action is not None:
        return action
    if is_asking(screen):
        return screen.tap("delete")
    if not has_parent_page(screen):
        photo = next((node for node in screen.nodes if node.description.startswith("IMG_")), None)
        return screen.tap(photo) if photo is not None else Finish()
    return screen.tap("add to favorites") if screen.has("add to favorites") else Finish()


def _favorite_photo(shell: Shell, params: Params) -> bool:
    came, _ = _changes(shell, PHOTOS)
    found = shell("content query --uri content://com.simplemobiletools.gallery.pro/favorites")
    return len(came) == 1 and posixpath.join(PHOTOS, came[0]) in found


_N, _C = {"name": NAMES}, {"count": ("1", "2", "3")}
_WORDS = {"what": ("photo", "picture", "snapshot")}

TEMPLATES: tuple[Template, ...] = tuple(
    Template(
        name=f"{app}.{name}",
        suite="media",
        app=app,
        instructions=instructions,
        params=params,
        max_steps=steps,
        level=level,
        setup=set_up,
        check=check,  # type: ignore[arg-type]
        expert=act if name == "favorite_photo" else inside(app, package, act),
        answer=answer,
        impossible=name.startswith("no_"),
        other_apps=("gallery",) if name == "favorite_photo" else (),
    )
    for app, package, level, steps, name, instructions, params, set_up, check, act, answer in (
        (
            "camera", CAMERA, 1, 10, "photo", ("take {count} photos", "make {count} photos with the camera"), _C,
            _set_up_camera, _took("IMG_"), _photos, None,
        ),
        (
            "camera", CAMERA, 2, 10, "selfie", ("take a {what} of me with the front camera", "take a selfie {what}"),
            _WORDS, _set_up_camera, _took("IMG_"), _selfie, None,
        ),
        (
            "camera", CAMERA, 3, 10, "video", ("film a short video instead of a {what}", "take a video, no {what}"),
            _WORDS, _set_up_camera, _took("VID_"), _video, None,
        ),
        (
            "camera", CAMERA, 5, 20, "favorite_photo", ("take a {what} and make it a favorite in the gallery",
                                                         "take a {what}, then mark it as favorite in the gallery"),
            _WORDS, _set_up_camera, _favorite_photo, _shoot_and_look, None,
        ),
        (
            "gallery", GALLERY, 2, 12, "delete", ("delete the picture {name}.png", "remove {name}.png in the gallery"),
            _N, _set_up_gallery, _deleted_picture, _delete_picture, None,
        ),
        (
            "gallery", GALLERY, 3, 10, "size", ("how many bytes does the picture {name}.png have",
                                                "what is the size of {name}.png in bytes"),
            _N, _set_up_gallery, _unchanged(PICTURES), _size, _true_size,
        ),
        (
            "gallery", GALLERY, 1, 8, "count", ("how many pictures are in the gallery, {name}.png included",
                                                "count the pictures beside and with {name}.png"),
            _N, _set_up_gallery, _unchanged(PICTURES), _count_pictures, _true_pictures,
        ),
        (
            "gallery", GALLERY, 2, 10, "no_delete", ("throw the picture {name}.png away in the gallery",
                                                     "erase {name}.png from the gallery"),
            _N, _no_picture, _unchanged(PICTURES), _in_vain, None,
        ),
        (
            "recorder", RECORDER, 2, 12, "record", ("record sound {count} times", "make {count} audio recordings"), _C,
            _set_up_recorder, _recorded, _record, None,
        ),
        (
            "recorder", RECORDER, 3, 14, "rename", ("rename the recording {name} to {new}",),
            {"name": TAPES, "new": NEW_NAMES}, _set_up_recorder, _renamed, _rename, None,
        ),
        (
            "recorder", RECORDER, 2, 12, "delete", ("delete the recording {name}", "erase the recording {name}"),
            {"name": TAPES}, _set_up_recorder, _erased, _erase, None,
        ),
    )
)  # fmt: skip

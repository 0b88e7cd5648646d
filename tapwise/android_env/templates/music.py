"""Tasks in Music."""

from __future__ import annotations

from collections.abc import Sequence

from tapwise.android_env import rows
from tapwise.android_env.screen import Screen
from tapwise.android_env.tasks import Params, Shell, Template
from tapwise.android_env.templates.records import Setter, capital, typed
from tapwise.android_env.templates.script import BACK, has_parent_page, inside, is_asking
from tapwise.records import Action, Finish

PACKAGE = "code.name.monkey.retromusic"
SONGS = f"content://{PACKAGE}/songs"
PLAYLISTS = f"content://{PACKAGE}/playlists"
PLAYER = f"content://{PACKAGE}/player"

TITLES = ("blue train", "golden hour", "paper boats", "winter sun", "city rain", "open road")
ARTISTS = ("Nora Field", "The Lanterns", "Ada Moon")
NAMES = ("party", "sleep", "sunday", "garden", "running", "cooking")

_name: Setter = typed("name", "Name", "name")


def _songs() -> list[str]:
    """The same songs on every phone, with numbers from 1 on."""
    inserts = [
        rows.insert(SONGS, _id=number, title=capital(title), artist=ARTISTS[number % len(ARTISTS)])
        for number, title in enumerate(TITLES, 1)
    ]
    return [rows.delete(SONGS, "_id > 0"), *inserts]


def _silent(params: Params, song: int = 0, playing: int = 0) -> Sequence[str]:
    playlists = [rows.delete(PLAYLISTS, "_id > 0"), rows.insert(PLAYLISTS, _id=1, name="Old times", songs="2 5")]
    player = rows.update(PLAYER, "_id=1", song=song, playing=playing)
    return [*_songs(), *playlists, player, rows.remember(PLAYLISTS), rows.remember(SONGS)]


def _playing(params: Params) -> Sequence[str]:
    return _silent(params, song=1 + TITLES.index(params["title"]), playing=1)


def _with_list(params: Params) -> Sequence[str]:
    """A playlist of the name that is asked for, with as many songs as its place among the names."""
    songs = " ".join(str(1 + n) for n in range(1 + NAMES.index(params["name"]) % 5))
    insert = rows.insert(PLAYLISTS, _id=2, name=capital(params["name"]), songs=songs)
    return [*_silent(params)[:-2], insert, rows.remember(PLAYLISTS), rows.remember(SONGS)]


def _player(shell: Shell) -> rows.Row:
    return rows.query(shell, PLAYER)[0]


def _plays(shell: Shell, params: Params) -> bool:
    player = _player(shell)
    return player["song"] == str(1 + TITLES.index(params["title"])) and player["playing"] == "1"


def _paused(shell: Shell, params: Params) -> bool:
    return _player(shell)["playing"] == "0"


def _nothing_new(shell: Shell, params: Params) -> bool:
    return rows.changes(shell, PLAYLISTS).count == 0 and _player(shell)["playing"] == "0"


def _created(shell: Shell, params: Params) -> bool:
    found = rows.changes(shell, PLAYLISTS)
    songs = str(1 + TITLES.index(params["title"])) if "title" in params else ""
    return (
        found.count == len(found.added) == 1
        and rows.same(found.added[0]["name"], params["name"])
        and found.added[0]["songs"] == songs
    )


def _added(shell: Shell, params: Params) -> bool:
    found = rows.changes(shell, PLAYLISTS)
    if not found.count == len(found.changed) == 1:
        return False
    before, after = found.changed[0]
    wanted = f"{before['songs']} {1 + TITLES.index(params['title'])}"
    return rows.same(after["name"], "Old times") and after["songs"] == wanted


def _deleted(shell: Shell, params: Params) -> bool:
    found = rows.changes(shell, PLAYLISTS)
    return found.count == len(found.removed) == 1 and rows.same(found.removed[0]["name"], params["name"])


# --- the expert ------------------------------------------------------------------------------------------


def _tab(screen: Screen, name: str) -> Action | None:
    """Come to a tab of the first page; pages are called as their tabs."""
    if has_parent_page(screen):
        return BACK
    title = next((node for node in screen.nodes if node.text == name), None)
    return None if title is not None else screen.tap(name)


def _on_song(screen: Screen, title: str) -> Action | None:
    if has_parent_page(screen) and screen.has(title) and (screen.has("play") or screen.has("pause")):
        return None
    return _tab(screen, "Songs") or screen.tap(title)


def _play(screen: Screen, params: Params) -> Action:
    action = _on_song(screen, params["title"])
    if action is not None:
        return action
    return screen.tap("play") if screen.has("play") else Finish()


def _pause(screen: Screen, params: Params) -> Action:
    action = _on_song(screen, params["title"])
    if action is not None:
        return action
    return screen.tap("pause") if screen.has("pause") else Finish()


def _create(screen: Screen, params: Params) -> Action:
    if screen.has("new playlist"):
        return _name(screen, params) or screen.tap("save")
    if has_parent_page(screen):
        return Finish() if screen.has(params["name"]) else BACK
    action = _tab(screen, "Playlists")
    return action or (Finish() if screen.has(params["name"]) else screen.tap("add"))


def _add(screen: Screen, params: Params) -> Action:
    name = params.get("name", "old times")
    if is_asking(screen):
        return screen.tap(name) if screen.has(name) else screen.tap("cancel")
    if screen.tapped(name):
        return Finish()
    return _on_song(screen, params["title"]) or screen.tap("add to playlist")


def _create_and_add(screen: Screen, params: Params) -> Action:
    made = screen.tapped("save")
    if not made or (screen.has("new playlist") and not is_asking(screen)):
        return _create(screen, params)
    return _add(screen, params)


def _delete(screen: Screen, params: Params) -> Action:
    name = params["name"]
    if is_asking(screen):
        return screen.tap("delete") if screen.has(f"delete {name}") else screen.tap("cancel")
    if has_parent_page(screen) and screen.has(name):
        return screen.tap("delete")
    return _tab(screen, "Playlists") or (screen.tap(name) if screen.has(name) else Finish())


def _artist(screen: Screen, params: Params) -> Action:
    action = _on_song(screen, params["title"])
    return action or Finish("success", next(artist for artist in ARTISTS if screen.has(artist)))


def _count(screen: Screen, params: Params) -> Action:
    action = _tab(screen, "Playlists")
    if action is not None:
        return action
    for node in screen.nodes:
        texts = [child.text for child in node.children if child.text]
        if len(texts) == 2 and rows.same(texts[0], params["name"]):
            return Finish("success", texts[1].split()[0])
    return screen.swipe_up()


def _in_vain(screen: Screen, params: Params) -> Action:
    return _tab(screen, "Songs") or Finish("impossible")


def _true_artist(shell: Shell, params: Params) -> str:
    return rows.query(shell, SONGS, f"title='{capital(params['title'])}'")[0]["artist"]


def _true_count(shell: Shell, params: Params) -> str:
    found = rows.query(shell, PLAYLISTS, f"name='{capital(params['name'])}'")
    return str(len(found[0]["songs"].split()))


_T, _N = {"title": TITLES}, {"name": NAMES}
_NO_SONGS = {"title": ("green door", "iron bridge", "red balloon", "slow clock", "silver line", "cold tea")}

TEMPLATES: tuple[Template, ...] = tuple(
    Template(
        name=f"music.{name}",
        suite="media",
        app="music",
        instructions=instructions,
        params=params,
        max_steps=steps,
        level=level,
        setup=set_up,
        check=check,
        expert=inside("music", PACKAGE, act),
        answer=answer,
        impossible=name.startswith("no_"),
    )
    for level, steps, name, instructions, params, set_up, check, act, answer in (
        (2, 10, "play", ("play the song {title}", "put {title} on"), _T, _silent, _plays, _play, None),
        (2, 10, "pause", ("pause the song {title}", "stop {title} for now"), _T, _playing, _paused, _pause, None),
        (
            3, 14, "create", ("create a playlist called {name}", "make a new playlist {name}"), _N, _silent, _created,
            _create, None,
        ),
        (
            3, 12, "add", ("add {title} to the playlist old times", "put {title} on my playlist old times"),
            {"title": ("blue train", "paper boats", "winter sun", "open road")}, _silent, _added, _add, None,
        ),
        (
            4, 22, "create_with", ("make a playlist {name} with the song {title}",), {**_N, "title": TITLES[:2]},
            _silent, _created, _create_and_add, None,
        ),
        (
            2, 12, "delete", ("delete the playlist {name}", "i do not need the playlist {name} any more"), _N,
            _with_list, _deleted, _delete, None,
        ),
        (
            2, 10, "artist", ("who plays {title}", "which artist is the song {title} by"), _T, _silent, _nothing_new,
            _artist, _true_artist,
        ),
        (
            2, 10, "count", ("how many songs does the playlist {name} have", "count the songs of my playlist {name}"),
            _N, _with_list, _nothing_new, _count, _true_count,
        ),
        (
            2, 10, "no_song", ("play {title} in the music app", "i want to hear {title}"), _NO_SONGS, _silent,
            _nothing_new, _in_vain, None,
        ),
    )
)  # fmt: skip

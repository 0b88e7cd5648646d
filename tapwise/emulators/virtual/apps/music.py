"""Music: songs, which are files, and playlists of them."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from tapwise.emulators.virtual.app import App, RecordTable, Table, Ui
from tapwise.emulators.virtual.apps.forms import Field, Values, form
from tapwise.emulators.virtual.state import Route
from tapwise.emulators.virtual.ui import theme as themes
from tapwise.emulators.virtual.ui.page import Dialog, Page, choice_dialog, confirm_dialog
from tapwise.emulators.virtual.ui.views import Icon, IconButton, ListItem, Plate, Row, Space, Text, View

SONGS = {
    "Blue train": "Nora Field",
    "Golden hour": "The Lanterns",
    "Paper boats": "Ada Moon",
    "Winter sun": "Nora Field",
    "City rain": "Low Tide",
    "Open road": "The Lanterns",
    "Last dance": "Ada Moon",
    "Quiet sea": "Low Tide",
}
PLAYLISTS = ("Morning", "Workout", "Dinner", "Road trip", "Focus")


@dataclass
class Song:
    """A song and who plays it."""

    id: int
    title: str
    artist: str


@dataclass
class Playlist:
    """A playlist: the numbers of its songs, in order, with spaces between."""

    id: int
    name: str
    songs: str = ""


@dataclass
class Player:
    """What the player does: the number of a song (0: none), and whether it is playing."""

    id: int = 1
    song: int = 0
    playing: bool = False


@dataclass
class MusicData:
    """Songs, playlists, and the player."""

    songs: list[Song]
    playlists: list[Playlist]
    player: list[Player]


class Music(App):
    """Retro Music."""

    package = "code.name.monkey.retromusic"
    label = "Music"
    icon = "music"
    colour = (136, 14, 79)
    activity = ".activities.MainActivity"

    def initial(self, rng: random.Random) -> MusicData:
        titles = sorted(rng.sample(sorted(SONGS), 6))
        songs = [Song(n, title, SONGS[title]) for n, title in enumerate(titles, 1)]
        lists = [
            Playlist(n, name, " ".join(str(song.id) for song in rng.sample(songs, rng.randint(1, 2))))
            for n, name in enumerate(rng.sample(PLAYLISTS, 2), 1)
        ]
        return MusicData(songs, lists, [Player()])

    def tables(self, data: MusicData) -> Mapping[str, Table]:
        base = "content://code.name.monkey.retromusic"
        return {
            f"{base}/songs": RecordTable(data.songs, Song, {"_id": "id", "title": "title", "artist": "artist"}),
            f"{base}/playlists": RecordTable(data.playlists, Playlist, {"_id": "id", "name": "name", "songs": "songs"}),
            f"{base}/player": RecordTable(data.player, Player, {"_id": "id", "song": "song", "playing": "playing"}),
        }

    def is_remote(self, route: Route) -> bool:
        return route != ("new",)

    def page(self, ui: Ui) -> Page:
        data: MusicData = ui.data
        match ui.route:
            case ("new",):
                return form(ui, "New playlist", (Field("name", "Name", required=True),), {}, partial(_create, ui))
            case ("playlist", key):
                found = next((one for one in data.playlists if str(one.id) == key), None)
                return _playlist_page(ui, found) if found else Page(title="No playlist", on_back=ui.back)
            case ("song", key):
                song = next((one for one in data.songs if str(one.id) == key), None)
                return _song_page(ui, song) if song else Page(title="No song", on_back=ui.back)
        shown = _playlists(ui) if ui.field("tab") == "Playlists" else _songs(ui)
        tabs = [
            IconButton(
                icon=icon,
                description=name,
                selected=(ui.field("tab") or "Songs") == name,
                on_tap=partial(ui.set_field, "tab", name),
            )
            for name, icon in (("Songs", "music"), ("Playlists", "menu"))
        ]
        shown.bottom = Plate(child=Row(children=tabs, row_height=themes.ROW_DP))
        return shown


def _songs(ui: Ui) -> Page:
    rows = [_song_row(ui, song) for song in ui.data.songs]
    return Page(title="Songs", body=rows)


def _song_row(ui: Ui, song: Song) -> View:
    player = ui.data.player[0]
    mark = Icon(name="play", size=24) if player.song == song.id and player.playing else None
    opened = partial(ui.go, "song", str(song.id))
    return ListItem(title=song.title, subtitle=song.artist, icon="music", trailing=mark, on_tap=opened)


def _playlists(ui: Ui) -> Page:
    rows = [
        ListItem(
            title=one.name,
            subtitle=f"{len(one.songs.split())} songs",
            icon="menu",
            on_tap=partial(ui.go, "playlist", str(one.id)),
        )
        for one in ui.data.playlists
    ]
    add = IconButton(icon="add", description="Add", on_tap=partial(ui.go, "new"))
    return Page(title="Playlists", body=rows, floating=add)


def _create(ui: Ui, values: Values) -> None:
    name = values["name"]
    playlist = Playlist(ui.new_id(), name[:1].upper() + name[1:])
    ui.data.playlists.append(playlist)
    ui.replace("playlist", str(playlist.id))


def _playlist_page(ui: Ui, playlist: Playlist) -> Page:
    def remove() -> None:
        ui.data.playlists.remove(playlist)
        ui.root()

    chosen = {number: n for n, number in enumerate(playlist.songs.split())}
    songs = sorted((s for s in ui.data.songs if str(s.id) in chosen), key=lambda song: chosen[str(song.id)])
    rows: Sequence[View] = [_song_row(ui, song) for song in songs]
    delete = IconButton(icon="delete", description="Delete", on_tap=partial(ui.set_field, "dialog", "delete"))
    cancel = partial(ui.set_field, "dialog", "")
    dialog = confirm_dialog(f"Delete {playlist.name}", "Delete", remove, cancel) if ui.field("dialog") else None
    empty = [Text(value="No songs", align="center", muted=True)]
    return Page(title=playlist.name, on_back=ui.back, actions=[delete], body=rows or empty, dialog=dialog)


def _song_page(ui: Ui, song: Song) -> Page:
    player: Player = ui.data.player[0]
    on = player.song == song.id and player.playing

    def flip() -> None:
        player.song, player.playing = song.id, not on

    add = IconButton(icon="add", description="Add to playlist", on_tap=partial(ui.set_field, "dialog", "add"))
    body: list[View] = [
        Space(size=themes.ROW_DP / 2),
        Row(children=[Icon(name="music", size=180, plate=(136, 14, 79))], row_height=3 * themes.ROW_DP),
        Text(value=song.title, size=32, align="center"),
        Text(value=song.artist, align="center", muted=True),
        Space(size=themes.ROW_DP / 2),
        Row(
            children=[
                IconButton(icon="pause" if on else "play", description="Pause" if on else "Play", size=56, on_tap=flip)
            ]
        ),
    ]
    dialog = _add_dialog(ui, song) if ui.field("dialog") else None
    return Page(title=song.title, on_back=ui.back, actions=[add], body=body, dialog=dialog)


def _add_dialog(ui: Ui, song: Song) -> Dialog:
    def add(playlist: Playlist) -> None:
        if str(song.id) not in playlist.songs.split():
            playlist.songs = f"{playlist.songs} {song.id}".strip()
        ui.toast(f"Added to {playlist.name}")
        ui.set_field("dialog", "")

    options = [(one.name, partial(add, one)) for one in ui.data.playlists]
    return choice_dialog("Add to playlist", options, partial(ui.set_field, "dialog", ""))

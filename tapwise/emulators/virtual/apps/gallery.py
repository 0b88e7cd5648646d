"""Gallery: the pictures and videos on the shared storage."""

from __future__ import annotations

import io
import posixpath
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache, partial

from PIL import Image

from tapwise.emulators.virtual.app import App, RecordTable, Table, Ui
from tapwise.emulators.virtual.ui import theme as themes
from tapwise.emulators.virtual.ui.page import Page, confirm_dialog
from tapwise.emulators.virtual.ui.views import Column, Grid, IconButton, ListItem, Picture, Text, View

FOLDERS = ("/sdcard/DCIM/Camera", "/sdcard/Pictures", "/sdcard/Download", "/sdcard/Movies")
PICTURES = (".jpg", ".jpeg", ".png", ".webp")
VIDEOS = (".mp4", ".3gp")
MOST_ZOOM = 8.0


@dataclass
class Favorite:
    """A picture that is loved, by its path."""

    id: int
    path: str


@dataclass
class GalleryData:
    """Favorites."""

    favorites: list[Favorite] = field(default_factory=list)


class Gallery(App):
    """Simple Gallery Pro."""

    package = "com.simplemobiletools.gallery.pro"
    label = "Gallery"
    icon = "image"
    colour = (2, 119, 189)
    activity = ".activities.MainActivity"

    def initial(self, rng: random.Random) -> GalleryData:
        return GalleryData()

    def tables(self, data: GalleryData) -> Mapping[str, Table]:
        uri = "content://com.simplemobiletools.gallery.pro/favorites"
        return {uri: RecordTable(data.favorites, Favorite, {"_id": "id", "path": "path"})}

    def page(self, ui: Ui) -> Page:
        if ui.route[0] == "picture":
            return _picture_page(ui, ui.route[1])
        if ui.route[0] == "details":
            return _details_page(ui, ui.route[1])
        paths = _media(ui)
        tiles = [_tile(ui, path) for path in paths]
        body: list[View] = [Grid(children=tiles, columns=3, cell_height=2 * themes.ROW_DP, gap=4)] if tiles else []
        return Page(title="Gallery", body=body or [Text(value="No pictures", align="center", muted=True)])


def _media(ui: Ui) -> list[str]:
    """Newest first."""
    found = [
        posixpath.join(folder, name)
        for folder in FOLDERS
        if ui.files.is_dir(folder)
        for name in ui.files.listdir(folder)
        if name.lower().endswith((*PICTURES, *VIDEOS))
    ]
    return sorted(found, key=lambda path: (ui.files.stat(path).mtime, path), reverse=True)


def _tile(ui: Ui, path: str) -> View:
    name = posixpath.basename(path)
    opened = partial(ui.go, "picture", path)
    picture = Picture(draw=partial(_drawn, ui.files.read(path)), picture_height=1.4 * themes.ROW_DP)
    picture.description, picture.on_tap = name, opened
    label = Text(value=name, size=themes.SMALL_DP, align="center")
    label.on_tap = opened
    return Column(children=[picture, label])


def _drawn(data: bytes, width: int, height: int) -> Image.Image:
    return thumbnail(data, width, height)


def _zoomed(data: bytes, zoom: float, width: int, height: int) -> Image.Image:
    return thumbnail(data, width, height, zoom)


@lru_cache(maxsize=128)
def thumbnail(data: bytes, width: int, height: int, zoom: float = 1.0) -> Image.Image:
    """The middle of a picture cut to a size; a grey plate for what is none, such as a video."""
    try:
        with Image.open(io.BytesIO(data)) as picture:
            if picture.width * picture.height > 20_000_000:
                raise ValueError("too large")
            whole = picture.convert("RGB")
    except Exception:  # files come from anywhere, and Pillow raises what it likes
        return Image.new("RGB", (width, height), (70, 74, 80))
    scale = max(width / whole.width, height / whole.height)
    size = (max(width, round(whole.width * scale)), max(height, round(whole.height * scale)))
    left, top = (size[0] - width) // 2, (size[1] - height) // 2
    if zoom > 1.0:
        across, along = width / scale / zoom / 2, height / scale / zoom / 2
        middle = whole.width / 2, whole.height / 2
        part = (middle[0] - across, middle[1] - along, middle[0] + across, middle[1] + along)
        return whole.resize((width, height), Image.Resampling.BILINEAR, box=part)
    return whole.resize(size, Image.Resampling.BILINEAR).crop((left, top, left + width, top + height))


def _picture_page(ui: Ui, path: str) -> Page:
    if not ui.files.exists(path):
        return Page(title="No picture", on_back=ui.back)
    favorites: list[Favorite] = ui.data.favorites
    loved = any(one.path == path for one in favorites)

    def forget() -> None:
        favorites[:] = [one for one in favorites if one.path != path]

    def flip() -> None:
        if loved:
            forget()
        else:
            favorites.append(Favorite(ui.new_id(), path))

    def remove() -> None:
        ui.files.remove(path)
        forget()
        ui.root()

    heart = IconButton(
        icon="heart",
        description="Remove from favorites" if loved else "Add to favorites",
        colour=(214, 40, 90) if loved else None,
        on_tap=flip,
    )
    info = IconButton(icon="more", description="Details", on_tap=partial(ui.go, "details", path))
    delete = IconButton(icon="delete", description="Delete", on_tap=partial(ui.set_field, "dialog", "delete"))
    cancel = partial(ui.set_field, "dialog", "")
    name = posixpath.basename(path)
    dialog = confirm_dialog(f"Delete {name}", "Delete", remove, cancel) if ui.field("dialog") else None
    zoom = float(ui.field("zoom", "1"))

    def pinch(factor: float) -> None:
        ui.set_field("zoom", f"{min(max(zoom * factor, 1.0), MOST_ZOOM):.2f}")

    picture = Picture(draw=partial(_zoomed, ui.files.read(path), zoom), picture_height=7 * themes.ROW_DP)
    picture.on_pinch = pinch
    picture.description = f"Zoomed to {zoom:.0%}" if zoom > 1.0 else ""
    return Page(title=name, on_back=ui.back, actions=[heart, info, delete], body=[picture], dialog=dialog)


def _details_page(ui: Ui, path: str) -> Page:
    if not ui.files.exists(path):
        return Page(title="No picture", on_back=ui.back)
    stat = ui.files.stat(path)
    rows = [
        ListItem(title=posixpath.basename(path), subtitle="Name", icon="image"),
        ListItem(title=posixpath.basename(posixpath.dirname(path)), subtitle="Folder", icon="folder"),
        ListItem(title=f"{stat.size} bytes", subtitle="Size", icon="storage"),
        ListItem(title=f"{stat.mtime:%d %b %Y}", subtitle="Taken", icon="calendar"),
    ]
    return Page(title="Details", on_back=ui.back, body=rows)

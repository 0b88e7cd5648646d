"""Camera: what it sees, a shutter, and a switch between photos and videos."""

from __future__ import annotations

import io
import random
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np
from PIL import Image

from tapwise.emulators.virtual.app import App, Ui
from tapwise.emulators.virtual.ui import theme as themes
from tapwise.emulators.virtual.ui.page import Page
from tapwise.emulators.virtual.ui.views import IconButton, Picture, Plate, Row, View

FOLDER = "/sdcard/DCIM/Camera"
MODES = ("Photo", "Video")


@dataclass
class CameraData:
    """What stands before the camera, which it is, and since when a video is taken (0: none is)."""

    scene: int
    front: bool = False
    mode: str = "Photo"
    filming_since_s: float = 0.0


class Camera(App):
    """Android's camera."""

    package = "com.android.camera2"
    label = "Camera"
    icon = "camera"
    colour = (69, 90, 100)
    activity = "com.android.camera.CameraLauncher"

    def initial(self, rng: random.Random) -> CameraData:
        return CameraData(rng.randrange(1000))

    def page(self, ui: Ui) -> Page:
        data: CameraData = ui.data
        filming = data.filming_since_s > 0
        view = Picture(
            draw=lambda width, height: scene(width, height, data.scene + 500 * data.front),
            picture_height=8 * themes.ROW_DP,
        )
        shutter = IconButton(
            icon="stop" if filming else "camera",
            description="Stop" if filming else "Shutter",
            size=56,
            on_tap=partial(_shoot, ui),
        )
        modes: list[View] = [
            IconButton(
                icon="image" if mode == "Photo" else "play",
                description=mode,
                selected=data.mode == mode,
                colour=(220, 40, 40) if data.mode == mode else None,
                on_tap=partial(_set_mode, data, mode),
            )
            for mode in MODES
        ]
        turn = IconButton(icon="refresh", description="Switch camera", on_tap=partial(_turn, data))
        bar = Plate(child=Row(children=[modes[0], modes[1], shutter, turn], row_height=1.3 * themes.ROW_DP))
        return Page(body=[view], bottom=bar)


def _set_mode(data: CameraData, mode: str) -> None:
    data.mode, data.filming_since_s = mode, 0.0


def _turn(data: CameraData) -> None:
    data.front = not data.front


def _shoot(ui: Ui) -> None:
    data: CameraData = ui.data
    name = f"{ui.now():%Y%m%d_%H%M%S}"
    ui.files.make_directory(FOLDER, parents=True, exist_ok=True, mtime=ui.now())
    if data.mode == "Photo":
        ui.files.write(f"{FOLDER}/IMG_{name}.jpg", photo(data.scene + 500 * data.front), ui.now())
        ui.toast("Photo saved")
    elif not data.filming_since_s:
        data.filming_since_s = ui.now().timestamp()
    else:
        seconds = int(ui.now().timestamp() - data.filming_since_s)
        ui.files.write(f"{FOLDER}/VID_{name}.mp4", b"\0\0\0\x18ftypmp42" + bytes(1000 * seconds), ui.now())
        data.filming_since_s = 0.0
        ui.toast("Video saved")


@lru_cache(maxsize=32)
def photo(number: int) -> bytes:
    """A picture of a scene as JPEG."""
    buffer = io.BytesIO()
    scene(240, 320, number).save(buffer, "JPEG", quality=85)
    return buffer.getvalue()


@lru_cache(maxsize=32)
def scene(width: int, height: int, number: int) -> Image.Image:
    """Hills under a sky with a sun, another one for each number."""
    rng = random.Random(number)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    y, x = y / height, x / width
    top = np.array([rng.randrange(60, 150), rng.randrange(120, 190), rng.randrange(190, 250)], np.float32)
    pixels = top + (np.array([250, 225, 190], np.float32) - top) * y[..., None]
    sun = (x - rng.uniform(0.2, 0.8)) ** 2 + ((y - rng.uniform(0.1, 0.3)) * height / width) ** 2 < 0.005
    pixels[sun] = (255, 240, 170)
    for depth in range(3):
        line = 0.45 + 0.15 * depth + 0.06 * np.sin(x * rng.uniform(4, 11) + rng.uniform(0, 6))
        shade = np.array([rng.randrange(40, 90), rng.randrange(100, 150), rng.randrange(50, 90)], np.float32)
        pixels[y > line] = shade * (1.1 - 0.22 * depth)
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))

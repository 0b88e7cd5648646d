"""Icons drawn as vectors on a 24 x 24 grid; masks are rendered once per size, four times oversampled."""

from __future__ import annotations

from functools import lru_cache

from PIL import Image, ImageDraw

from tapwise.emulators.virtual.ui.things import THINGS

Shape = tuple[str, tuple[float, ...]]

# Each shape: (kind, numbers). "line" x y x y ... width; "dot" cx cy r; "ring" cx cy r width; "poly" x y ...;
# "box" x0 y0 x1 y1 radius; "frame" x0 y0 x1 y1 radius width; "arc" cx cy r start end width; a leading "-" erases.
# fmt: off
ICONS: dict[str, tuple[Shape, ...]] = {
    "back": (("line", (20, 12, 5, 12, 2.2)), ("line", (11, 5, 4.5, 12, 11, 19, 2.2))),
    "close": (("line", (6, 6, 18, 18, 2.2)), ("line", (18, 6, 6, 18, 2.2))),
    "check": (("line", (5, 12.5, 10, 17.5, 19.5, 7, 2.4)),),
    "add": (("line", (12, 5, 12, 19, 2.4)), ("line", (5, 12, 19, 12, 2.4))),
    "minus": (("line", (5, 12, 19, 12, 2.4)),),
    "search": (("ring", (10.5, 10.5, 6, 2.2)), ("line", (15, 15, 20.5, 20.5, 2.6))),
    "menu": (("line", (4, 7, 20, 7, 2)), ("line", (4, 12, 20, 12, 2)), ("line", (4, 17, 20, 17, 2))),
    "more": (("dot", (12, 5.5, 1.9)), ("dot", (12, 12, 1.9)), ("dot", (12, 18.5, 1.9))),
    "delete": (("box", (7, 9, 17, 21, 1.5)), ("line", (5, 6.5, 19, 6.5, 2)), ("box", (9.5, 3.5, 14.5, 6, 1))),
    "edit": (("poly", (4, 20, 5, 16, 15.5, 5.5, 18.5, 8.5, 8, 19)), ("poly", (16.5, 4.5, 18, 3, 21, 6, 19.5, 7.5))),
    "save": (("frame", (4, 4, 20, 20, 2, 2)), ("box", (8, 12, 16, 20, 0.5)), ("box", (8, 4, 15, 8.5, 0.5))),
    "send": (("poly", (3, 4, 21.5, 12, 3, 20, 3, 14, 14, 12, 3, 10)),),
    "star": (
        ("poly", (12, 2.5, 14.8, 9, 21.8, 9.6, 16.5, 14.2, 18.1, 21, 12, 17.4, 5.9, 21, 7.5, 14.2, 2.2, 9.6, 9.2, 9)),
    ),
    "pin": (("poly", (8, 3, 16, 3, 15, 5, 15, 10, 18, 14, 6, 14, 9, 10, 9, 5)), ("line", (12, 14, 12, 21, 1.8))),
    "share": (
        ("dot", (6, 12, 3)),
        ("dot", (17.5, 5.5, 3)),
        ("dot", (17.5, 18.5, 3)),
        ("line", (6, 12, 17.5, 5.5, 1.8)),
        ("line", (6, 12, 17.5, 18.5, 1.8)),
    ),
    "sort": (("line", (4, 7, 20, 7, 2)), ("line", (4, 12, 15, 12, 2)), ("line", (4, 17, 10, 17, 2))),
    "filter": (("poly", (3, 5, 21, 5, 14, 13, 14, 20, 10, 17.5, 10, 13)),),
    "wifi": (("arc", (12, 19, 14.5, 225, 315, 2.2)), ("arc", (12, 19, 9.5, 225, 315, 2.2)), ("dot", (12, 18, 2.4))),
    "bluetooth": (("line", (6.5, 7.5, 17.5, 16.5, 12, 21, 12, 3, 17.5, 7.5, 6.5, 16.5, 1.9)),),
    "plane": (
        ("poly", (12, 2, 13.8, 4, 13.8, 9.5, 21.5, 14.5, 21.5, 16.5, 13.8, 14, 13.8, 18.5, 16.5, 20.5, 16.5, 22,
            12, 20.8, 7.5, 22, 7.5, 20.5, 10.2, 18.5, 10.2, 14, 2.5, 16.5, 2.5, 14.5, 10.2, 9.5, 10.2, 4)),
    ),
    "globe": (
        ("ring", (12, 12, 9, 2)),
        ("line", (3, 12, 21, 12, 1.6)),
        ("line", (12, 3, 8, 8, 8, 16, 12, 21, 1.6)),
        ("line", (12, 3, 16, 8, 16, 16, 12, 21, 1.6)),
    ),
    "display": (
        ("dot", (12, 12, 4.5)),
        ("line", (12, 1.5, 12, 4.5, 2)),
        ("line", (12, 19.5, 12, 22.5, 2)),
        ("line", (1.5, 12, 4.5, 12, 2)),
        ("line", (19.5, 12, 22.5, 12, 2)),
        ("line", (4.5, 4.5, 6.7, 6.7, 2)),
        ("line", (17.3, 17.3, 19.5, 19.5, 2)),
        ("line", (4.5, 19.5, 6.7, 17.3, 2)),
        ("line", (17.3, 6.7, 19.5, 4.5, 2)),
    ),
    "sound": (
        ("poly", (3, 9, 7, 9, 12, 4.5, 12, 19.5, 7, 15, 3, 15)),
        ("arc", (12, 12, 5, 305, 55, 2)),
        ("arc", (12, 12, 9, 305, 55, 2)),
    ),
    "battery": (("frame", (7, 5, 17, 22, 1.5, 2)), ("box", (10, 2.5, 14, 5, 0.5)), ("box", (9, 12, 15, 20, 0.5))),
    "storage": (
        ("box", (4, 4, 20, 9.5, 1.5)),
        ("box", (4, 11, 20, 16.5, 1.5)),
        ("-dot", (7, 6.8, 1)),
        ("-dot", (7, 13.8, 1)),
        ("box", (4, 18, 20, 21, 1)),
    ),
    "apps": tuple(("box", (x, y, x + 4.4, y + 4.4, 1.0)) for x in (3.5, 9.8, 16.1) for y in (3.5, 9.8, 16.1)),
    "lock": (("box", (5, 10, 19, 21, 2)), ("arc", (12, 10, 4.8, 180, 360, 2.2)), ("-dot", (12, 15.5, 1.8))),
    "location": (
        ("poly", (12, 22, 5.5, 12, 5.2, 8, 7.5, 4, 12, 2.2, 16.5, 4, 18.8, 8, 18.5, 12)),
        ("-dot", (12, 9, 2.8)),
    ),
    "person": (("dot", (12, 7.5, 4.3)), ("box", (4, 14, 20, 22, 5))),
    "system": (("ring", (12, 12, 9, 2)), ("line", (12, 11, 12, 17, 2.4)), ("dot", (12, 7.3, 1.5))),
    "gear": (
        ("ring", (12, 12, 6, 3.4)),
        *((("line", (12 + 6 * c, 12 + 6 * s, 12 + 9.5 * c, 12 + 9.5 * s, 3.4))) for c, s in ((1, 0), (-1, 0),
            (0, 1), (0, -1), (0.71, 0.71), (-0.71, 0.71), (0.71, -0.71), (-0.71, -0.71))),
    ),
    "clock": (("ring", (12, 12, 9, 2.2)), ("line", (12, 6.5, 12, 12.3, 16, 14.5, 2.2))),
    "alarm": (
        ("ring", (12, 13, 7.5, 2.2)),
        ("line", (12, 9, 12, 13.2, 15, 15, 2)),
        ("line", (3, 7, 7, 3.5, 2.2)),
        ("line", (21, 7, 17, 3.5, 2.2)),
    ),
    "timer": (("poly", (6, 3, 18, 3, 18, 6, 13, 12, 18, 18, 18, 21, 6, 21, 6, 18, 11, 12, 6, 6)),),
    "stopwatch": (
        ("ring", (12, 13.5, 8, 2.2)),
        ("line", (12, 9.5, 12, 14, 2.2)),
        ("line", (9, 2.5, 15, 2.5, 2.4)),
        ("line", (12, 2.5, 12, 6, 2)),
        ("line", (18.5, 5.5, 20, 7, 2.4)),
    ),
    "chat": (
        ("box", (2.5, 4, 21.5, 17, 3)),
        ("poly", (6, 16, 6, 21.5, 12, 16)),
        ("-line", (6.5, 8.5, 17.5, 8.5, 1.8)),
        ("-line", (6.5, 12.5, 14, 12.5, 1.8)),
    ),
    "phone": (
        ("poly", (5, 2.5, 8.5, 2.5, 10, 8, 7.5, 10, 10, 14, 14, 16.5, 16, 14, 21.5, 15.5, 21.5, 19, 19, 21.5,
            12, 19, 6, 13.5, 2.8, 6)),
    ),
    "note": (
        ("box", (4.5, 2.5, 19.5, 21.5, 2)),
        ("-line", (8, 8, 16, 8, 1.8)),
        ("-line", (8, 12, 16, 12, 1.8)),
        ("-line", (8, 16, 13, 16, 1.8)),
    ),
    "folder": (("box", (2.5, 7, 21.5, 20, 1.8)), ("box", (2.5, 4, 10.5, 9, 1.5))),
    "file": (
        ("poly", (5, 2, 14.5, 2, 19.5, 7, 19.5, 22, 5, 22)),
        ("-line", (8, 12, 16.5, 12, 1.6)),
        ("-line", (8, 16, 16.5, 16, 1.6)),
    ),
    "image": (
        ("frame", (3, 4.5, 21, 19.5, 2, 2)),
        ("poly", (5, 17.5, 10, 11, 13, 14.5, 15.5, 12, 19, 17.5)),
        ("dot", (16, 9, 1.6)),
    ),
    "music": (("dot", (7.5, 18, 3)), ("dot", (17.5, 16, 3)), ("line", (10, 18, 10, 5, 20, 3, 20, 16, 2))),
    "download": (("line", (12, 3, 12, 14, 2.4)), ("poly", (6, 10.5, 18, 10.5, 12, 17)), ("line", (4, 20, 20, 20, 2.2))),
    "cart": (
        ("line", (2, 4, 5, 4, 8, 15.5, 18.5, 15.5, 2)),
        ("poly", (6, 6.5, 21.5, 6.5, 19, 13.5, 7.8, 13.5)),
        ("dot", (9, 19.5, 1.9)),
        ("dot", (17.5, 19.5, 1.9)),
    ),
    "basket": (
        ("poly", (2.5, 9, 21.5, 9, 19, 21, 5, 21)),
        ("line", (7, 9, 11, 2.5, 2)),
        ("line", (17, 9, 13, 2.5, 2)),
        ("-line", (9, 12.5, 9.6, 18, 1.6)),
        ("-line", (15, 12.5, 14.4, 18, 1.6)),
    ),
    "tag": (("poly", (3, 12, 12, 3, 21, 3, 21, 12, 12, 21)), ("-dot", (17, 7, 1.8))),
    "home": (("poly", (12, 3, 22, 12, 19, 12, 19, 21, 5, 21, 5, 12, 2, 12)), ("-box", (10, 14.5, 14, 21, 0))),
    "heart": (("dot", (7.7, 8.3, 4.9)), ("dot", (16.3, 8.3, 4.9)), ("poly", (3.3, 10.5, 20.7, 10.5, 12, 21.5))),
    "play": (("poly", (6.5, 3.5, 20, 12, 6.5, 20.5)),),
    "pause": (("box", (6, 4, 10, 20, 1)), ("box", (14, 4, 18, 20, 1))),
    "stop": (("box", (5.5, 5.5, 18.5, 18.5, 1.5)),),
    "refresh": (("arc", (12, 12, 7.5, 20, 300, 2.3)), ("poly", (14, 2.5, 21, 4, 16.5, 9.5))),
    "moon": (("dot", (12, 12, 9)), ("-dot", (16.5, 9, 7.5))),
    "calendar": (
        ("box", (3.5, 5, 20.5, 21, 2)),
        ("-line", (4, 10, 20, 10, 1.6)),
        ("box", (7, 2.5, 9.2, 6, 0.5)),
        ("box", (14.8, 2.5, 17, 6, 0.5)),
    ),
    "camera": (
        ("box", (2.5, 7, 21.5, 20, 2)),
        ("box", (8.5, 4, 15.5, 8, 1.5)),
        ("-dot", (12, 13.3, 4.2)),
        ("dot", (12, 13.3, 2.4)),
    ),
    "nav_back": (("poly", (17, 4, 17, 20, 4.5, 12)),),
    "nav_home": (("ring", (12, 12, 8, 2.4)),),
    "nav_recents": (("frame", (5, 5, 19, 19, 2, 2.4)),),
}
# fmt: on

OVERSAMPLING = 4


@lru_cache(maxsize=512)
def icon_mask(name: str, size: int) -> Image.Image:
    """The icon as an "L" mask of size x size pixels. KeyError for an unknown name."""
    scale = size * OVERSAMPLING / 24
    image = Image.new("L", (size * OVERSAMPLING, size * OVERSAMPLING), 0)
    draw = ImageDraw.Draw(image)
    for kind, numbers in ICONS.get(name) or THINGS[name]:
        _draw_shape(draw, kind.lstrip("-"), [n * scale for n in numbers], 0 if kind.startswith("-") else 255, numbers)
    return image.resize((size, size), Image.Resampling.BOX)


def _draw_shape(draw: ImageDraw.ImageDraw, kind: str, n: list[float], ink: int, raw: tuple[float, ...]) -> None:
    if kind == "line":
        points = list(zip(n[:-1:2], n[1::2], strict=False))
        draw.line(points, fill=ink, width=max(1, round(n[-1])), joint="curve")
        for x, y in (points[0], points[-1]):
            draw.ellipse((x - n[-1] / 2, y - n[-1] / 2, x + n[-1] / 2, y + n[-1] / 2), fill=ink)
    elif kind == "dot":
        draw.ellipse((n[0] - n[2], n[1] - n[2], n[0] + n[2], n[1] + n[2]), fill=ink)
    elif kind == "ring":
        r = n[2] + n[3] / 2
        draw.ellipse((n[0] - r, n[1] - r, n[0] + r, n[1] + r), outline=ink, width=max(1, round(n[3])))
    elif kind == "poly":
        draw.polygon(list(zip(n[::2], n[1::2], strict=True)), fill=ink)
    elif kind == "box":
        draw.rounded_rectangle(n[:4], radius=n[4], fill=ink)
    elif kind == "frame":
        draw.rounded_rectangle(n[:4], radius=n[4], outline=ink, width=max(1, round(n[5])))
    elif kind == "arc":
        r = n[2] + n[5] / 2
        draw.arc((n[0] - r, n[1] - r, n[0] + r, n[1] + r), raw[3], raw[4], fill=ink, width=max(1, round(n[5])))
    else:
        raise ValueError(f"unknown icon shape {kind!r}")

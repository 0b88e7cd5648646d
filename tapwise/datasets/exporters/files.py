"""Screenshots as files beside what names them."""

from __future__ import annotations

import hashlib
from pathlib import Path

from tapwise.records import Screenshot

_SUFFIXES = {"png": "png", "jpeg": "jpg"}


def save_picture(screenshot: Screenshot, folder: Path) -> str:
    """Write a screenshot under the digest of its bytes, once; returns its path relative to `folder`."""
    name = f"images/{hashlib.sha256(screenshot.data).hexdigest()[:32]}.{_SUFFIXES[screenshot.format]}"
    path = folder / name
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(screenshot.data)
    return name

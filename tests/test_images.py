"""Pixels to screenshots and back."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pytest
from numpy.typing import NDArray

from tapwise.images import decode, decode_at_least, decode_image, encode
from tapwise.records import Screenshot, Size


@pytest.fixture
def pixels() -> NDArray[np.uint8]:
    """A screen of flat areas with sharp edges."""
    picture = np.full((1200, 540, 3), 250, dtype=np.uint8)
    picture[100:300, 40:500] = (26, 115, 232)
    picture[600:610] = 0
    return picture


def test_png_is_exact(pixels: NDArray[np.uint8]) -> None:
    shot = encode(pixels, "png")
    assert shot.format == "png"
    assert shot.size == Size(1200, 540)
    assert np.array_equal(decode(shot), pixels)


def test_jpeg_is_close_and_smaller(pixels: NDArray[np.uint8]) -> None:
    shot = encode(pixels)
    assert shot.format == "jpeg"
    assert len(shot.data) < pixels.nbytes // 20
    assert np.abs(decode(shot).astype(int) - pixels).mean() < 1.0


@pytest.mark.parametrize("image_format", ["png", "jpeg"])
@pytest.mark.parametrize("wanted", [1, 1000, 80_000, 10**9])
def test_a_smaller_decoding_keeps_enough_pixels(
    pixels: NDArray[np.uint8], image_format: Literal["png", "jpeg"], wanted: int
) -> None:
    image = decode_at_least(encode(pixels, image_format), wanted)
    assert image.mode == "RGB"
    assert image.width * image.height >= min(wanted, 540 * 1200)
    assert image.width / image.height == pytest.approx(540 / 1200, rel=0.02)


def test_a_jpeg_is_decoded_small_when_little_is_wanted(pixels: NDArray[np.uint8]) -> None:
    assert decode_at_least(encode(pixels), 80_000).width < 540


@pytest.mark.parametrize("image_format", ["png", "jpeg"])
@pytest.mark.parametrize("keep", [0, 10, 200])
def test_what_is_no_picture_is_a_value_error(
    pixels: NDArray[np.uint8], image_format: Literal["png", "jpeg"], keep: int
) -> None:
    torn = Screenshot(encode(pixels, image_format).data[:keep], image_format, Size(1200, 540))
    for read in (decode, decode_image, lambda shot: decode_at_least(shot, 100)):
        with pytest.raises(ValueError, match=f"{keep} bytes is not a readable picture"):
            read(torn)

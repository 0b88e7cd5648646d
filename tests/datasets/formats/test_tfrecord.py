from __future__ import annotations

import contextlib
import gzip
import struct
import zlib
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapwise.datasets.formats import crc32c as checksums
from tapwise.datasets.formats.example import read_example, write_example
from tapwise.datasets.formats.tfrecord import Record, frame, masked_crc, read_records, write_records
from tapwise.errors import (
    DataError,
    MissingFeature,
    TruncatedShard,
    WrongChecksum,
    WrongLength,
    WrongText,
    WrongValue,
)

PAYLOADS = [b"first", b"second" * 100, b"third"]


def read(path: Path) -> list[bytes | type[DataError]]:
    return [item.data if isinstance(item, Record) else type(item) for item in read_records(path)]


@pytest.fixture
def shard(tmp_path: Path) -> Path:
    path = tmp_path / "shard"
    write_records(path, PAYLOADS, "none")
    return path


def damage(path: Path, place: int, octet: int = 0xFF) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= octet
    path.write_bytes(data)


# --- checksums -------------------------------------------------------------------------------------------


def test_numbers_of_the_standard() -> None:
    assert checksums.crc32c(b"123456789") == 3808858755
    assert checksums.crc32c_numpy(b"123456789") == 3808858755
    assert checksums.crc32c_numpy(bytes(32)) == 0x8A9136AA  # RFC 3720, B.4
    assert checksums.crc32c_numpy(b"\xff" * 32) == 0x62A8AB43
    assert checksums.crc32c_numpy(bytes(range(32))) == 0x46DD794E
    assert masked_crc(b"abc") == 569464686
    assert frame(b"abc").hex() == "0300000000000000b099490e6162636e57f121"


def test_golden_framing(golden: dict[str, Any]) -> None:
    example = golden["tfrecord.framing"]
    payload, expected = example["inputs"]["payload_utf8"].encode(), example["expected"]
    assert checksums.crc32c(b"123456789") == expected["crc32c_123456789"]
    assert masked_crc(payload) == expected["masked_crc_of_payload"]
    assert frame(payload).hex() == expected["record_hex"]


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 511, 512, 1025, 40_001])
def test_lanes_agree_with_the_plain_loop(size: int) -> None:
    data = np.random.default_rng(size).integers(0, 256, size, np.uint8).tobytes()
    assert checksums.crc32c_numpy(data) == checksums._plain(list(data))
    assert checksums.crc32c_numpy(memoryview(data)) == checksums.crc32c(data)


# --- frames ----------------------------------------------------------------------------------------------


@given(payloads=st.lists(st.binary(max_size=400), max_size=5), compression=st.sampled_from(["gzip", "none"]))
def test_round_trip(
    tmp_path_factory: pytest.TempPathFactory, payloads: list[bytes], compression: Literal["gzip", "none"]
) -> None:
    path = tmp_path_factory.mktemp("shard") / "shard"
    assert write_records(path, payloads, compression) == len(payloads)
    assert read(path) == payloads


def test_gzip_of_several_members_and_padding(tmp_path: Path) -> None:
    path = tmp_path / "shard"
    path.write_bytes(b"".join(gzip.compress(frame(one)) for one in PAYLOADS) + bytes(100))
    assert read(path) == PAYLOADS


def test_large_records_cross_the_pieces_of_the_file(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    payloads = [rng.integers(0, 256, 700_000, np.uint8).tobytes(), bytes(3_000_000), b"end"]
    for compression in ("gzip", "none"):
        write_records(tmp_path / "shard", payloads, compression)  # type: ignore[arg-type]
        assert read(tmp_path / "shard") == payloads


def test_same_records_give_the_same_file(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_records(tmp_path / name, PAYLOADS)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_damaged_payload_loses_one_record(shard: Path) -> None:
    damage(shard, len(frame(PAYLOADS[0])) + 20)
    assert read(shard) == [PAYLOADS[0], WrongChecksum, PAYLOADS[2]]


def test_damaged_checksum_loses_one_record(shard: Path) -> None:
    damage(shard, len(frame(PAYLOADS[0])) - 1)
    assert read(shard) == [WrongChecksum, *PAYLOADS[1:]]


def test_damaged_length_loses_the_rest_and_says_so(shard: Path) -> None:
    damage(shard, len(frame(PAYLOADS[0])))
    items = list(read_records(shard))
    assert [type(item) for item in items] == [Record, WrongLength]
    assert str(shard) in str(items[1])
    assert "record 1" in str(items[1])
    assert "rest of the file is lost" in str(items[1])


def test_absurd_length_is_not_allocated(tmp_path: Path) -> None:
    length = struct.pack("<Q", 2**40)
    path = tmp_path / "shard"
    path.write_bytes(frame(b"one") + length + struct.pack("<I", masked_crc(length)))
    assert read(path) == [b"one", WrongLength]


@pytest.mark.parametrize("kept", range(1, len(frame(b"third"))))
def test_truncated_anywhere_in_a_record(shard: Path, kept: int) -> None:
    whole = shard.read_bytes()
    shard.write_bytes(whole[: len(whole) - len(frame(b"third")) + kept])
    assert read(shard) == [*PAYLOADS[:2], TruncatedShard]


def test_truncated_gzip(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    payloads = [rng.integers(0, 256, 10_000, np.uint8).tobytes() for _ in range(3)]
    path = tmp_path / "shard"
    write_records(path, payloads)
    path.write_bytes(path.read_bytes()[:15_000])
    assert read(path) == [payloads[0], TruncatedShard]


def test_broken_gzip(tmp_path: Path) -> None:
    path = tmp_path / "shard"
    write_records(path, PAYLOADS)
    damage(path, 12)
    assert read(path)[-1] is TruncatedShard or read(path)[-1] in (WrongLength, WrongChecksum)
    path.write_bytes(b"\x1f\x8b\x08" + b"not deflated at all")
    assert read(path) == [TruncatedShard]


def test_no_file_and_no_tfrecord(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        list(read_records(tmp_path / "absent"))
    path = tmp_path / "text"
    path.write_text("this is certainly no TFRecord", encoding="utf-8")
    (item,) = read_records(path)
    assert isinstance(item, WrongLength)
    assert "no TFRecord" in str(item)


# --- tf.Example ------------------------------------------------------------------------------------------

VALUES = st.one_of(
    st.lists(st.binary(max_size=50), min_size=1, max_size=4),
    st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=4),
    st.lists(st.floats(width=32, allow_nan=False), min_size=1, max_size=4).map(lambda one: np.array(one, np.float32)),
)


@given(features=st.dictionaries(st.text(max_size=10), VALUES, max_size=4), packed=st.booleans())
def test_example_round_trip(
    features: dict[str, list[bytes] | list[int] | np.ndarray[tuple[int], np.dtype[np.float32]]], packed: bool
) -> None:
    example = read_example(write_example(features, packed=packed), "here")
    assert set(example.features) == set(features)
    for name, values in features.items():
        if isinstance(values, np.ndarray):
            assert example.floats(name).tolist() == values.tolist()
        elif isinstance(values[0], int):
            assert example.integers(name) == values
        else:
            assert [bytes(blob) for blob in example.blobs(name)] == values


def test_bytes_as_tensorflow_writes_them() -> None:
    """Feature "a" = int64 [5], written by hand after the .proto files."""
    inner = b"\x0a\x01a" + b"\x12\x05" + b"\x1a\x03" + b"\x0a\x01\x05"
    assert write_example({"a": [5]}) == b"\x0a" + bytes([len(inner) + 2]) + b"\x0a" + bytes([len(inner)]) + inner
    assert read_example(write_example({"a": [5]}), "").integer("a") == 5


def test_example_errors_name_place_and_feature() -> None:
    example = read_example(write_example({"goal": [b"caf\xe9"], "n": [1]}), "shard-3, record 7")
    with pytest.raises(MissingFeature, match=r"shard-3, record 7: feature 'episode_id' is missing"):
        example.text("episode_id")
    with pytest.raises(WrongText, match="byte 3 is 0xe9"):
        example.text("goal")
    with pytest.raises(WrongValue, match="holds no integers"):
        example.integer("goal")
    with pytest.raises(WrongValue, match="expected bytes"):
        example.blob("n")
    with pytest.raises(WrongValue, match="no floats"):
        example.floats("n")
    assert example.text("absent", "instead") == "instead"
    assert example.integer("absent", 3) == 3
    assert example.identifier("n") == "1"


@given(data=st.binary(max_size=60))
def test_any_bytes_give_an_example_or_a_data_error(data: bytes) -> None:
    with contextlib.suppress(DataError):
        read_example(data, "here")


def test_payloads_are_views() -> None:
    data = write_example({"image": [zlib.compress(b"x") * 10]})
    blob = read_example(data, "").blob("image")
    assert isinstance(blob, memoryview)
    assert blob.obj is data

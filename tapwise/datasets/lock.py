"""The lock that lets one process at a time write a store."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from tapwise.errors import StoreError


def take_lock(folder: Path) -> int:
    """Make the folder where needed and lock it; returns the handle that holds the lock until it is closed.

    The kernel gives the lock back when the process dies, however it dies. Raises StoreError when another process
    holds it, or the folder cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise StoreError(f"store {folder} cannot be opened ({error.strerror}): check the folder's rights") from error
    try:
        lock_file(
            handle, f'store {folder} is being written elsewhere: close it there, or open it here with mode="read"'
        )
    except StoreError:
        os.close(handle)
        raise
    return handle


def lock_file(handle: int, refusal: str) -> None:
    """Lock an open file until it is closed. Raises StoreError with the words of `refusal` when another process did."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise StoreError(refusal) from None

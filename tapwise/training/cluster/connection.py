"""Coming to a Ray cluster and leaving it."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tapwise.errors import ConfigError, FarmError

LOCAL = "local"
_OBJECT_STORE_BYTES = 200 << 20


def import_ray() -> Any:
    """The package. Raises ConfigError with the way to get it."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ImportError:
        raise ConfigError("farm.ray needs the ray package: pip install 'tapwise[ray]'") from None
    return ray


@contextmanager
def connected(address: str) -> Iterator[None]:
    """Connected to the cluster at `address`: "auto" for the one that runs on this machine, "host:port" for another's,
    "local" for one of this machine alone that lives as long as the context.

    Raises FarmError when there is none.
    """
    ray = import_ray()
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR", "namespace": f"tapwise-{os.getpid()}"}
    folder = None
    if address == LOCAL:
        folder = tempfile.mkdtemp(prefix="tw")  # short: sockets lie in it, whose paths are limited
        quiet |= {
            "include_dashboard": False,
            "object_store_memory": _OBJECT_STORE_BYTES,
            "num_cpus": 1,
            "_temp_dir": folder,
        }
    try:
        ray.init(address=address, **quiet)
    except (ConnectionError, RuntimeError, ValueError, TimeoutError) as error:
        raise FarmError(
            f"no Ray cluster at {address!r} ({str(error).splitlines()[0]}): start one with `ray start --head`, and"
            " give farm.ray its address"
        ) from error
    try:
        yield
    finally:
        ray.shutdown()
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)

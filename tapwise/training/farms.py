"""The composition root of devices: where a recipe's farm becomes objects. Loads no model library."""

from __future__ import annotations

from tapwise.emulators.backends.appium import AppiumBackend
from tapwise.emulators.backends.avd import AvdBackend, AvdSettings
from tapwise.emulators.backends.base import Backend
from tapwise.emulators.backends.docker import DockerBackend, DockerSettings
from tapwise.emulators.backends.in_process import InProcessBackend
from tapwise.emulators.backends.remote import RemoteBackend
from tapwise.emulators.backends.virtual import VirtualBackend
from tapwise.emulators.farm import Farm
from tapwise.emulators.virtual.noise import Noise
from tapwise.training.recipes import FarmConfig


def make_farm(config: FarmConfig, seed: int = 0) -> Farm:
    """A farm of the recipe's devices."""
    noise = Noise.parse(config.noise)
    backend: Backend
    if config.backend == "virtual":
        backend = VirtualBackend(config.pixels(), seed, noise, config.transport, reads_back=config.reads_back())
    elif config.backend == "in_process":
        backend = InProcessBackend(config.pixels(), seed, noise)
    elif config.backend == "avd":
        settings = AvdSettings(
            config.avd, config.emulator, config.snapshot, grpc=config.grpc, reads_back=config.reads_back()
        )
        backend = AvdBackend(settings, config.transport)
    elif config.backend == "docker":
        containers = DockerSettings(config.image, options=config.container_options, reads_back=config.reads_back())
        backend = DockerBackend(containers, config.transport)
    elif config.backend == "appium":
        backend = AppiumBackend(config.addresses)
    else:
        backend = RemoteBackend(
            config.addresses, config.transport, reads_back=config.reads_back(), grpc_addresses=config.grpc_addresses
        )
    return Farm(backend, config.devices)

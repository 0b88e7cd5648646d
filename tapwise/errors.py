"""Every error that tapwise raises on purpose.

TapwiseError
├── ConfigError            a recipe, option or argument is wrong: the user mends it
├── DeviceError            the phone or the way to it failed (boundary "device")
│   ├── DeviceTimeout      it did not answer within the deadline
│   ├── DeviceLost         the connection ended or the device is gone
│   └── CommandFailed      a shell command ended with a non-zero exit status
├── FarmError              no device can be had (boot failed, budget spent, closed)
├── EnvError               the environment was used wrongly or a task cannot be set up
├── PolicyError            the policy could not decide (boundary "policy")
├── JudgeError             the judge could not be asked (boundary "judge")
├── ModelError             a model folder or its weights cannot be used
├── StoreError             a trajectory store cannot be read or written
├── DataError              a foreign file, or one record of it, cannot be imported
│   ├── TruncatedShard     the file ends within a record, or its compression is broken
│   ├── WrongLength        the length in front of a record is damaged or absurd
│   ├── WrongChecksum      the bytes of a record do not fit their checksum
│   ├── MissingFeature     a record lacks a field that an episode needs
│   ├── WrongText          text is not UTF-8
│   └── WrongValue         a field holds what it must not hold
└── CheckpointError        a checkpoint cannot be read or does not fit the run

Each message names the thing, the place and the fix.
"""

from __future__ import annotations


class TapwiseError(Exception):
    """Base of all deliberate errors; the command line prints it without a traceback."""


class ConfigError(TapwiseError):
    """A recipe, option or argument is wrong."""


class DeviceError(TapwiseError):
    """The phone, or the way to it, failed."""


class DeviceTimeout(DeviceError):
    """The device did not answer within the deadline."""


class DeviceLost(DeviceError):
    """The connection to the device ended."""


class CommandFailed(DeviceError):
    """A shell command on the device ended with a non-zero exit status."""

    def __init__(self, command: str, exit_code: int, output: str) -> None:
        super().__init__(f"device command {command!r} ended with status {exit_code}: {output.strip()[:400]}")
        self.command = command
        self.exit_code = exit_code
        self.output = output


class FarmError(TapwiseError):
    """No device can be had from the farm."""


class EnvError(TapwiseError):
    """The environment was used wrongly, or a task cannot be set up."""


class PolicyError(TapwiseError):
    """The policy could not decide."""


class JudgeError(TapwiseError):
    """The judge could not be asked, or its answers cannot be used."""


class ModelError(TapwiseError):
    """A model folder or its weights cannot be used."""


class StoreError(TapwiseError):
    """A trajectory store cannot be read or written."""


class CheckpointError(TapwiseError):
    """A checkpoint cannot be read, or does not fit the run."""


class DataError(TapwiseError):
    """A foreign file, or one record of it, cannot be imported."""


class TruncatedShard(DataError):
    """A file ends within a record, or its compression is broken."""


class WrongLength(DataError):
    """The length in front of a record is damaged or absurd."""


class WrongChecksum(DataError):
    """The bytes of a record do not fit their checksum."""


class MissingFeature(DataError):
    """A record lacks a field that an episode needs."""


class WrongText(DataError):
    """Text is not UTF-8."""


class WrongValue(DataError):
    """A field holds what it must not hold."""

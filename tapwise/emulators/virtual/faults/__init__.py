"""What goes wrong with real phones and farms, on demand: `FaultSpec` says what and when, `Switchboard` decides."""

from tapwise.emulators.virtual.faults.spec import KINDS, FaultSpec
from tapwise.emulators.virtual.faults.switchboard import Firing, Switchboard

__all__ = ["KINDS", "FaultSpec", "Firing", "Switchboard"]

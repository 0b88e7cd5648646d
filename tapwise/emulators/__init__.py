"""Devices and the farm: ADB, phones real and virtual, and their supervision.

Public names live in their modules:

- `tapwise.emulators.farm`: `Farm` lends supervised devices.
- `tapwise.emulators.farm_status`: `DeviceStatus`, `State`, `FarmLimits`.
- `tapwise.emulators.backends`: where phones come from (`virtual`, `remote`, `in_process`).
- `tapwise.emulators.device`: `AdbDevice`, a phone behind any ADB transport.
- `tapwise.emulators.adb`: the wire format and the transports.
- `tapwise.emulators.virtual`: the virtual phone.
"""

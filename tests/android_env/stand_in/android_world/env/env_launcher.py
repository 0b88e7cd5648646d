import dataclasses
import subprocess

import numpy as np


@dataclasses.dataclass(frozen=True)
class State:
    pixels: np.ndarray
    forest: object = None
    ui_elements: tuple = ()


class Env:
    def __init__(self, console_port, adb_path):
        self._adb = [adb_path, "-s", f"127.0.0.1:{console_port + 1}"]
        subprocess.run([adb_path, "connect", self._adb[2]], check=True, capture_output=True, timeout=30)
        self.interaction_cache = ""
        self.resets = 0

    def shell(self, command):
        done = subprocess.run([*self._adb, "shell", command], check=True, capture_output=True, text=True, timeout=30)
        return done.stdout

    @property
    def controller(self):
        return self

    def get_state(self, wait_to_stabilize=False):
        raw = subprocess.run([*self._adb, "exec-out", "screencap"], check=True, capture_output=True, timeout=30).stdout
        width, height = (int(side) for side in np.frombuffer(raw[:8], "<u4"))
        pixels = np.frombuffer(raw[-width * height * 4 :], np.uint8).reshape(height, width, 4)[..., :3]
        return State(pixels)

    def reset(self, go_home=False):
        self.resets += 1
        self.interaction_cache = ""
        if go_home:
            self.shell("input keyevent KEYCODE_HOME")

    def close(self):
        subprocess.run([self._adb[0], "disconnect", self._adb[2]], capture_output=True, timeout=30, check=False)


def load_and_setup_env(console_port=5554, emulator_setup=False, freeze_datetime=True, adb_path="adb", grpc_port=8554):
    if grpc_port != console_port + 3000:
        raise ValueError(f"no gRPC on port {grpc_port}")
    return Env(console_port, adb_path)

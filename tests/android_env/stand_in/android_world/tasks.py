import os
import random


class TaskEval:
    app_names = ("settings",)
    complexity = 0.4
    start_on_home_screen = True
    template = ""

    def __init__(self, params):
        self.params = params
        self.initialized = False

    @property
    def name(self):
        return type(self).__name__

    @property
    def goal(self):
        return self.template.format(**self.params)

    @classmethod
    def generate_random_params(cls):
        return {}

    def initialize_task(self, env):
        if self.initialized:
            raise RuntimeError("initialize_task was called a second time before tear_down")
        self.initialized = True

    def is_successful(self, env):
        if not self.initialized:
            raise RuntimeError("initialize_task was not called")
        return 0.0

    def tear_down(self, env):
        self.initialized = False


class TurnWifiOff(TaskEval):
    template = "Turn wifi off."

    def initialize_task(self, env):
        super().initialize_task(env)
        env.shell("svc wifi enable")

    def is_successful(self, env):
        super().is_successful(env)
        return 1.0 if env.shell("settings get global wifi_on").strip() == "0" else 0.0


class CountFiles(TaskEval):
    app_names = ("files",)
    template = "How many files are in {folder}?"
    start_on_home_screen = False

    @classmethod
    def generate_random_params(cls):
        return {"folder": random.choice(("Movies", "Music", "Podcasts")), "count": random.randint(2, 5)}

    def initialize_task(self, env):
        super().initialize_task(env)
        env.shell(f"rm -rf /sdcard/{self.params['folder']}; mkdir -p /sdcard/{self.params['folder']}")
        for number in range(self.params["count"]):
            env.shell(f"echo {number} > /sdcard/{self.params['folder']}/{number}.txt")

    def is_successful(self, env):
        super().is_successful(env)
        return 1.0 if env.interaction_cache == str(self.params["count"]) else 0.0

    def tear_down(self, env):
        super().tear_down(env)
        env.shell(f"rm -rf /sdcard/{self.params['folder']}")


class Breaks(TaskEval):
    template = "Break."

    def is_successful(self, env):
        if os.environ.get("STAND_IN_DIES"):
            os._exit(3)
        raise RuntimeError("no such table: things")

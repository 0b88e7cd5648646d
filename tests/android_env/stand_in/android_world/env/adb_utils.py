"""AndroidWorld's helpers by name, over the stand-in's own shell."""


def issue_generic_request(command, env):
    env.shell(command.removeprefix("shell "))


def generate_swipe_command(start_x, start_y, end_x, end_y, duration_ms=None):
    return f"shell input swipe {start_x} {start_y} {end_x} {end_y} {duration_ms or ''}".strip()


def tap_screen(x, y, env):
    env.shell(f"input tap {x} {y}")


def long_press(x, y, env):
    env.shell(f"input swipe {x} {y} {x} {y} 1000")


def type_text(text, env, timeout_sec=None):
    env.shell(f"input text '{text.replace(' ', '%s')}'")


def press_back_button(env):
    env.shell("input keyevent KEYCODE_BACK")


def press_home_button(env):
    env.shell("input keyevent KEYCODE_HOME")


def press_enter_button(env):
    env.shell("input keyevent KEYCODE_ENTER")


def launch_app(name, env):
    package = {"settings": "com.android.settings", "browser": "com.android.chrome"}[name]
    env.shell(f"am start {package}")

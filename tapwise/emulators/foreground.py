"""Finding the foreground activity in what `dumpsys` prints."""

from __future__ import annotations

import re

COMMANDS = (
    "dumpsys window | grep -e mCurrentFocus -e mFocusedApp",
    "dumpsys activity activities | grep -e ResumedActivity",
)
"""Asked in this order until one names an activity."""

_COMPONENT = re.compile(
    r"(?:mCurrentFocus=Window|mFocusedApp=\S*|(?:top|m)?ResumedActivity[=:]\s*ActivityRecord)\{.*?\bu\d+ "
    r"(?P<package>[A-Za-z][\w.]*)/(?P<activity>[\w.$]+)"
)


def find_foreground(text: str) -> str | None:
    """The first "package/activity" named, with the activity's package left out where it repeats.

    System windows such as the notification shade name no activity; the focused app below them is then found.
    """
    match = _COMPONENT.search(text)
    return None if match is None else short_component(match["package"], match["activity"])


def short_component(package: str, activity: str) -> str:
    """ "com.a/com.a.Main" is written "com.a/.Main"."""
    return f"{package}/{activity.removeprefix(package) if activity.startswith(package + '.') else activity}"

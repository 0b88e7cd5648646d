"""Tasks in Calendar: new events, moving and deleting them, and questions about them."""

from __future__ import annotations

from collections.abc import Sequence

from tapwise.android_env import rows
from tapwise.android_env.screen import Screen
from tapwise.android_env.tasks import Params, Shell, Template
from tapwise.android_env.templates import records
from tapwise.android_env.templates.records import Kind, capital, later, spoken
from tapwise.android_env.templates.script import BACK, has_parent_page, inside, open_app
from tapwise.records import Action, Finish

KIND = Kind(
    "calendar",
    "com.simplemobiletools.calendar.pro",
    "content://com.simplemobiletools.calendar.pro/events",
    "event",
    usual=(("day", later(0).isoformat()), ("hour", 10), ("location", ""), ("description", "")),
)
NOTES, NOTES_PACKAGE = "content://com.google.android.keep/notes", "com.google.android.keep"

TITLES = ("concert", "interview", "picnic", "swimming", "theatre", "workshop")
PLACES = ("station", "harbour", "museum", "garden")
TEXTS = ("bring snacks", "wear boots", "call first", "take umbrella")
HOURS = ("7", "8", "11", "12")
MINUTES = ("15", "30", "45")
LENGTHS = ("30", "45", "90", "120")
DAYS = ("1", "2", "3", "4")
NOTE_TITLES = ("Reminder", "Next week", "Idea")

_title = records.typed("title", "Title", "title")
_place = records.typed("location", "Location", "place")
_text = records.typed("description", "Description", "text")
_hour = records.stepped("Starts", lambda params: int(params["hour"]), records.hour_of)
_time = records.picked("Starts", lambda params: f"{params['hour']}:{params['minute']}")
_length = records.picked("Lasts", lambda params: f"{params['length']} minutes")
_day = records.stepped("Day", lambda params: int(params["days"]), records.day_of)


def _absent(params: Params) -> Sequence[str]:
    return KIND.absent(params["title"])


def _present(params: Params) -> Sequence[str]:
    return KIND.present(params["title"])


def _two(params: Params) -> Sequence[str]:
    """The event that is asked for, beside another one on the same day."""
    other = next(title for title in TITLES if title != params["title"])
    place = PLACES[TITLES.index(params["title"]) % len(PLACES)]
    asked = {
        "title": capital(params["title"]),
        "hour": 7 + TITLES.index(params["title"]),
        "location": place.capitalize(),
    }
    return KIND.only(asked, {"title": capital(other), "hour": 18})


def _several(params: Params) -> Sequence[str]:
    """Events on the day that is asked for: between one and four, the first of them at eight."""
    day, count = later(int(params["days"])).isoformat(), 1 + int(params["days"]) % 4
    events: list[dict[str, str | int]] = [
        {"title": capital(title), "day": day, "hour": 8 + 3 * number} for number, title in enumerate(TITLES[:count])
    ]
    return KIND.only(*reversed(events), {"title": "Dinner"})


def _added(shell: Shell, params: Params) -> bool:
    return KIND.added(
        shell,
        title=params["title"],
        location=params.get("place", ""),
        description=params.get("text", ""),
        hour=params.get("hour", "9"),
        day=later(int(params.get("days", "0"))).isoformat(),
        minute=params.get("minute", "0"),
        length=params.get("length", "60"),
    )


def _set_up_note(params: Params) -> Sequence[str]:
    note = rows.insert(NOTES, title=params["note"], body=capital(params["title"]), pinned=0)
    return [rows.delete(NOTES, f"title='{params['note']}'"), note, *KIND.absent(params["title"])]


def _from_note(screen: Screen, params: Params) -> Action:
    """Read the note, then make the event that it names."""
    if not any(params["title"] in text.casefold() for step in screen.history for text in _texts(step.observation)):
        action = open_app(screen, "notes", NOTES_PACKAGE)
        if action is not None:
            return action
        return BACK if has_parent_page(screen) else screen.tap(params["note"])
    return inside("calendar", KIND.package, records.adding(KIND, "title", [_title]))(screen, params)


def _texts(observation: object) -> Sequence[str]:
    ui = getattr(observation, "ui", None)
    if ui is None or ui.package != NOTES_PACKAGE:
        return ()
    return [node.text for node in ui.walk()]


def _on_day(screen: Screen, params: Params) -> Action | None:
    """Choose the day in the month."""
    if has_parent_page(screen):
        return BACK
    wanted = spoken(later(int(params["days"])))
    if screen.tapped(wanted) or screen.tapped(f"{wanted}, events"):
        return None
    cell = next(node for node in screen.nodes if node.description.lower().split(",")[0] == wanted)
    return screen.tap(cell.description)


def _events_shown(screen: Screen) -> list[str]:
    found = []
    for node in screen.nodes:
        texts = [inner.text for inner in node.walk() if inner.text]
        if node.clickable and len(texts) == 2 and texts[1].split(",")[0].endswith(":00"):
            found.append(texts[0])
    return found


def _count(screen: Screen, params: Params) -> Action:
    return _on_day(screen, params) or Finish("success", str(len(_events_shown(screen))))


def _first(screen: Screen, params: Params) -> Action:
    return _on_day(screen, params) or Finish("success", _events_shown(screen)[0])


def _true_count(shell: Shell, params: Params) -> str:
    return str(len(rows.query(shell, KIND.uri, f"day='{later(int(params['days'])).isoformat()}'")))


def _true_first(shell: Shell, params: Params) -> str:
    found = rows.query(shell, KIND.uri, f"day='{later(int(params['days'])).isoformat()}'")
    return min(found, key=lambda row: int(row["hour"]))["title"]


def _true_start(shell: Shell, params: Params) -> str:
    return f"{KIND.row(shell, params['title'])['hour']}:00"


def _true_place(shell: Shell, params: Params) -> str:
    return KIND.row(shell, params["title"])["location"]


def _has_moved(screen: Screen, params: Params) -> bool:
    return records.detail(screen, "Day") == spoken(later(int(params["days"])))


def _time_cells(params: Params) -> Sequence[str]:
    return (f"{params['hour']} o'clock", f"{params['minute']} minutes past")


def _length_cells(params: Params) -> Sequence[str]:
    return (params["length"],)


_T = {"title": TITLES}
_NEW = ("add {title} to my calendar", "create an event called {title} for today")

TEMPLATES: tuple[Template, ...] = tuple(
    Template(
        name=f"calendar.{name}",
        suite="office",
        app="calendar",
        instructions=instructions,
        params=params,
        max_steps=steps,
        level=level,
        setup=set_up,
        check=check,
        expert=act if name == "from_note" else inside("calendar", KIND.package, act),
        answer=answer,
        impossible=name.startswith("no_"),
        other_apps=("notes",) if name == "from_note" else (),
    )
    for level, steps, name, instructions, params, set_up, check, act, answer in (
        (2, 14, "new", _NEW, _T, _absent, _added, records.adding(KIND, "title", [_title]), None),
        (
            3, 16, "new_place",
            ("add {title} at the {place} to my calendar", "create the event {title}, location {place}"),
            {**_T, "place": PLACES}, _absent, _added, records.adding(KIND, "title", [_title, _place]), None,
        ),
        (
            3, 16, "new_text", ("add {title} to my calendar, with description {text}",),
            {**_T, "text": TEXTS}, _absent, _added, records.adding(KIND, "title", [_title, _text]), None,
        ),
        (
            3, 18, "new_hour",
            ("create an event {title} at {hour}:00 today", "put {title} into my calendar at {hour}:00"),
            {**_T, "hour": HOURS}, _absent, _added, records.adding(KIND, "title", [_title, _hour]), None,
        ),
        (
            4, 20, "new_time",
            ("create an event {title} at {hour}:{minute} today", "today at {hour}:{minute} I have {title}, note it"),
            {**_T, "hour": HOURS, "minute": MINUTES}, _absent, _added,
            records.at_pickers(records.adding(KIND, "title", [_title, _time]), _time_cells), None,
        ),
        (
            3, 18, "new_length",
            ("add {title} to my calendar for today, it lasts {length} minutes",
             "create the event {title} of {length} minutes"),
            {**_T, "length": LENGTHS}, _absent, _added,
            records.at_pickers(records.adding(KIND, "title", [_title, _length]), _length_cells), None,
        ),
        (
            3, 16, "set_length", ("{title} lasts {length} minutes, change it", "make {title} {length} minutes long"),
            {**_T, "length": LENGTHS}, _present,
            lambda shell, params: KIND.changed(shell, params["title"], length=params["length"]),
            records.at_pickers(
                records.editing(
                    KIND, "title", _length, lambda s, p: records.detail(s, "Lasts") == f"{p['length']} minutes"
                ),
                _length_cells,
            ),
            None,
        ),
        (
            3, 18, "new_day",
            ("create the event {title} {days} days from today", "in {days} days I have {title}, note it"),
            {**_T, "days": DAYS}, _absent, _added, records.adding(KIND, "title", [_title, _day]), None,
        ),
        (
            4, 24, "new_all", ("schedule {title} at the {place}, {days} days from today at {hour}:00",),
            {**_T, "place": PLACES[:2], "days": DAYS[:2], "hour": HOURS[:2]}, _absent, _added,
            records.adding(KIND, "title", [_title, _place, _day, _hour]), None,
        ),
        (
            2, 12, "delete", ("delete the event {title}", "cancel {title} in my calendar"), _T, _present,
            lambda shell, params: KIND.removed(shell, params["title"]), records.deleting("title"), None,
        ),
        (
            3, 16, "move_hour", ("move {title} to {hour}:00", "{title} now starts at {hour}:00, change it"),
            {**_T, "hour": HOURS}, _present,
            lambda shell, params: KIND.changed(shell, params["title"], hour=params["hour"]),
            records.editing(KIND, "title", _hour, lambda s, p: records.detail(s, "Starts") == f"{p['hour']}:00"), None,
        ),
        (
            3, 18, "postpone", ("postpone {title} by {days} days", "move {title} to {days} days later"),
            {**_T, "days": DAYS}, _present,
            lambda shell, params: KIND.changed(shell, params["title"], day=later(int(params["days"])).isoformat()),
            records.editing(KIND, "title", _day, _has_moved), None,
        ),
        (
            3, 14, "add_place", ("{title} is at the {place}, add that", "set the location of {title} to {place}"),
            {**_T, "place": PLACES}, _present,
            lambda shell, params: KIND.changed(shell, params["title"], location=params["place"]),
            records.editing(KIND, "title", _place, lambda s, p: records.detail(s, "Location") == p["place"]), None,
        ),
        (
            3, 14, "add_text", ("write {text} into the description of {title}",), {**_T, "text": TEXTS}, _present,
            lambda shell, params: KIND.changed(shell, params["title"], description=params["text"]),
            records.editing(KIND, "title", _text, lambda s, p: records.detail(s, "Description") == p["text"]), None,
        ),
        (
            2, 10, "when", ("at what time does {title} start today", "when is {title}"), _T, _two, KIND.untouched,
            records.telling("title", "Starts"), _true_start,
        ),
        (
            2, 10, "where", ("where is {title} today", "what is the location of {title}"), _T, _two, KIND.untouched,
            records.telling("title", "Location"), _true_place,
        ),
        (
            3, 10, "count", ("how many events are in my calendar {days} days from today",
                             "in {days} days, how many events do I have"),
            {"days": DAYS}, _several, KIND.untouched, _count, _true_count,
        ),
        (
            4, 10, "first",
            ("what is the first event {days} days from today", "which event comes first in {days} days"),
            {"days": DAYS}, _several, KIND.untouched, _first, _true_first,
        ),
        (
            3, 10, "no_delete", ("cancel today's event {title} in the calendar app", "remove {title} from today"), _T,
            _absent, KIND.untouched, records.looking_in_vain, None,
        ),
        (
            5, 22, "from_note", ("add the event that the note {note} names to my calendar, for today",
                                 "read the note {note} and create an event of that name"),
            {"note": NOTE_TITLES, "title": TITLES[:3]}, _set_up_note, _added, _from_note, None,
        ),
    )
)  # fmt: skip

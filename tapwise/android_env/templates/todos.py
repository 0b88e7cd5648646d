"""Tasks in Tasks, the app of things to do."""

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
    "tasks",
    "org.tasks",
    "content://org.tasks/tasks",
    "task",
    usual=(("due", later(0).isoformat()), ("priority", "Medium"), ("notes", ""), ("done", 0)),
)
MESSAGES, MESSAGES_PACKAGE = "content://sms", "com.google.android.apps.messaging"
THREADS = "content://mms-sms/conversations"

TITLES = ("sew curtain", "paint fence", "wash car", "bake bread", "sort photos", "mow lawn")
NOTES = ("use blue thread", "ask Emma", "before noon", "take your time")
PRIORITIES = ("Low", "High")
DAYS = ("1", "2", "3", "4")
SENDERS = ("Olivia", "Peter", "Rita")

_title = records.typed("title", "Title", "title")
_notes = records.typed("notes", "Notes", "notes")
_priority = records.chosen("Priority", "priority")
_due = records.stepped("Due", lambda params: int(params["days"]), records.day_of)


def _absent(params: Params) -> Sequence[str]:
    return KIND.absent(params["title"])


def _present(params: Params) -> Sequence[str]:
    return KIND.present(params["title"])


def _done(params: Params) -> Sequence[str]:
    return KIND.present(params["title"], done=1)


def _list(params: Params) -> Sequence[str]:
    """The task that is asked for, among others, some of which are done."""
    number = TITLES.index(params["title"])
    return KIND.only(
        *(
            {
                "title": capital(title),
                "priority": ("Low", "Medium", "High")[(number + place) % 3],
                "due": later(1 + (number + 2 * place) % 5).isoformat(),
                "done": int(place % 3 == 2),
            }
            for place, title in enumerate(TITLES[number:] + TITLES[:number])
            if place <= 2 + number % 3
        )
    )


def _added(shell: Shell, params: Params) -> bool:
    return KIND.added(
        shell,
        title=params["title"],
        notes=params.get("notes", ""),
        priority=params.get("priority", "Medium"),
        due=later(int(params.get("days", "0"))).isoformat(),
    )


def _complete(screen: Screen, params: Params) -> Action:
    """Mark it on the list."""
    if has_parent_page(screen):
        return BACK
    label = f"complete {params['title']}"
    mark = next((node for node in screen.nodes if node.description.lower() == label), None)
    if mark is None:
        return screen.swipe_up()
    return Finish() if mark.checked else screen.tap(mark)


def _open_rows(screen: Screen) -> list[bool]:
    return [node.checked for node in screen.nodes if node.description.startswith("Complete ")]


def _count(screen: Screen, params: Params) -> Action:
    return BACK if has_parent_page(screen) else Finish("success", str(_open_rows(screen).count(False)))


def _true_count(shell: Shell, params: Params) -> str:
    return str(len(rows.query(shell, KIND.uri, "done=0")))


def _true_priority(shell: Shell, params: Params) -> str:
    return KIND.row(shell, params["title"])["priority"]


def _next(screen: Screen, params: Params) -> Action:
    """The first one on the list, which is in the order of the days."""
    if has_parent_page(screen):
        return BACK
    first = next(node for node in screen.nodes if node.description.startswith("Complete ") and not node.checked)
    return Finish("success", first.description.removeprefix("Complete "))


def _true_next(shell: Shell, params: Params) -> str:
    return min(rows.query(shell, KIND.uri, "done=0"), key=lambda row: (row["due"], int(row["_id"])))["title"]


def _set_up_message(params: Params) -> Sequence[str]:
    sender = params["sender"]
    return [
        rows.delete(THREADS, f"recipient='{sender}'"),
        rows.delete(MESSAGES, f"address='{sender}'"),
        rows.insert(THREADS, recipient=sender, pinned=1, read=0),
        rows.insert(MESSAGES, address=sender, body=capital(params["title"]), type=1),
        *KIND.absent(params["title"]),
    ]


def _from_message(screen: Screen, params: Params) -> Action:
    """Read the message, then make the task that it asks for."""
    trees = [step.observation.ui for step in screen.history if step.observation.ui is not None]
    seen = any(
        node.text.casefold() == params["title"] for ui in trees if ui.package == MESSAGES_PACKAGE for node in ui.walk()
    )
    if not seen and not (screen.package == MESSAGES_PACKAGE and screen.has(params["title"])):
        action = open_app(screen, "messages", MESSAGES_PACKAGE)
        if action is not None:
            return action
        return BACK if has_parent_page(screen) else screen.tap(params["sender"])
    return inside("tasks", KIND.package, records.adding(KIND, "title", [_title]))(screen, params)


_T = {"title": TITLES}

TEMPLATES: tuple[Template, ...] = tuple(
    Template(
        name=f"tasks.{name}",
        suite="office",
        app="tasks",
        instructions=instructions,
        params=params,
        max_steps=steps,
        level=level,
        setup=set_up,
        check=check,
        expert=act if name == "from_message" else inside("tasks", KIND.package, act),
        answer=answer,
        impossible=name.startswith("no_"),
        other_apps=("messages",) if name == "from_message" else (),
    )
    for level, steps, name, instructions, params, set_up, check, act, answer in (
        (
            2, 14, "new", ("add a task to {title}", "remind me to {title} in the tasks app"), _T, _absent, _added,
            records.adding(KIND, "title", [_title]), None,
        ),
        (
            3, 16, "new_notes", ("add a task {title} with the notes {notes}", "new task: {title}, notes: {notes}"),
            {**_T, "notes": NOTES}, _absent, _added, records.adding(KIND, "title", [_title, _notes]), None,
        ),
        (
            3, 16, "new_priority", ("add a task {title} with priority {priority}",), {**_T, "priority": PRIORITIES},
            _absent, _added, records.adding(KIND, "title", [_title, _priority]), None,
        ),
        (
            3, 18, "new_due", ("add a task {title} due in {days} days",), {**_T, "days": DAYS}, _absent, _added,
            records.adding(KIND, "title", [_title, _due]), None,
        ),
        (
            4, 24, "new_all", ("add the task {title}, due in {days} days, priority {priority}, notes {notes}",),
            {**_T, "days": DAYS[:2], "priority": PRIORITIES, "notes": NOTES[:2]}, _absent, _added,
            records.adding(KIND, "title", [_title, _notes, _due, _priority]), None,
        ),
        (
            1, 10, "complete", ("mark the task {title} as done", "i have done {title}, tick it off"), _T, _present,
            lambda shell, params: KIND.changed(shell, params["title"], done="1"), _complete, None,
        ),
        (
            2, 12, "reopen", ("the task {title} is not done after all, reopen it", "reopen {title}"), _T, _done,
            lambda shell, params: KIND.changed(shell, params["title"], done="0"),
            records.pressing("title", "reopen"), None,
        ),
        (
            2, 12, "delete", ("delete the task {title}", "remove {title} from my tasks"), _T, _present,
            lambda shell, params: KIND.removed(shell, params["title"]), records.deleting("title"), None,
        ),
        (
            3, 14, "set_priority", ("set the priority of {title} to {priority}",), {**_T, "priority": PRIORITIES},
            _present, lambda shell, params: KIND.changed(shell, params["title"], priority=params["priority"]),
            records.editing(
                KIND, "title", _priority, lambda s, p: records.detail(s, "Priority") == p["priority"].lower()
            ),
            None,
        ),
        (
            3, 14, "add_notes", ("add the notes {notes} to the task {title}",), {**_T, "notes": NOTES}, _present,
            lambda shell, params: KIND.changed(shell, params["title"], notes=params["notes"]),
            records.editing(
                KIND, "title", _notes, lambda s, p: records.detail(s, "Notes") == p["notes"].lower()
            ),
            None,
        ),
        (
            3, 18, "postpone", ("make {title} due {days} days later", "postpone the task {title} by {days} days"),
            {**_T, "days": DAYS}, _present,
            lambda shell, params: KIND.changed(shell, params["title"], due=later(int(params["days"])).isoformat()),
            records.editing(
                KIND, "title", _due, lambda s, p: records.detail(s, "Due") == spoken(later(int(p["days"])))
            ),
            None,
        ),
        (
            2, 10, "priority", ("which priority does the task {title} have", "how important is the task {title}"), _T,
            _list, KIND.untouched, records.telling("title", "Priority"), _true_priority,
        ),
        (
            3, 10, "count", ("how many tasks are still open, {title} among them",
                             "count my open tasks, such as {title}"),
            _T, _list, KIND.untouched, _count, _true_count,
        ),
        (
            3, 10, "next", ("which open task is due first, {title} or another one",
                            "what do i have to do first, {title} or something else"),
            _T, _list, KIND.untouched, _next, _true_next,
        ),
        (
            3, 10, "no_complete", ("tick off the task {title} in the tasks app", "the task {title} is done, mark it"),
            _T, _absent, KIND.untouched, records.looking_in_vain, None,
        ),
        (
            5, 24, "from_message", ("{sender} has sent me a message: add what it says as a task",
                                    "make a task of the message from {sender}"),
            {"sender": SENDERS, "title": TITLES[:3]}, _set_up_message, _added, _from_message, None,
        ),
    )
)  # fmt: skip

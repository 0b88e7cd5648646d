"""Tasks in Phone: calls by number, from the log, and questions about it."""

from __future__ import annotations

from collections.abc import Sequence

from tapwise.android_env import rows
from tapwise.android_env.screen import Screen
from tapwise.android_env.tasks import Params, Shell, Template
from tapwise.android_env.templates.script import BACK, has_parent_page, inside, is_asking, row_texts
from tapwise.records import Action, Finish

PACKAGE = "com.google.android.dialer"
CALLS = f"content://{PACKAGE}/calls"
NUMBERS = ("5550142", "5550178", "5550111", "5550199", "5550123", "5550165")
KINDS = ("Incoming", "Outgoing", "Missed")


def _set_up(params: Params) -> Sequence[str]:
    """A log with the number that is asked for, and some others."""
    place = NUMBERS.index(params["number"])
    inserts = [
        rows.insert(
            CALLS,
            number=number,
            kind=KINDS[(place + n) % 3],
            seconds=0 if (place + n) % 3 == 2 else 40 + 60 * (place + n),
        )
        for n, number in enumerate(NUMBERS[place:] + NUMBERS[:place])
        if n < 3 + place % 3
    ]
    return [f"pm clear {PACKAGE}", rows.delete(CALLS, "_id > 0"), *inserts, rows.remember(CALLS)]


def _without(params: Params) -> Sequence[str]:
    return [*_set_up(params)[:-1], rows.delete(CALLS, f"number='{params['number']}'"), rows.remember(CALLS)]


def _called(shell: Shell, params: Params) -> bool:
    found = rows.changes(shell, CALLS)
    return found.count == len(found.added) == 1 and found.added[0]["number"] == params["number"]


def _deleted(shell: Shell, params: Params) -> bool:
    found = rows.changes(shell, CALLS)
    return found.count == len(found.removed) == 1 and found.removed[0]["number"] == params["number"]


def _unchanged(shell: Shell, params: Params) -> bool:
    return rows.changes(shell, CALLS).count == 0


def _dial(screen: Screen, params: Params) -> Action:
    if screen.has("end call"):
        return Finish()
    if has_parent_page(screen):
        return BACK
    if not any(node.text == "Keypad" for node in screen.nodes):
        return screen.tap("keypad")
    typed = next((text for text in screen.texts if len(text) > 1 and text.isdecimal()), "")
    single = [node for node in screen.nodes if node.text.isdecimal() and not node.clickable]
    shown = typed or (single[0].text if single else "")
    if shown == params["number"]:
        return screen.tap("call")
    if not params["number"].startswith(shown):
        return screen.tap("erase")
    key = next(node for node in screen.nodes if node.clickable and node.text == params["number"][len(shown)])
    return screen.tap(key)


def _on_log(screen: Screen) -> Action | None:
    if screen.has("end call"):
        return screen.tap("end call")
    if has_parent_page(screen):
        return BACK
    return None if any(node.text == "Recent calls" for node in screen.nodes) else screen.tap("recent calls")


def _on_entry(screen: Screen, params: Params) -> Action | None:
    if has_parent_page(screen) and screen.has("call back") and screen.has(params["number"]):
        return None
    return _on_log(screen) or screen.tap(params["number"])


def _call_back(screen: Screen, params: Params) -> Action:
    if screen.has("end call"):
        return Finish()
    return _on_entry(screen, params) or screen.tap("call back")


def _delete(screen: Screen, params: Params) -> Action:
    if is_asking(screen):
        return screen.tap("delete") if screen.has(f"delete {params['number']}") else screen.tap("cancel")
    if not has_parent_page(screen) and screen.tapped("delete"):
        return Finish()
    return _on_entry(screen, params) or screen.tap("delete")


def _kind(screen: Screen, params: Params) -> Action:
    action = _on_log(screen)
    if action is not None:
        return action
    texts = row_texts(screen, params["number"])
    return Finish("success", next(kind for kind in KINDS for text in texts if text.startswith(kind.lower())))


def _true_kind(shell: Shell, params: Params) -> str:
    return rows.query(shell, CALLS, f"number='{params['number']}'")[0]["kind"]


def _missed(screen: Screen, params: Params) -> Action:
    return _on_log(screen) or Finish("success", str(sum(node.text == "Missed" for node in screen.nodes)))


def _true_missed(shell: Shell, params: Params) -> str:
    return str(len(rows.query(shell, CALLS, "kind='Missed'")))


def _in_vain(screen: Screen, params: Params) -> Action:
    return _on_log(screen) or Finish("impossible")


_N = {"number": NUMBERS}

TEMPLATES: tuple[Template, ...] = tuple(
    Template(
        name=f"phone.{name}",
        suite="media",
        app="phone",
        instructions=instructions,
        params=_N,
        max_steps=steps,
        level=level,
        setup=set_up,
        check=check,
        expert=inside("phone", PACKAGE, act),
        answer=answer,
        impossible=name.startswith("no_"),
    )
    for level, steps, name, instructions, set_up, check, act, answer in (
        (3, 20, "dial", ("call the number {number}", "dial {number}"), _set_up, _called, _dial, None),
        (
            2, 10, "call_back", ("call {number} back from the list of recent calls", "return the call of {number}"),
            _set_up, _called, _call_back, None,
        ),
        (
            2, 12, "delete", ("delete the call of {number} from the log", "remove {number} from my recent calls"),
            _set_up, _deleted, _delete, None,
        ),
        (
            2, 8, "kind", ("was the call of {number} incoming, outgoing or missed", "what kind of call was {number}"),
            _set_up, _unchanged, _kind, _true_kind,
        ),
        (
            2, 8, "missed",
            ("how many calls have i missed, {number} or others", "count my missed calls, {number} or not"),
            _set_up, _unchanged, _missed, _true_missed,
        ),
        (
            2, 10, "no_delete", ("erase the call of {number} from the log", "take {number} off the recent calls"),
            _without, _unchanged, _in_vain, None,
        ),
    )
)  # fmt: skip

"""What requests for permissions, heads-up notifications, walls and failed loads look like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from tapwise.emulators.virtual.app import Ui
from tapwise.emulators.virtual.state import Entry, HeadsUp, Permission
from tapwise.emulators.virtual.ui import theme as themes
from tapwise.emulators.virtual.ui.canvas import Box, Canvas
from tapwise.emulators.virtual.ui.page import Dialog, Page
from tapwise.emulators.virtual.ui.views import (
    Button,
    Column,
    Handler,
    Icon,
    ListItem,
    Metrics,
    Plate,
    Row,
    Space,
    Text,
    View,
)

if TYPE_CHECKING:
    from tapwise.emulators.virtual.phone import VirtualPhone

HEADS_UP_ID = "heads_up"
ANSWERS = (
    ("While using the app", "permission_allow_foreground_only_button", True),
    ("Only this time", "permission_allow_one_time_button", False),
    ("Don't allow", "permission_deny_button", True),
)
"""label, id, and whether the answer is for good"""
PLAIN_ANSWERS = (("Allow", "permission_allow_button", True), ANSWERS[2])
GREY = (95, 99, 104)


def permission_dialog(phone: VirtualPhone, asked: Permission) -> Dialog:
    """The permission controller's question, its answers one below the other."""
    theme = phone.theme()
    app = phone.apps[asked.package]
    tint = themes.mix(theme.background, theme.accent, 0.16)

    def button(label: str, name: str, for_good: bool) -> View:
        answer = partial(phone.intrusions.answer, for_good=for_good)
        return Button(label=label, id=name, colour=tint, ink=theme.text, size=20, on_tap=answer)

    question = Text(
        value=f"Allow {app.label} to {asked.what}?", size=22, align="center", wrap=True, id="permission_message"
    )
    head = Column(children=[Space(size=6), Icon(name=app.icon, colour=theme.accent, size=30), Space(size=8), question])
    answers = [button(*answer) for answer in (ANSWERS if asked.graded else PLAIN_ANSWERS)]
    return Dialog(title="", head=head, body=[Space(size=10), *answers], id="grant_dialog")


@dataclass(kw_only=True)
class _Floating(Plate):
    """A plate with a thin outline, which lifts it off whatever is below."""

    def paint(self, canvas: Canvas, box: Box, m: Metrics) -> None:
        canvas.rounded(box, m.theme.outline, m.px(self.radius))
        line = max(1.0, m.px(1.2))
        inside = (box[0] + line, box[1] + line, box[2] - line, box[3] - line)
        canvas.rounded(inside, m.theme.surface, m.px(self.radius) - line)


def heads_up_card(phone: VirtualPhone, shown: HeadsUp) -> View:
    """A notification that has just come in, to be laid over the top of the screen."""
    app = phone.apps.get(shown.posted.package)
    row = ListItem(
        title=shown.posted.title,
        subtitle=shown.posted.text,
        icon=app.icon if app else "bell",
        plate=app.colour if app else GREY,
    )
    return _Floating(child=row, radius=24, children_padding=9, id=HEADS_UP_ID, on_tap=phone.intrusions.open)


def covered(phone: VirtualPhone, page: Page, entry: Entry, ui: Ui) -> Page:
    """A page as it is shown: behind a wall, or not there, it keeps its toolbar and no more."""
    if not entry.failed and not entry.walled:
        return page
    app = phone.apps[phone.state.foreground]
    host = app.host_of(entry.route) or app.label
    if entry.failed:
        body = _failure(host, phone.handler(partial(phone.intrusions.retry, entry)))
    else:
        body = _wall(host, ui, partial(phone.intrusions.pass_wall, entry))
    return Page(title=page.title, toolbar=page.toolbar, on_back=page.on_back, body=body)


def _inset(view: View) -> View:
    return Row(children=[Space(size=1), view, Space(size=1)], weights=[0.07, 0.86, 0.07])


def _said(value: str) -> View:
    return _inset(Text(value=value, size=20, muted=True, align="center", wrap=True))


def _failure(host: str, retry: Handler) -> Sequence[View]:
    return [
        Space(size=110),
        Icon(name="globe", size=72, colour=(150, 155, 162)),
        Space(size=26),
        Text(value="Could not load this page", align="center"),
        Space(size=10),
        _said(f"{host} did not answer. Check your connection and try again."),
        Space(size=26),
        Row(
            children=[Space(size=1), Button(label="Retry", icon="refresh", id="retry", on_tap=retry), Space(size=1)],
            weights=[0.26, 0.48, 0.26],
        ),
    ]


def _wall(host: str, ui: Ui, go_on: Handler) -> Sequence[View]:
    def log_in() -> None:
        ui.focus(None)
        known = ui.field("wall_user") and ui.field("wall_password")
        ui.set_field("wall_refused", "Wrong user name or password" if known else "Enter your user name and password")

    password = ui.text_field("wall_password", "Password", icon="lock", on_submit=lambda _: log_in())
    password.secret = True
    refused = ui.field("wall_refused")
    return [
        Space(size=40),
        Icon(name="person", size=64, plate=GREY),
        Space(size=18),
        Text(value=f"Log in to {host}", size=themes.TITLE_DP, align="center"),
        Space(size=8),
        _said("Log in or create a free account to keep browsing."),
        Space(size=18),
        _inset(ui.text_field("wall_user", "User name or email", icon="person")),
        _inset(password),
        _inset(Text(value=refused, size=18, colour=(198, 40, 40))) if refused else Space(size=24),
        _inset(Button(label="Log in", on_tap=log_in)),
        _inset(Button(label="Not now", flat=True, id="not_now", on_tap=go_on)),
    ]

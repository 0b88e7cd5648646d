"""Signing in: who may, who is, and the wall in front of pages that are not for everybody."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from tapwise.emulators.virtual.app import RecordTable, Table, Ui
from tapwise.emulators.virtual.ui.views import Button, Space, Text, View
from tapwise.emulators.virtual.web.site import caption, inset

NAMES = ("alice", "bruno", "clara", "denis", "elena", "felix")
SECRETS = ("maple", "river", "comet", "piano", "amber", "tiger")
REFUSED = "Wrong user name or password"


@dataclass
class Account:
    """Somebody who may sign in; the password is kept in the clear, as this shop exists nowhere else."""

    id: int
    name: str
    password: str


@dataclass
class Session:
    """Somebody who is signed in."""

    id: int
    name: str


@dataclass
class Accounts:
    """All accounts of a site, and at most one session."""

    known: list[Account]
    sessions: list[Session]

    @property
    def user(self) -> str:
        """Who is signed in, empty when nobody is."""
        return self.sessions[0].name if self.sessions else ""

    def sign_in(self, name: str, password: str) -> bool:
        """Open a session; False for a name or password that is not known. Names have no case, passwords do."""
        found = next((one for one in self.known if one.name.casefold() == name.strip().casefold()), None)
        if found is None or found.password != password:
            return False
        self.sessions[:] = [Session(1, found.name)]
        return True

    def tables(self, root: str) -> dict[str, Table]:
        """Content URIs below `root`."""
        return {
            f"{root}/accounts": RecordTable(self.known, Account, {"_id": "id", "name": "name", "password": "password"}),
            f"{root}/sessions": RecordTable(self.sessions, Session, {"_id": "id", "name": "name"}),
        }


def draw_accounts(rng: random.Random) -> Accounts:
    """Two accounts, and nobody signed in."""
    pairs = zip(rng.sample(NAMES, 2), rng.sample(SECRETS, 2), strict=True)
    return Accounts([Account(number, name, password) for number, (name, password) in enumerate(pairs, 1)], [])


def sign_in_form(ui: Ui, accounts: Accounts) -> Sequence[View]:
    """Fields for user name and password; the page that asked for them is shown once they are right."""

    def submit() -> None:
        ui.focus(None)
        right = accounts.sign_in(ui.field("user"), ui.field("password"))
        ui.set_field("refused", "" if right else REFUSED)
        if not right:
            ui.set_field("password", "")

    password = ui.text_field("password", "Password", icon="lock", on_submit=lambda _: submit())
    password.secret = True
    refused = ui.field("refused")
    said = inset(Text(value=refused, size=20, colour=(198, 40, 40), id="refused")) if refused else Space(size=26)
    return [
        caption("Please sign in to go on"),
        inset(ui.text_field("user", "User name", icon="person")),
        inset(password),
        said,
        Space(size=8),
        inset(Button(label="Sign in", on_tap=submit)),
    ]

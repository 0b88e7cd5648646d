"""The scripted expert: a policy that plays each template's own script, and deals with what gets in its way."""

from __future__ import annotations

from collections.abc import Sequence

from tapwise.android_env.interruptions import way_out
from tapwise.android_env.screen import Screen
from tapwise.android_env.tasks import Suite
from tapwise.errors import EnvError, PolicyError
from tapwise.records import Action, Context, Decision, Wait

LOADING_ID = "loading"
"""End of the resource id of the sign that a page is still loading."""


class ScriptedExpert:
    """Plays the script of each context's template; needs observations with an accessibility tree."""

    def __init__(self, suite: Suite, wait_s: float = 1.0) -> None:
        self._suite = suite
        self._wait_s = wait_s

    @property
    def name(self) -> str:
        return "scripted-expert"

    @property
    def version(self) -> int:
        return 0

    def act(self, contexts: Sequence[Context]) -> list[Decision]:
        """One decision per context, without generated text. Raises PolicyError when a script is at a loss."""
        return [Decision(self._action(context), text="") for context in contexts]

    def _action(self, context: Context) -> Action:
        try:
            screen = Screen.of(context)
            return self._disturbance(screen) or self._script(screen, context)
        except (EnvError, LookupError, StopIteration, ValueError) as error:  # the last three: nothing of what it seeks
            reason = str(error) or type(error).__name__
            raise PolicyError(f"the expert cannot go on with {context.task.id!r}: {reason}") from error

    def _disturbance(self, screen: Screen) -> Action | None:
        action = way_out(screen)
        if action is not None:
            return action
        return Wait(self._wait_s) if screen.find_id(LOADING_ID) is not None else None

    def _script(self, screen: Screen, context: Context) -> Action:
        return self._suite.template_of(context.task).expert(screen, dict(context.task.params))

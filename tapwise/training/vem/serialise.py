"""The one way in which a step (task, history, screenshot, action) is shown: to labellers, to the critic and, through
its prompt, to the policy.

The released code of VEM has one way for labels and another at policy time: histories that are off by one, so that the
first step shows the expert's future, (x, y) here and (y, x) there, vertical swipes that are called horizontal. Here
there is nothing to disagree: whoever values an action makes a `SerialisedStep` of a `Context`, which holds the steps
before it and none after, and of an `Action`, whose coordinates have a name.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image, ImageDraw

from tapwise import images
from tapwise.agent.action_text import ActionText, short_text
from tapwise.agent.json_codec import JsonCodec
from tapwise.matching import match_actions
from tapwise.records import Action, Context, LongPress, Point, Screenshot, Swipe, Tap, Trajectory
from tapwise.training.transitions import step_context

MARK_RADIUS = 0.037
"""radius of the disc at a touch, in widths of the screen: the released code's 20 pixels at a width of 540"""
MARK_COLOUR = (255, 0, 0)


@dataclass(frozen=True, slots=True)
class SerialisedStep:
    """A state and an action in it, as everybody who values the action sees them.

    `context` is the state with the unmarked screenshot; `action` is the action's text.
    """

    context: Context
    act: Action
    action: str

    @property
    def goal(self) -> str:
        """The instruction."""
        return self.context.task.instruction

    @property
    def history(self) -> tuple[str, ...]:
        """Texts of the actions before this one, oldest first, in the words of the policy's own prompt."""
        return tuple(short_text(step.decision.action) for step in self.context.history)

    @property
    def key(self) -> bytes:
        """A hash of all that is shown: equal keys, equal steps."""
        shot = self.context.observation.screenshot.data
        return digest([self.goal.encode(), *(text.encode() for text in self.history), self.action.encode(), shot])

    def marked_screenshot(self) -> Screenshot:
        """The screenshot with the touch drawn on it."""
        return mark(self.context.observation.screenshot, self.act)

    def marked_context(self) -> Context:
        """The context with the marked screenshot in the place of the plain one."""
        observation = replace(self.context.observation, screenshot=self.marked_screenshot())
        return replace(self.context, observation=observation)


def serialise(context: Context, action: Action, form: ActionText) -> SerialisedStep:
    """A state and an action in it, the action written in `form`, or in full where the form has no words for it."""
    return SerialisedStep(context, action, action_words(action, form, context))


def serialise_step(trajectory: Trajectory, index: int, form: ActionText) -> SerialisedStep:
    """Step `index` of a trajectory with its own action. Raises ValueError when there is no such step."""
    if not 0 <= index < len(trajectory.steps):
        raise ValueError(
            f"trajectory {trajectory.id!r} has no step {index}: it has {len(trajectory.steps)}, counted from 0"
        )
    return serialise(step_context(trajectory, index), trajectory.steps[index].decision.action, form)


def action_words(action: Action, form: ActionText, context: Context) -> str:
    """The text of an action. It always reads back as the same act: what `form` cannot say, such as a sideways swipe or
    an answer in the grid form, is written in full, as the members of its JSON object."""
    try:
        text = form.format(action)
        same = match_actions(form.parse(text), action, context.observation).same
    except ValueError:
        same = False
    # Without braces and with spaces, so that a small vocabulary has tokens for it.
    return text if same else json.dumps(json.loads(JsonCodec().format(action)), ensure_ascii=False)[1:-1]


def read_action(text: str, form: ActionText) -> Action:
    """The action that `action_words` wrote. Raises ValueError when it is one of neither form."""
    if text.startswith('"action_type"'):
        return JsonCodec().parse(f"{{{text}}}")
    return form.parse(text)


def mark(screenshot: Screenshot, action: Action) -> Screenshot:
    """The screenshot with a disc where the action touches it; a swipe has a line from its start to a disc at its end.

    Other actions leave it as it is. Raises ValueError when the screenshot is no readable picture.
    """
    path: tuple[Point, ...]
    match action:
        case Tap(at=at) | LongPress(at=at):
            path = (at,)
        case Swipe(start=start, end=end):
            path = (start, end)
        case _:
            return screenshot
    picture = images.decode_image(screenshot)
    _draw(picture, path)
    return images.encode(np.asarray(picture), screenshot.format)


def _draw(picture: Image.Image, path: tuple[Point, ...]) -> None:
    radius = max(2.0, MARK_RADIUS * picture.width)
    places = [(point.x * picture.width, point.y * picture.height) for point in path]
    canvas = ImageDraw.Draw(picture)
    if len(places) > 1:
        canvas.line(places, fill=MARK_COLOUR, width=max(1, round(radius / 2)))
    x, y = places[-1]
    canvas.ellipse((x - radius, y - radius, x + radius, y + radius), fill=MARK_COLOUR)


def digest(parts: Iterable[bytes]) -> bytes:
    """A hash of a sequence of byte strings, none of which can be taken for part of its neighbour."""
    found = hashlib.blake2b(digest_size=16)
    for part in parts:
        found.update(len(part).to_bytes(8, "big"))
        found.update(part)
    return found.digest()

"""What a scripted expert sees: one observation with the history before it, and the words to act on it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tapwise.android_env.button_names import OTHER_BUTTON_NAMES
from tapwise.errors import EnvError
from tapwise.records import (
    Action,
    Context,
    LongPress,
    Observation,
    Point,
    Size,
    Step,
    Swipe,
    Tap,
    TypeText,
    UiNode,
)

_SWIPE_FAR = 0.7
_SWIPE_NEAR = 0.3


class Screen:
    """Read-only view of an observation that carries an accessibility tree.

    `size` is the frame of the tree's bounds in pixels; it defaults to the screenshot's size.
    Raises EnvError when the observation has no tree.
    """

    def __init__(self, observation: Observation, history: Sequence[Step] = (), size: Size | None = None) -> None:
        if observation.ui is None:
            raise EnvError(
                f"the screen of {observation.activity} came without an accessibility tree, which scripted experts"
                " read: create the environment with EnvSettings(with_tree=True)"
            )
        self.root: UiNode = observation.ui
        self.observation = observation
        self.size = size or observation.screenshot.size
        self.history = tuple(history)

    @classmethod
    def of(cls, context: Context) -> Screen:
        """The screen that a policy's context shows."""
        return cls(context.observation, context.history)

    # --- where we are ---

    @property
    def activity(self) -> str:
        """The foreground as "package/activity"."""
        return self.observation.activity

    @property
    def package(self) -> str:
        """The package of the foreground activity."""
        return self.activity.partition("/")[0]

    @property
    def nodes(self) -> Iterator[UiNode]:
        """Every node that covers at least one pixel, parents first."""
        return (node for node in self.root.walk() if _visible(node))

    @property
    def texts(self) -> tuple[str, ...]:
        """The labels on the screen, in the order of the tree."""
        return tuple(node.label for node in self.nodes if node.label)

    # --- looking for things ---

    def find(self, label: str, exact: bool = True, clickable: bool | None = None) -> UiNode | None:
        """The first node whose text or description is `label` (holds it, when not `exact`), whatever its case.

        `clickable` True asks for a node that answers a touch, itself or through a node around it; False for one
        that does not; None takes either. Where nothing has this very name, a button that has it in another version of
        the app will do.
        """
        wanted = label.casefold()
        found = self._find(wanted, exact, clickable)
        if found is None and exact and clickable is not False:
            others = OTHER_BUTTON_NAMES.get(wanted, ())
            buttons = (node for node in self.nodes if node.class_name.endswith("Button"))
            found = next((node for node in buttons if node.label.casefold() in others), None)
        return found

    def _find(self, wanted: str, exact: bool, clickable: bool | None) -> UiNode | None:
        for node, touchable in _with_touch(self.root, False):
            if clickable is not None and touchable is not clickable:
                continue
            if _visible(node) and any(
                wanted == text if exact else wanted in text
                for text in (node.text.casefold(), node.description.casefold())
                if text
            ):
                return node
        return None

    def find_id(self, suffix: str) -> UiNode | None:
        """The first node whose resource id ends with `suffix`."""
        return next((node for node in self.nodes if node.resource_id.endswith(suffix)), None)

    def has(self, label: str, exact: bool = True) -> bool:
        """Whether `label` is on the screen."""
        return self.find(label, exact) is not None

    # --- acting on them ---

    def tap(self, target: str | UiNode) -> Tap:
        """A touch on the middle of the node, named after its label in lower case.

        Raises EnvError when a label is not on the screen.
        """
        node = self._resolve(target)
        return Tap(self.point(node), target=_name(node, target))

    def long_press(self, target: str | UiNode) -> LongPress:
        """A long touch on the middle of the node; like `tap` otherwise."""
        node = self._resolve(target)
        return LongPress(self.point(node), target=_name(node, target))

    def point(self, node: UiNode) -> Point:
        """The middle of a node as a point of the unit square."""
        return Point.from_pixels(*node.centre, self.size)

    def swipe_up(self) -> Swipe:
        """The finger goes up in the middle of the screen: what lies further down comes into view."""
        return Swipe(Point(0.5, _SWIPE_FAR), Point(0.5, _SWIPE_NEAR))

    def swipe_down(self) -> Swipe:
        """The finger goes down in the middle of the screen: what lies further up comes into view."""
        return Swipe(Point(0.5, _SWIPE_NEAR), Point(0.5, _SWIPE_FAR))

    # --- text fields ---

    @property
    def field(self) -> UiNode | None:
        """The text field that has the focus."""
        return next((node for node in self.nodes if node.focused and node.class_name.endswith("EditText")), None)

    @property
    def field_focused(self) -> bool:
        """Whether typed text would go into a field."""
        return self.field is not None

    @property
    def field_text(self) -> str:
        """The text in the focused field, empty when there is none."""
        return self.field.text if self.field is not None else ""

    # --- what was done before ---

    @property
    def history_actions(self) -> tuple[Action, ...]:
        """The actions of the episode so far, oldest first."""
        return tuple(step.decision.action for step in self.history)

    def typed(self, text: str) -> bool:
        """Whether exactly this text was typed earlier in the episode."""
        return any(isinstance(action, TypeText) and action.text == text for action in self.history_actions)

    def tapped(self, label: str) -> bool:
        """Whether an earlier touch of the episode was on the thing of this name."""
        wanted = label.casefold()
        return any(isinstance(action, Tap) and action.target == wanted for action in self.history_actions)

    def _resolve(self, target: str | UiNode) -> UiNode:
        if isinstance(target, UiNode):
            return target
        node = self.find(target, clickable=True) or self.find(target)
        if node is None:
            seen = ", ".join(repr(text) for text in self.texts[:12])
            raise EnvError(
                f"there is no {target!r} on the screen of {self.activity}: look with Screen.has first; seen: {seen}"
            )
        return node


def _visible(node: UiNode) -> bool:
    left, top, right, bottom = node.bounds
    return right > left and bottom > top


def _with_touch(node: UiNode, touchable: bool) -> Iterator[tuple[UiNode, bool]]:
    touchable = touchable or node.clickable or node.long_clickable
    yield node, touchable
    for child in node.children:
        yield from _with_touch(child, touchable)


def _name(node: UiNode, target: str | UiNode) -> str | None:
    if isinstance(target, str):
        return target.lower()
    label = next((inner.label for inner in node.walk() if inner.label), "")
    return label.lower() or node.resource_id.rpartition("/")[2].lower() or None

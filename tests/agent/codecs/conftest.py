"""Actions of every kind, for codecs to write and read."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st

from tapwise.records import Action, Finish, Key, LongPress, OpenApp, Point, Press, Swipe, Tap, TypeText, Wait


@pytest.fixture(scope="session")
def any_action() -> st.SearchStrategy[Action]:
    points = st.builds(Point, x=st.floats(0, 1), y=st.floats(0, 1))
    # Codecs embed texts in JSON, calls and tags: their own marks must survive too.
    marks = st.sampled_from(
        [
            *("paris, france", "time: now", 'say "hi"', "it's", "a\\", "\\n", "a\nb", '")', "')", "', b='", "é 漢 😀"),
            *("</action>", "</answer>", "<think>x</think>", "<tool_call>", "Action: click"),
            *('"typed_text": "', '{"action": 1}', 'do(action="Back")'),
        ]
    )
    texts = st.text(max_size=20) | marks | st.tuples(marks, marks).map("".join)
    seconds = st.floats(0, 60)
    return st.one_of(
        st.builds(Tap, at=points, target=st.none() | texts),
        st.builds(LongPress, at=points, duration_s=seconds),
        st.builds(Swipe, start=points, end=points, duration_s=seconds),
        st.builds(TypeText, text=texts),
        st.builds(Press, key=st.sampled_from(Key)),
        st.builds(OpenApp, name=texts),
        st.builds(Wait, duration_s=seconds),
        st.builds(Finish, status=st.sampled_from(["success", "impossible"]), answer=st.none() | texts),
    )

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tapwise.android_env import rows

WORDS = st.text(st.characters(codec="ascii", min_codepoint=32, exclude_characters="="), max_size=12)


@given(st.lists(st.tuples(st.integers(0, 99), WORDS, WORDS), max_size=4))
def test_rows_come_back_as_they_were_printed(table: list[tuple[int, str, str]]) -> None:
    printed = "".join(f"Row: {i} _id={a}, name={b}, number={c}\n" for i, (a, b, c) in enumerate(table))
    expected = [{"_id": str(a), "name": b, "number": c} for a, b, c in table]
    assert rows.parse(printed or "No result found.\n") == expected


def test_a_value_that_looks_like_a_column_stays_a_value() -> None:
    printed = "Row: 0 _id=1, body=red, green=3, blue\nRow: 1 _id=2, body=plain\n"
    assert rows.parse(printed)[0] == {"_id": "1", "body": "red, green=3, blue"}
    assert rows.parse(printed.splitlines()[0], ("_id", "body")) == [{"_id": "1", "body": "red, green=3, blue"}]


def test_commands_are_quoted() -> None:
    assert rows.insert("content://a/b", name="Ann Lee", star=1) == (
        "content insert --uri content://a/b --bind 'name:s:Ann Lee' --bind star:i:1"
    )
    assert rows.delete("content://a/b", "name='Ann'").endswith("""--where 'name='"'"'Ann'"'"''""")


def test_changes_are_found_by_id() -> None:
    answers = {
        f"cat {rows.note_path('content://a/b')}": "Row: 0 _id=1, name=A\nRow: 1 _id=2, name=B\n",
        "content query --uri content://a/b": "Row: 0 _id=2, name=C\nRow: 1 _id=3, name=D\n",
    }
    found = rows.changes(answers.__getitem__, "content://a/b")
    assert [row["_id"] for row in found.added] == ["3"]
    assert [row["_id"] for row in found.removed] == ["1"]
    assert found.changed == (({"_id": "2", "name": "B"}, {"_id": "2", "name": "C"}),)
    assert found.count == 3

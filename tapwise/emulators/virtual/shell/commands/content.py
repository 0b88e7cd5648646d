"""`content`: rows of the apps' content providers."""

from __future__ import annotations

import re
from typing import Final

from tapwise.emulators.virtual.shell.command import CommandError, CommandTable, Invocation

Value = str | int | None
Row = dict[str, Value]

_CONDITION: Final = re.compile(
    r"\s*\(?\s*(?P<column>\w+)\s*(?P<operator>=|==|!=|<>|>=|<=|>|<|\bLIKE\b|\bIS\s+NOT\b|\bIS\b)\s*"
    r"(?P<value>'(?:[^']|'')*'|\"[^\"]*\"|-?\d+|NULL)\s*\)?\s*",
    re.IGNORECASE,
)
_JOINER: Final = re.compile(r"(AND|OR)\b", re.IGNORECASE)
_TRUE: Final = re.compile(r"\s*1\s*(=\s*1)?\s*")
_REPEATED: Final = frozenset({"--bind"})
_OPTIONS: Final = frozenset({"--uri", "--where", "--projection", "--sort", "--user", "--method", "--arg", "--extra"})


def _parse(call: Invocation) -> tuple[dict[str, str], list[str]]:
    options: dict[str, str] = {}
    bindings: list[str] = []
    rest = call.arguments[1:]
    while rest:
        name, *rest = rest
        if name not in _OPTIONS | _REPEATED or not rest:
            raise CommandError(f"[ERROR] Unsupported argument: {name}")
        value, *rest = rest
        if name in _REPEATED:
            bindings.append(value)
        else:
            options[name] = value
    if "--uri" not in options:
        raise CommandError("[ERROR] Content provider URI not specified. Did you specify --uri argument?")
    return options, bindings


def _values(bindings: list[str]) -> Row:
    """`name:type:value` bindings; types are s, i, l, b, f, d and n."""
    row: Row = {}
    for binding in bindings:
        name, _, rest = binding.partition(":")
        kind, colon, value = rest.partition(":")
        if not colon and kind != "n":
            raise CommandError(f"[ERROR] Binding not well formed: {binding}")
        if kind in ("i", "l"):
            try:
                row[name] = int(value)
            except ValueError:
                raise CommandError(f"[ERROR] Binding {binding} is no number") from None
        elif kind == "b":
            row[name] = int(value.lower() == "true")
        elif kind in ("s", "f", "d"):
            row[name] = value
        elif kind == "n":
            row[name] = None
        else:
            raise CommandError(f"[ERROR] Unsupported type: {kind}")
    return row


class Where:
    """A condition such as `address='555' AND read=0`: comparisons joined by AND and OR, AND binding closer."""

    def __init__(self, text: str) -> None:
        self._alternatives: list[list[tuple[str, str, Value]]] = [[]]
        if not text.strip() or _TRUE.fullmatch(text):
            return
        position = 0
        while True:
            match = _CONDITION.match(text, position)
            if match is None:
                raise CommandError(
                    f'[ERROR] near "{text[position:]}": only comparisons joined by AND and OR are read here'
                )
            operator = re.sub(r"\s+", " ", match["operator"].upper())
            self._alternatives[-1].append((match["column"], operator, _literal(match["value"])))
            position = match.end()
            if position == len(text):
                return
            joiner = _JOINER.match(text, position)
            if joiner is None:
                raise CommandError(f'[ERROR] near "{text[position:]}": syntax error')
            if joiner[1].upper() == "OR":
                self._alternatives.append([])
            position = joiner.end()

    def __call__(self, row: Row) -> bool:
        """Whether the row fits."""
        return any(all(_compare(row.get(name), op, value) for name, op, value in group) for group in self._alternatives)


def _literal(text: str) -> Value:
    if text.upper() == "NULL":
        return None
    return text[1:-1].replace("''", "'") if text[0] in "'\"" else int(text)


def _compare(left: Value, operator: str, right: Value) -> bool:
    if operator in ("IS", "IS NOT"):
        return (left == right) == (operator == "IS")
    if left is None or right is None:
        return False
    if operator == "LIKE":
        pattern = re.escape(str(right)).replace("%", ".*").replace("_", ".")
        return re.fullmatch(pattern, str(left), re.IGNORECASE | re.DOTALL) is not None
    low, high = (left, right) if isinstance(left, int) and isinstance(right, int) else (str(left), str(right))
    if operator in ("=", "=="):
        return low == high
    if operator in ("!=", "<>"):
        return low != high
    below = (low < high) if isinstance(low, int) and isinstance(high, int) else (str(low) < str(high))
    return {"<": below, "<=": below or low == high, ">": not below and low != high, ">=": not below}[operator]


def _sorted(rows: list[Row], order: str) -> list[Row]:
    for clause in reversed([part for part in order.split(",") if part.strip()]):
        column, *direction = clause.split()

        def key(row: Row, column: str = column) -> tuple[int, int, str]:
            value = row.get(column)
            if value is None:
                return 0, 0, ""
            return (1, value, "") if isinstance(value, int) else (2, 0, value)

        rows = sorted(rows, key=key, reverse=[word.upper() for word in direction[:1]] == ["DESC"])
    return rows


def _query(call: Invocation, options: dict[str, str]) -> None:
    where = Where(options.get("--where", ""))
    rows = _sorted([row for row in call.phone.content.query(options["--uri"]) if where(row)], options.get("--sort", ""))
    columns = options["--projection"].split(":") if "--projection" in options else None
    if not rows:
        call.out.line("No result found.")
    for number, row in enumerate(rows):
        missing = [name for name in columns or [] if name not in row]
        if missing:
            raise CommandError(
                f"Error while accessing provider\njava.lang.IllegalArgumentException: Invalid column {missing[0]}"
            )
        cells = [(name, row[name]) for name in columns or row]
        text = ", ".join(f"{name}={'NULL' if value is None else value}" for name, value in cells)
        call.out.line(f"Row: {number} {text}")


def _called(call: Invocation, uri: str, options: dict[str, str]) -> str:
    """The result of a provider's method; of the media store's, a scan of a file tells the row that it is in."""
    method, path = options.get("--method", ""), options.get("--arg", "")
    if not uri.startswith("content://media") or method not in ("scan_file", "scan_volume"):
        return "Result: null"
    path = call.phone.state.files.resolve(path.removeprefix("file://")) if path else ""
    for row in call.phone.content.query("content://media/external/file"):
        if method == "scan_file" and row["_data"] == path:
            return f"Result: Bundle[{{uri=content://media/external_primary/file/{row['_id']}}}]"
    return "Result: Bundle[{}]"


def _content(call: Invocation) -> int:
    verb = call.operand(0)
    options, bindings = _parse(call)
    uri, content = options["--uri"], call.phone.content
    try:
        match verb:
            case "query":
                _query(call, options)
            case "insert":
                content.insert(uri, _values(bindings))
            case "delete":
                content.delete(uri, Where(options.get("--where", "")))
            case "update":
                content.update(uri, _values(bindings), Where(options.get("--where", "")))
            case "call":
                call.out.line(_called(call, uri, options))
            case _:
                raise CommandError(f"[ERROR] Unsupported operation: {verb}")
    except KeyError as error:
        raise CommandError(f"[ERROR] Could not find provider: {uri} ({error.args[0]})") from None
    return 0


COMMANDS: Final[CommandTable] = {"content": _content}

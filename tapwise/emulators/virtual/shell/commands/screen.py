"""What is on the screen: screencap, uiautomator, wm."""

from __future__ import annotations

from typing import Final
from xml.sax.saxutils import quoteattr

from tapwise.emulators.virtual.shell.command import CommandError, CommandTable, Invocation
from tapwise.records import UiNode

_DEFAULT_DUMP: Final = "/sdcard/window_dump.xml"
_XML_START: Final = "<?xml version='1.0' encoding='UTF-8' standalone='yes' ?>"


def _screencap(call: Invocation) -> int:
    options, names = call.options(flags="phj", valued="d")
    as_png = "p" in options or (bool(names) and names[0].endswith(".png"))
    data = call.shell.screen.png() if as_png else call.shell.screen.raw()
    if names:
        call.phone.files.write(call.path(names[0]), bytes(data), call.phone.clock.now())
    else:
        call.out.write(data)
    return 0


def hierarchy(root: UiNode) -> str:
    """The accessibility tree as uiautomator writes it, on one line."""
    pieces = [_XML_START, '<hierarchy rotation="0">']
    _append_node(pieces, root, 0)
    pieces.append("</hierarchy>")
    return "".join(pieces)


def _append_node(pieces: list[str], node: UiNode, index: int) -> None:
    left, top, right, bottom = node.bounds
    text = "" if node.password else node.text
    unnamed = node.clickable and not any(below.label for below in node.walk())
    naf = ' NAF="true"' if unnamed else ""
    flags = (
        ("checkable", node.checkable),
        ("checked", node.checked),
        ("clickable", node.clickable),
        ("enabled", node.enabled),
        ("focusable", node.focusable),
        ("focused", node.focused),
        ("scrollable", node.scrollable),
        ("long-clickable", node.long_clickable),
        ("password", node.password),
        ("selected", node.selected),
    )
    states = " ".join(f'{name}="{"true" if value else "false"}"' for name, value in flags)
    pieces.append(
        f'<node{naf} index="{index}" text={_attribute(text)}'
        f" resource-id={_attribute(node.resource_id)} class={_attribute(node.class_name)}"
        f" package={_attribute(node.package)} content-desc={_attribute(node.description)} {states}"
        f' bounds="[{left},{top}][{right},{bottom}]"'
    )
    if not node.children:
        pieces.append(" />")
        return
    pieces.append(">")
    for number, child in enumerate(node.children):
        _append_node(pieces, child, number)
    pieces.append("</node>")


def _attribute(text: str) -> str:
    if not text:
        return '""'
    valid = "".join(
        c for c in text if c in "\t\n\r" or " " <= c <= "\ud7ff" or "\ue000" <= c <= "\ufffd" or c > "\uffff"
    )
    quoted = quoteattr(valid, {"\n": "&#10;", "\r": "&#13;", "\t": "&#9;"})
    return quoted if quoted.startswith('"') else '"' + quoted[1:-1].replace('"', "&quot;") + '"'


def _uiautomator(call: Invocation) -> int:
    if call.operand(0) != "dump":
        raise CommandError(f"uiautomator: unknown command {call.arguments[0]}; only dump exists here")
    names = [argument for argument in call.arguments[1:] if not argument.startswith("--")]
    target = names[0] if names else _DEFAULT_DUMP
    call.phone.poll()
    text = hierarchy(call.phone.tree())
    if target == "/dev/tty":
        call.out.write(text)
    else:
        call.phone.files.write(call.path(target), text.encode(), call.phone.clock.now())
    call.out.line(f"UI hierchary dumped to: {target}")  # the misspelling is Android's own, and clients look for it
    return 0


def _wm(call: Invocation) -> int:
    size = call.phone.size
    match call.operand(0), call.arguments[1:]:
        case "size", []:
            call.out.line(f"Physical size: {size.width}x{size.height}")
        case "density", []:
            call.out.line(f"Physical density: {call.phone.density}")
        case (("size" | "density"), ["reset"]):
            pass
        case (("size" | "density"), [value]):
            raise CommandError(f"wm: this phone's screen is fixed and cannot become {value}; start it with --size")
        case "dismiss-keyguard" | "user-rotation" | "fixed-to-user-rotation", _:
            pass
        case subcommand, _:
            raise CommandError(f"wm: unknown command {subcommand}", 255)
    return 0


COMMANDS: Final[CommandTable] = {"screencap": _screencap, "uiautomator": _uiautomator, "wm": _wm}

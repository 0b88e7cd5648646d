"""`tapwise tasks play`: a person tries a task, in a browser or in the terminal."""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from typing import Any

from tapwise.cli.play_session import PlaySession
from tapwise.errors import ConfigError
from tapwise.records import Action, Finish, Key, LongPress, Point, Press, Swipe, Tap, TypeText

_LARGEST_BODY = 1 << 16
_HELP = """  tap LABEL | hold LABEL | type TEXT | back | home | enter | recents | up | down
  done [ANSWER] | impossible | again | quit"""


# --- the browser -----------------------------------------------------------------------------------------


def read_action(body: Mapping[str, Any]) -> Action | None:
    """The action of a request; None for a look. Raises ConfigError for nonsense."""
    try:
        match body.get("kind"):
            case "look":
                return None
            case "tap":
                return Tap(Point(*map(float, body["at"])))
            case "long":
                return LongPress(Point(*map(float, body["at"])))
            case "swipe":
                return Swipe(Point(*map(float, body["from"])), Point(*map(float, body["to"])))
            case "type":
                return TypeText(str(body["text"]))
            case "key":
                return Press(Key(str(body["key"])))
            case "done":
                return Finish("success", str(body.get("answer") or "") or None)
            case "impossible":
                return Finish("impossible")
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(f"the action {dict(body)} cannot be read: {error}") from None
    raise ConfigError(f"there is no action of kind {body.get('kind')!r}")


def state_of(session: PlaySession) -> dict[str, Any]:
    """What the page shows."""
    verdict = session.verdict
    return {
        "instruction": session.task.instruction,
        "steps": session.steps,
        "max_steps": session.task.max_steps,
        "screen": base64.b64encode(session.observation.screenshot.data).decode(),
        "verdict": verdict.lines() if verdict else None,
        "success": verdict.success if verdict else None,
    }


def make_server(session: PlaySession, port: int) -> ThreadingHTTPServer:
    """A server on loopback for one session. Raises ConfigError when the port cannot be had."""
    page = files("tapwise.cli").joinpath("play.html").read_bytes()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._reply(200, "text/html; charset=utf-8", page) if self.path == "/" else self.send_error(404)

        def do_POST(self) -> None:
            # Another site's page cannot set this header without being asked first, which nobody answers.
            length = int(self.headers.get("Content-Length") or 0)
            if self.path != "/act" or self.headers.get("X-Tapwise") != "play" or length > _LARGEST_BODY:
                self.send_error(404)
                return
            try:
                body = json.loads(self.rfile.read(length))
                if body.get("kind") == "again":
                    session.begin()
                else:
                    action = read_action(body)
                    if action is not None:
                        session.act(action)
            except (ValueError, AttributeError, ConfigError) as error:
                self._reply(400, "application/json", json.dumps({"error": str(error)}).encode())
                return
            self._reply(200, "application/json", json.dumps(state_of(session)).encode())

        def _reply(self, status: int, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    try:
        return ThreadingHTTPServer(("127.0.0.1", port), Handler)
    except (OSError, OverflowError) as error:
        raise ConfigError(f"port {port} cannot be had ({error}): choose another one, or --port 0") from None


def play_in_browser(session: PlaySession, port: int, as_json: bool) -> int:
    """Serve the page until interrupted."""
    with make_server(session, port) as server:
        address = f"http://127.0.0.1:{server.server_address[1]}/"
        print(json.dumps({"address": address}) if as_json else f"open {address}   (Ctrl-C ends)", flush=True)
        try:
            server.serve_forever(poll_interval=0.1)
        except KeyboardInterrupt:
            return 0
    return 0


# --- the terminal ----------------------------------------------------------------------------------------


def play_in_terminal(session: PlaySession, read: Callable[[], str], write: Callable[[str], None]) -> int:
    """Ask for commands until the episode is over; gives 0 when it was solved, else 1."""
    write(f"{session.task.instruction}\n{_HELP}")
    while session.verdict is None:
        write(f"[{session.steps}/{session.task.max_steps}] {' | '.join(session.labels())}")
        words = read()
        if not words or words.strip() == "quit":
            return 1
        verb, _, rest = words.strip().partition(" ")
        if verb == "again":
            session.begin()
            continue
        action = _command(session, verb, rest.strip())
        if action is None:
            write(_HELP)
        else:
            session.act(action)
    for line in session.verdict.lines():
        write(line)
    return 0 if session.verdict.success else 1


def _command(session: PlaySession, verb: str, rest: str) -> Action | None:
    if verb in ("tap", "hold"):
        ui = session.observation.ui
        nodes = [] if ui is None else [node for node in ui.walk() if node.label.casefold() == rest.casefold()]
        if not nodes:
            return None
        at = Point.from_pixels(*nodes[0].centre, session.observation.screenshot.size)
        return Tap(at) if verb == "tap" else LongPress(at)
    plain: dict[str, Action] = {
        "up": Swipe(Point(0.5, 0.7), Point(0.5, 0.3)),
        "down": Swipe(Point(0.5, 0.3), Point(0.5, 0.7)),
        "done": Finish("success", rest or None),
        "impossible": Finish("impossible"),
        **{name: Press(Key(name)) for name in ("back", "home", "enter", "recents")},
    }
    return TypeText(rest) if verb == "type" and rest else plain.get(verb)


def terminal_reader() -> str:
    """A line of standard input, empty at its end."""
    print("> ", end="", flush=True)
    return sys.stdin.readline()

"""What all tests share: how Hypothesis behaves, the shared golden examples, programs that are read with a deadline, a
stand-in for an OpenAI-compatible endpoint, and a tiny Qwen2.5-VL."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import select
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO, Any

import pytest
from hypothesis import settings

# A busy machine is no failure of the code, and the same commit must give the same result.
settings.register_profile("tapwise", deadline=None, derandomize=True)
settings.load_profile("tapwise")

SHARED = Path(__file__).resolve().parents[2] / "shared"
"""golden examples and data sets beside the checkout; tests of them are skipped where it is not there"""
GOLDEN = "facts/golden.json"


def shared_file(name: str) -> Path:
    """A file of the shared folder; skips the test that asks for one that is not here."""
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"shared {name} not here")
    return path


@functools.cache
def golden_examples() -> dict[str, dict[str, Any]]:
    """The examples of the golden file by name; none where the file is not here."""
    path = SHARED / GOLDEN
    if not path.exists():
        return {}
    return {example["name"]: example for example in json.loads(path.read_text(encoding="utf-8"))["examples"]}


@pytest.fixture(scope="session", name="shared_file")
def _shared_file() -> Callable[[str], Path]:
    """`shared_file("data/NAME")`: a file of the shared folder; skips the test where it is not here."""
    return shared_file


@pytest.fixture(scope="session")
def golden() -> dict[str, dict[str, Any]]:
    """The examples of the golden file by name; skips the test where the file is not here."""
    shared_file(GOLDEN)
    return golden_examples()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test marked `golden(CHECKS, EXAMPLES)` is run as test(check, example) on every example of the golden file whose
    name begins with a key of CHECKS, and on the module's own EXAMPLES, which are there without the file. The first key
    that fits names the check. Every key must have an example in the file, so that none is lost unseen.
    """
    marker = metafunc.definition.get_closest_marker("golden")
    if marker is None:
        return
    checks, own = marker.args[0], marker.args[1] if len(marker.args) > 1 else ()
    shared = golden_examples()
    unused = set(checks) - {_key_of(name, checks) for name in shared}
    if shared and unused:
        raise pytest.UsageError(f"{metafunc.definition.nodeid}: no golden example begins with {sorted(unused)}")
    named = [(example["name"], example) for example in own] + [(f"shared-{name}", shared[name]) for name in shared]
    cases = [
        pytest.param(checks[key], example, id=name)
        for name, example in named
        if (key := _key_of(example["name"], checks)) is not None
    ]
    if not shared:
        cases.append(pytest.param(None, None, id="shared", marks=pytest.mark.skip(f"shared {GOLDEN} not here")))
    metafunc.parametrize(("check", "example"), cases)


def _key_of(name: str, checks: Mapping[str, Any]) -> str | None:
    return next((prefix for prefix in checks if name.startswith(prefix)), None)


def read_line(stream: IO[Any], within_s: float = 60.0) -> str:
    """The next line of a program's output without its end; "" when the output has ended.

    Reads below the stream's own buffer, a byte at a time, so that nothing else may read from the stream before.
    Fails the test when the line is not there in time.
    """
    deadline = time.monotonic() + within_s
    line = b""
    while not line.endswith(b"\n"):
        ready, _, _ = select.select([stream], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            pytest.fail(f"a program said nothing more for {within_s:g} s after {line!r}")
        if not (byte := os.read(stream.fileno(), 1)):
            break
        line += byte
    return line.decode().removesuffix("\n")


class ChildProgram:
    """A program in a process group of its own; leaving its context ends the whole group.

    Every wait has a deadline of `patience_s`, and a failure shows what the program wrote to its standard error.
    """

    def __init__(
        self, command: Sequence[str], *, patience_s: float = 60.0, env: Mapping[str, str] | None = None
    ) -> None:
        self._patience_s = patience_s
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            start_new_session=True,
            env=None if env is None else {**os.environ, **env},
        )

    def tell(self, line: str) -> None:
        """Write a line to its standard input."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n".encode())
        self.process.stdin.flush()

    def line(self) -> str:
        """The next line of its output; "" when the output has ended."""
        assert self.process.stdout is not None
        try:
            return read_line(self.process.stdout, self._patience_s)
        except pytest.fail.Exception as failure:
            pytest.fail(f"{failure}; its standard error:\n{self.errors()}")

    def lines(self) -> Iterator[str]:
        """All lines up to the end of its output."""
        while line := self.line():
            yield line

    def errors(self) -> str:
        """What it has written to its standard error so far."""
        return os.pread(self._errors.fileno(), 2**16, 0).decode(errors="replace")

    def end(self) -> None:
        """Kill its whole group, whatever state that is in."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)
        for stream in (self.process.stdin, self.process.stdout, self._errors):
            assert stream is not None
            with contextlib.suppress(BrokenPipeError):
                stream.close()

    def __enter__(self) -> ChildProgram:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()


@pytest.fixture(scope="session", name="read_line")
def _read_line() -> Callable[..., str]:
    """`read_line(stream, within_s=60)`: the next line of a program's output."""
    return read_line


@pytest.fixture(scope="session")
def child_program() -> type[ChildProgram]:
    """`with child_program(command) as program`: a program whose lines are waited for with a deadline."""
    return ChildProgram


QWEN_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
    "{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}<|vision_start|><|image_pad|><|vision_end|>"
    "{% else %}{{ part['text'] }}{% endif %}{% endfor %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


class ChatServer:
    """Serves scripted behaviours in turn, the last one for ever: reply text, or a dict with any of

    status, headers, body (raw text), reset (cut the connection), stall (hold the reply until the server closes),
    takes_s (hold it so long), drip (send the head, then one byte at a time until the client leaves). `requests` keeps
    what was asked.
    """

    def __init__(self) -> None:
        self.script: list[str | dict[str, Any]] = ["{}"]
        self.reply_to: Callable[[dict[str, Any]], str | dict[str, Any]] | None = None
        """Makes the behaviour from the request, in the place of the script."""
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.in_flight = 0
        self.most_in_flight = 0
        self.guard = threading.Lock()
        self.closing = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = False
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"

    def close(self) -> None:
        self.closing.set()
        self._server.shutdown()
        self._thread.join(10)
        self._server.server_close()

    def take(self, body: dict[str, Any], headers: dict[str, str]) -> dict[str, Any]:
        with self.guard:
            self.requests.append(body)
            self.headers.append(headers)
            if self.reply_to is not None:
                now = self.reply_to(body)
            else:
                now = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(now, dict):
            return now
        usage = {"prompt_tokens": 1000, "completion_tokens": 10}
        return {"body": json.dumps({"choices": [{"message": {"content": now}}], "usage": usage})}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                pass

            def do_POST(self) -> None:
                with stand_in.guard:
                    stand_in.in_flight += 1
                    stand_in.most_in_flight = max(stand_in.most_in_flight, stand_in.in_flight)
                try:
                    self.answer()
                except (BrokenPipeError, ConnectionResetError):
                    pass  # the client gave up, as some tests want it to
                finally:
                    with stand_in.guard:
                        stand_in.in_flight -= 1

            def answer(self) -> None:
                raw = self.rfile.read(int(self.headers["content-length"]))
                now = stand_in.take(json.loads(raw), {key.lower(): value for key, value in self.headers.items()})
                if now.get("reset"):
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    self.connection.close()
                    return
                if now.get("stall"):
                    stand_in.closing.wait(30)
                    return
                stand_in.closing.wait(now.get("takes_s", 0.0))
                body = now.get("body", "").encode()
                self.send_response(now.get("status", 200))
                for name, value in now.get("headers", {}).items():
                    self.send_header(name, value)
                self.send_header("content-length", str(10_000 if now.get("drip") else len(body)))
                self.end_headers()
                while now.get("drip") and not stand_in.closing.wait(0.02):
                    self.wfile.write(b" ")
                self.wfile.write(body)

        return Handler


@pytest.fixture
def chat_server() -> Iterator[ChatServer]:
    """A running stand-in on the loopback address; set its `script`."""
    server = ChatServer()
    yield server
    server.close()


@pytest.fixture(scope="session")
def qwen_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a Qwen2.5-VL, random weights, and the sampling defaults that the published checkpoints carry."""
    import torch
    from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

    torch.manual_seed(1)
    folder = tmp_path_factory.mktemp("qwen")
    tokenizer = _byte_tokenizer()
    model = _qwen_model(tokenizer)
    model.generation_config.update(
        do_sample=True,
        temperature=1e-6,
        top_k=1,
        top_p=0.001,
        repetition_penalty=1.5,
        eos_token_id=[tokenizer.eos_token_id, tokenizer.pad_token_id],
        pad_token_id=tokenizer.pad_token_id,
    )
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    size = {"shortest_edge": 28 * 28, "longest_edge": 20_000}
    Qwen2VLImageProcessorPil(patch_size=14, merge_size=2, temporal_patch_size=2, size=size).save_pretrained(folder)
    return folder


def _byte_tokenizer() -> Any:
    """Qwen's special tokens over single bytes."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    from tapwise.agent.vlm.tiny import SPECIAL

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE({character: index for index, character in enumerate(alphabet)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in SPECIAL])
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        additional_special_tokens=[t for t in SPECIAL if t not in ("<|im_end|>", "<|endoftext|>")],
        clean_up_tokenization_spaces=False,
    )
    fast.chat_template = QWEN_TEMPLATE
    return fast


def _qwen_model(tokenizer: Any) -> Any:
    from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

    from tapwise.agent.vlm.tiny import SPECIAL

    ids = {name: tokenizer.convert_tokens_to_ids(name) for name in SPECIAL}
    config = Qwen2_5_VLConfig(
        text_config={
            "vocab_size": len(tokenizer) + 9,  # published checkpoints have more rows than tokens, too
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "num_key_value_heads": 1,
            "max_position_embeddings": 4096,
            "initializer_range": 0.2,
            "rope_parameters": {"rope_type": "default", "rope_theta": 10_000.0, "mrope_section": [2, 3, 3]},
            "pad_token_id": tokenizer.pad_token_id,
            "eos_token_id": tokenizer.eos_token_id,
            "bos_token_id": None,
        },
        vision_config={
            "depth": 2,
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_heads": 2,
            "patch_size": 14,
            "spatial_merge_size": 2,
            "temporal_patch_size": 2,
            "out_hidden_size": 32,
            "window_size": 56,
            "fullatt_block_indexes": [1],
        },
        image_token_id=ids["<|image_pad|>"],
        video_token_id=ids["<|video_pad|>"],
        vision_start_token_id=ids["<|vision_start|>"],
        vision_end_token_id=ids["<|vision_end|>"],
    )
    return Qwen2_5_VLForConditionalGeneration(config)

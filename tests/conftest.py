"""What all tests share: how Hypothesis behaves, a stand-in for an OpenAI-compatible endpoint, and a tiny Qwen2.5-VL."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

# A busy machine is no failure of the code, and the same commit must give the same result.
settings.register_profile("tapwise", deadline=None, derandomize=True)
settings.load_profile("tapwise")


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
    drip (send the head, then one byte at a time until the client leaves). `requests` keeps what was asked.
    """

    def __init__(self) -> None:
        self.script: list[str | dict[str, Any]] = ["{}"]
        self.reply_to: Callable[[dict[str, Any]], str] | None = None
        """Makes the reply from the request, in the place of the script."""
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
        self._thread.join()
        self._server.server_close()

    def take(self, body: dict[str, Any], headers: dict[str, str]) -> dict[str, Any]:
        with self.guard:
            self.requests.append(body)
            self.headers.append(headers)
            if self.reply_to is not None:
                now: str | dict[str, Any] = self.reply_to(body)
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

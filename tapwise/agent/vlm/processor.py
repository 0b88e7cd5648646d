"""Loading the processor of a vision-language model, with or without torchvision."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from transformers import AutoImageProcessor, AutoProcessor, AutoTokenizer
from transformers.models.qwen3_vl.processing_qwen3_vl import Qwen3VLProcessor
from transformers.processing_utils import ProcessorMixin


class PhoneProcessor(Qwen3VLProcessor):  # type: ignore[misc]
    """The Qwen-VL processor for still images only: it needs no video part, hence no torchvision."""

    def __init__(self, image_processor: Any = None, tokenizer: Any = None, chat_template: str | None = None, **_: Any):
        self.image_token = "<|image_pad|>"
        self.video_token = "<|video_pad|>"
        self.image_token_id = tokenizer.convert_tokens_to_ids(self.image_token)
        self.video_token_id = tokenizer.convert_tokens_to_ids(self.video_token)
        ProcessorMixin.__init__(self, image_processor, tokenizer, chat_template=chat_template)


def load_processor(name: str | Path) -> Any:
    """The processor of a model folder or hub name.

    Without torchvision, `AutoProcessor` hands back a bare tokenizer for the Qwen-VL family, or raises; the parts are
    then loaded one by one and joined.
    """
    try:
        processor = AutoProcessor.from_pretrained(name)
        if hasattr(processor, "image_processor"):
            return processor
    except (AttributeError, ImportError):
        pass
    tokenizer = AutoTokenizer.from_pretrained(name)
    template = getattr(tokenizer, "chat_template", None)
    return PhoneProcessor(AutoImageProcessor.from_pretrained(name), tokenizer, chat_template=template)

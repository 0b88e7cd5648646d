"""Action texts of the model families: each writes an action as its models do, and reads it back."""

from tapwise.agent.codecs.frames import Frame, Unit, smart_resize
from tapwise.agent.codecs.registry import NAMES, codec

__all__ = ["NAMES", "Frame", "Unit", "codec", "smart_resize"]

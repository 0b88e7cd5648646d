"""Who says whether it worked."""

from __future__ import annotations

from tapwise.evaluator.outcome import OutcomeJudge
from tapwise.evaluator.vlm_judge import VlmJudge

__all__ = ["OutcomeJudge", "VlmJudge"]

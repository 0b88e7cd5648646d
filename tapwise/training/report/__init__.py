"""The report of a run: one page that explains itself, and the numbers for programs."""

from __future__ import annotations

from tapwise.training.report.page import write_report

__all__ = ["write_report"]

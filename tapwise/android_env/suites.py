"""Task suites by name. The templates are imported only when a suite is asked for."""

from __future__ import annotations

import functools
import importlib
import pkgutil

from tapwise.android_env.tasks import Suite, Template
from tapwise.errors import EnvError

_TEMPLATES_PACKAGE = "tapwise.android_env.templates"


def suite_names() -> tuple[str, ...]:
    """The names that `load_suite` takes."""
    return (*sorted({template.suite for template in _templates()}), "all")


@functools.cache
def load_suite(name: str) -> Suite:
    """The suite of this name, or "all" of them together.

    "NAME:template" and "NAME:app" hold the same tasks, with whole templates or apps kept for testing. Raises EnvError
    for another name.
    """
    suite, _, held_out = name.partition(":")
    if suite not in suite_names() or held_out not in ("", "template", "app"):
        raise EnvError(
            f"there is no task suite {name!r}: take one of {', '.join(suite_names())}, with :template or :app behind it"
            " to keep whole templates or apps for testing"
        )
    templates = [template for template in _templates() if suite in (template.suite, "all")]
    return Suite(name, templates, held_out or "instruction")  # type: ignore[arg-type]


@functools.cache
def _templates() -> tuple[Template, ...]:
    package = importlib.import_module(_TEMPLATES_PACKAGE)
    found: list[Template] = []
    for module in sorted(pkgutil.iter_modules(package.__path__), key=lambda module: module.name):
        found.extend(getattr(importlib.import_module(f"{_TEMPLATES_PACKAGE}.{module.name}"), "TEMPLATES", ()))
    return tuple(found)

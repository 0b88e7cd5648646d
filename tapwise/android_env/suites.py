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
    """The suite "general" or "shop", or "all" of them together. Raises EnvError for another name."""
    if name not in suite_names():
        raise EnvError(f"there is no task suite {name!r}: take one of {', '.join(suite_names())}")
    return Suite(name, [template for template in _templates() if name in (template.suite, "all")])


@functools.cache
def _templates() -> tuple[Template, ...]:
    package = importlib.import_module(_TEMPLATES_PACKAGE)
    found: list[Template] = []
    for module in sorted(pkgutil.iter_modules(package.__path__), key=lambda module: module.name):
        found.extend(getattr(importlib.import_module(f"{_TEMPLATES_PACKAGE}.{module.name}"), "TEMPLATES", ()))
    return tuple(found)

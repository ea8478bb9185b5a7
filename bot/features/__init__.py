"""One module per behaviour. Each declares what it does at its functions; see ``core.declarations``."""

from __future__ import annotations

import importlib
import pkgutil

from bot.core.registry import Registry


def collect() -> Registry:
    """A registry of every feature: a module in this folder is one, and is listed nowhere."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    return Registry.collect(importlib.import_module(f"{__name__}.{name}") for name in names)

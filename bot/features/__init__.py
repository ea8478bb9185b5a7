"""One module per behaviour. Decorators on its functions declare what it does; see ``core.declarations``."""

from __future__ import annotations

import importlib
import pkgutil

from bot.core.registry import Registry


def collect() -> Registry:
    """Return the registry of all features. Every module in this folder is one; there is no list of them."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    return Registry.collect(importlib.import_module(f"{__name__}.{name}") for name in names)

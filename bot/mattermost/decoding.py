"""Decodes what is large in a thread, so that it does not hold up the loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

S = TypeVar("S")
T = TypeVar("T")

# What is smaller (in bytes) is decoded in the loop: that takes less than 10 ms, whatever it is.
IN_LOOP = 64 * 1024

# Not the loop's own threads: name look-ups that hang may occupy all of those.
_thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="decoding")


async def decode_aside(decode: Callable[[S], T], source: S, size: int) -> T:
    """Return ``decode(source)``; ``size`` is that of the source in bytes."""
    if size <= IN_LOOP:
        return decode(source)
    return await asyncio.get_running_loop().run_in_executor(_thread, decode, source)

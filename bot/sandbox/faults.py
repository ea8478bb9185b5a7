"""Faults that the sandboxes commit on request: refusals, delays, cut connections, lost answers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(slots=True)
class Fault:
    """One rule. An empty `method`, `path` or `user` matches every request.

    `path` is a regular expression searched in the request's path; `delay` is in seconds.
    With `status` 0 and no `drop` the request is only delayed. `drop` cuts the connection without
    an answer. With `after` the request takes effect first, and only its answer is replaced or lost.
    `body` is sent as it is when it is text or bytes, as JSON otherwise.
    """

    status: int = 0
    times: int = 1
    method: str = ""
    path: str = ""
    user: str = ""
    delay: float = 0.0
    body: object = None
    headers: Mapping[str, str] = field(default_factory=dict)
    drop: bool = False
    after: bool = False
    hits: int = 0

    def fits(self, method: str, path: str, user: str) -> bool:
        """Whether this rule is about the request and has not been used up."""
        return (
            self.times != 0
            and self.method in ("", method)
            and self.user in ("", user)
            and re.search(self.path, path) is not None
        )


class Faults:
    """The rules in force, oldest first."""

    def __init__(self) -> None:
        self._rules: list[Fault] = []

    def __len__(self) -> int:
        return len(self._rules)

    def add(
        self,
        status: int = 0,
        *,
        times: int = 1,
        method: str = "",
        path: str = "",
        user: str = "",
        delay: float = 0.0,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        drop: bool = False,
        after: bool = False,
    ) -> Fault:
        """Commit this fault for the next `times` fitting requests; -1 is until `clear`."""
        fault = Fault(
            status=status,
            times=times,
            method=method.upper(),
            path=path,
            user=user,
            delay=delay,
            body=body,
            headers=dict(headers or {}),
            drop=drop,
            after=after,
        )
        self._rules.append(fault)
        return fault

    def match(self, method: str, path: str, user: str = "") -> Fault | None:
        """The oldest rule that fits, counted down; None when the request is to succeed."""
        for fault in self._rules:
            if fault.fits(method.upper(), path, user):
                fault.hits += 1
                if fault.times > 0:
                    fault.times -= 1
                if fault.times == 0:
                    self._rules.remove(fault)
                return fault
        return None

    def clear(self) -> None:
        """Forget all rules."""
        self._rules.clear()

"""Faults that a test can inject: error responses, delays, cut connections and lost responses."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(slots=True)
class Fault:
    """One rule. An empty `method`, `path`, `user` or `text` matches every request.

    `path` is a regular expression searched in the request's path; `text` is searched in its body (only at
    Mattermost, and not in forms); `delay` is in seconds.
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
    text: str = ""
    hits: int = 0

    def fits(self, method: str, path: str, user: str, body: str = "") -> bool:
        """Whether this rule matches the request and is not used up."""
        return (
            self.times != 0
            and self.method in ("", method)
            and self.user in ("", user)
            and self.text in body
            and re.search(self.path, path) is not None
        )


class Faults:
    """The active rules, oldest first."""

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
        text: str = "",
    ) -> Fault:
        """Apply this fault to the next `times` matching requests; -1 means until `clear`."""
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
            text=text,
        )
        self._rules.append(fault)
        return fault

    def match(self, method: str, path: str, user: str = "", body: str = "") -> Fault | None:
        """Take one use of the oldest matching rule and return it; None if no rule matches."""
        for fault in self._rules:
            if fault.fits(method.upper(), path, user, body):
                fault.hits += 1
                if fault.times > 0:
                    fault.times -= 1
                if fault.times == 0:
                    self._rules.remove(fault)
                return fault
        return None

    def clear(self) -> None:
        self._rules.clear()

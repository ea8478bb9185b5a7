"""HTTP requests that Mattermost sends to integrations."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass

import aiohttp

USER_AGENT = "Mattermost-Bot/1.1"
MAX_ANSWER = 1024 * 1024


class NoAnswerError(Exception):
    """The integration did not answer in time."""


@dataclass(slots=True, frozen=True)
class Reply:
    """An integration's response."""

    status: int
    content_type: str
    body: bytes


class Outgoing:
    """An HTTP client session, open while the server runs."""

    def __init__(self, ssl_context: ssl.SSLContext | None = None) -> None:
        self.timeout = 30.0
        self._ssl = ssl_context
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        connector = aiohttp.TCPConnector(ssl=self._ssl or True)
        self._session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())

    async def stop(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def post(self, url: str, data: bytes, content_type: str, headers: Mapping[str, str] = {}) -> Reply:
        """POST and return the response. Raises NoAnswerError if there is none within `timeout` seconds."""
        return await self._send("POST", url, data, {"Content-Type": content_type, **headers})

    async def get(self, url: str, query: str, headers: Mapping[str, str] = {}) -> Reply:
        """GET with an encoded query, which is added to that of the URL. Raises NoAnswerError as `post`."""
        joint = "&" if "?" in url else "?"
        return await self._send("GET", f"{url}{joint}{query}", None, headers)

    async def _send(self, method: str, url: str, data: bytes | None, headers: Mapping[str, str]) -> Reply:
        if self._session is None:
            raise NoAnswerError
        sent = {"User-Agent": USER_AGENT, "Accept": "application/json", **headers}
        try:
            async with asyncio.timeout(self.timeout):
                async with self._session.request(method, url, data=data, headers=sent) as response:
                    body = await response.content.read(MAX_ANSWER)
                    return Reply(response.status, response.content_type, body)
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            raise NoAnswerError from error

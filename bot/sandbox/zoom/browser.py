"""Does what a browser does on the consent page."""

from __future__ import annotations

import ssl

import aiohttp

OK, FOUND = 200, 302


async def browse_consent(authorize_url: str, email: str, allow: bool, tls: ssl.SSLContext | bool) -> str:
    """Open the page, choose the account and press a button; returns the redirect's URL.

    Raises ``ValueError`` with the page's text if Zoom shows an error.
    """
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as http:
        async with http.get(authorize_url, ssl=tls) as shown:
            if shown.status != OK:
                raise ValueError(f"Zoom shows an error page: {await shown.text()}")
            form = dict(shown.url.query) | {"email": email, "decision": "allow" if allow else "deny"}
            target = shown.url.with_query(None)
        async with http.post(target, data=form, ssl=tls, allow_redirects=False) as response:
            if response.status != FOUND:
                raise ValueError(f"Zoom shows an error page: {await response.text()}")
            return response.headers["Location"]

"""Files come from Zoom's hosts alone, and tokens go nowhere else."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
import trustme
from aiohttp import web
from yarl import URL

from bot.errors import ZoomError, ZoomTooLargeError, ZoomUnreachableError
from bot.zoom import open_session
from bot.zoom.downloads import download, is_allowed

HERE = ("127.0.0.1",)

Handler = Callable[[web.Request], web.StreamResponse]


@asynccontextmanager
async def files(
    answer: Handler, served: ssl.SSLContext | None = None
) -> AsyncIterator[tuple[str, list[str]]]:
    """A server of files, and the Authorization header of each request; https where ``served`` is given."""
    seen: list[str] = []

    async def handle(request: web.Request) -> web.StreamResponse:
        seen.append(request.headers.get("Authorization", ""))
        return answer(request)

    app = web.Application()
    app.router.add_get("/{tail:.*}", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=served).start()
    try:
        yield f"{'https' if served else 'http'}://127.0.0.1:{runner.addresses[0][1]}", seen
    finally:
        await runner.cleanup()


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://zoom.us/rec/1", True),
        ("https://us02web.ZOOM.us/rec/1", True),
        ("https://x.zoomgov.com/rec", True),
        ("https://zoom.us.evil.example/rec", False),
        ("https://evilzoom.us/rec", False),
        ("https://zoom.us@evil.example/rec", False),
        ("https://me:secret@zoom.us/rec", False),
        ("http://zoom.us/rec", False),
        ("ftp://zoom.us/rec", False),
        ("http://127.0.0.1/rec", True),
        ("https://127.0.0.1/rec", True),
        ("http://localhost/rec", False),
        ("/rec", False),
    ],
)
def test_which_addresses_get_a_token(url: str, allowed: bool) -> None:
    assert is_allowed(URL(url), HERE) is allowed


def test_this_machine_is_not_zoom_unless_configured() -> None:
    assert not is_allowed(URL("http://127.0.0.1/rec"))


async def test_a_file_comes_with_the_token(http: aiohttp.ClientSession) -> None:
    async with files(lambda _: web.Response(body=b"text")) as (url, seen):
        assert await download(http, url, "TOKEN", limit=10, allowed_hosts=HERE) == b"text"
        assert seen == ["Bearer TOKEN"]


async def test_other_addresses_are_not_asked(http: aiohttp.ClientSession) -> None:
    async with files(lambda _: web.Response()) as (url, seen):
        for address in (
            url,
            "https://evil.example/x",
            "https://me@zoom.us/x",
            "not an address",
            "http://[",
            "",
        ):
            with pytest.raises(ZoomError):
                await download(http, address, "TOKEN", limit=10)
        assert seen == []


@pytest.mark.parametrize("chunked", [True, False])
async def test_a_file_that_is_too_large_is_refused(http: aiohttp.ClientSession, chunked: bool) -> None:
    def large(_: web.Request) -> web.Response:
        response = web.Response(body=b"x" * 100_000)
        if chunked:
            response.enable_chunked_encoding()
        return response

    async with files(large) as (url, _):
        with pytest.raises(ZoomTooLargeError, match="larger than 1000 bytes"):
            await download(http, url, "", limit=1000, allowed_hosts=HERE)


async def test_a_redirect_within_zoom_keeps_the_token(http: aiohttp.ClientSession) -> None:
    def answer(request: web.Request) -> web.Response:
        if request.path == "/file":
            return web.Response(body=b"text")
        return web.Response(status=302, headers={"Location": "/file"})

    async with files(answer) as (url, seen):
        assert await download(http, url + "/rec", "TOKEN", limit=10, allowed_hosts=HERE) == b"text"
        assert seen == ["Bearer TOKEN", "Bearer TOKEN"]


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_redirect_to_elsewhere_is_not_followed(scheme: str, tmp_path: Path) -> None:
    ca = trustme.CA()
    ca.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    served = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ca.issue_cert("localhost").configure_cert(served)
    async with (
        open_session(str(tmp_path / "ca.pem")) as http,
        files(lambda _: web.Response(body=b"x"), served if scheme == "https" else None) as (other, seen),
    ):
        target = other.replace("127.0.0.1", "localhost")
        away = web.Response(status=302, headers={"Location": target})
        async with files(lambda _: away) as (url, _):
            with pytest.raises(ZoomError, match="not an address of Zoom's: localhost"):
                await download(http, url, "TOKEN", limit=10, allowed_hosts=HERE)
        assert seen == []


async def test_circles_end(http: aiohttp.ClientSession) -> None:
    async with files(lambda _: web.Response(status=302, headers={"Location": "/"})) as (url, seen):
        with pytest.raises(ZoomError, match="circles"):
            await download(http, url, "TOKEN", limit=10, allowed_hosts=HERE)
        assert len(seen) == 6


async def test_a_refusal_is_an_error_of_zooms(http: aiohttp.ClientSession) -> None:
    async with files(lambda _: web.Response(status=403, text="no")) as (url, _):
        with pytest.raises(ZoomUnreachableError):
            await download(http, url, "TOKEN", limit=10, allowed_hosts=HERE)


SIGNED = "/raw/a%2Fb?response-content-type=text%2Fplain&cache=max-age%3D0%2Cs-maxage%3D86400&s=a%2Bb%20c"


async def test_a_signed_address_is_asked_for_byte_for_byte(http: aiohttp.ClientSession) -> None:
    asked: list[str] = []

    def answer(request: web.Request) -> web.Response:
        asked.append(request.raw_path)
        if request.path == "/rec/download":
            return web.Response(status=302, headers={"Location": SIGNED})
        return web.Response(body=b"text")

    async with files(answer) as (url, _):
        named = f"{url}/rec/download?x=a%2Cb%3D"
        assert await download(http, named, "TOKEN", limit=10, allowed_hosts=HERE) == b"text"
    assert asked == ["/rec/download?x=a%2Cb%3D", SIGNED]


@pytest.mark.parametrize("status", [400, 401, 403])
async def test_another_host_that_refuses_the_token_is_asked_without_it(
    http: aiohttp.ClientSession, status: int
) -> None:
    def signed(request: web.Request) -> web.Response:
        if "Authorization" in request.headers:
            return web.Response(status=status, text="<Error>only one auth mechanism allowed</Error>")
        return web.Response(body=b"text")

    async with files(signed) as (other, seen):
        away = web.Response(status=302, headers={"Location": other + SIGNED})
        async with files(lambda _: away) as (url, _):
            assert await download(http, url, "TOKEN", limit=10, allowed_hosts=HERE) == b"text"
        assert seen == ["Bearer TOKEN", ""]


async def test_zoom_s_own_refusal_is_not_asked_again_without_the_token(http: aiohttp.ClientSession) -> None:
    async with files(lambda _: web.Response(status=403, text="no")) as (url, seen):
        with pytest.raises(ZoomError):
            await download(http, url, "TOKEN", limit=10, allowed_hosts=HERE)
        assert seen == ["Bearer TOKEN"]

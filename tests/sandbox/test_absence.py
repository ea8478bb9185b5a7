"""A real bot neither loads nor serves the sandbox."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from bot.sandbox.assets import FOLDER
from tests.conftest import World

ROOT = Path(__file__).parents[2]

# Import what `zoombot run` imports and build a bot.
RUN = (
    "import sys\n"
    "from bot import cli, runtime, web\nfrom bot.runtime import app\n"
    "print([name for name in sys.modules if name.startswith('bot.sandbox')], file=sys.stderr)\n"
)


def test_zoombot_run_does_not_import_the_sandbox() -> None:
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", RUN], cwd=ROOT, capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stderr.strip() == "[]"


async def test_the_bot_serves_no_page_of_the_sandbox(world: World) -> None:
    paths = ["/", "/stage.json", "/clock", "/favicon.ico", "/j/1", "/oauth/authorize", "/api/v4/users/login"]
    paths += [f"/page/{file.name}" for file in FOLDER.iterdir()]
    for path in paths:
        for method in ("GET", "POST"):
            async with world.http.request(method, world.config.web.public_url + path) as response:
                assert response.status in (404, 405), path


async def test_the_pages_load_only_files_of_their_own_origin(world: World) -> None:
    _, meeting = await world.meeting()
    stage = world.stage
    for url in (stage.mattermost_url, stage.zoom_url, meeting.join_url, f"{stage.zoom_url}/oauth/authorize"):
        async with world.http.get(url) as response:
            policy = response.headers["Content-Security-Policy"]
            assert "default-src 'self'" in policy
            assert "unsafe" not in policy
            assert "base-uri 'none'" in policy


async def test_the_clock_is_advanced_with_a_plain_form(world: World) -> None:
    url = f"{world.zoom.url}/clock"
    before = world.zoom.clock.now_ms()
    async with world.http.post(url, data={"minutes": "30", "back": "//evil.example"}) as response:
        assert str(response.url) == f"{world.zoom.url}/"
    assert world.zoom.clock.now_ms() - before >= 30 * 60_000
    for wrong in ("", "-1", "0", "1e9", "99999999"):
        async with world.http.post(url, data={"minutes": wrong}) as response:
            assert response.status == 400

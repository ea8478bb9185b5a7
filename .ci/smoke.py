"""The installed ``zoombot``, run as its users do: its version, and the demo with its page and its modules."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

ZOOMBOT = str(Path(sys.executable).with_name("zoombot"))
PATIENCE_S = 60


def main() -> None:
    """Raises, with what was seen, if anything is amiss."""
    subprocess.run([ZOOMBOT, "--version"], timeout=PATIENCE_S, check=True)
    with subprocess.Popen(
        [ZOOMBOT, "demo", "--port", "0", "--no-browser"], stdout=subprocess.PIPE, text=True, bufsize=1
    ) as demo:
        try:
            look(address(demo))
        finally:
            demo.send_signal(signal.SIGINT)
            status = demo.wait(PATIENCE_S)
    assert status == 0, f"the demo ended with {status}"


def address(demo: subprocess.Popen[str]) -> str:
    """The line of the demo that is to be opened."""
    assert demo.stdout
    for line in demo.stdout:
        if re.fullmatch(r"http://127\.0\.0\.1:\d+/\n", line):
            return line.strip()
    raise AssertionError("the demo printed no address")


def look(url: str) -> None:
    """The page, a module of it, and Mattermost's API beside them."""
    page = fetch(url)
    module = re.search(r'<script type="module" src="/?([^"]+)"', page)
    assert module, "the page has no module"
    assert "import" in fetch(url + module[1])
    assert '"OK"' in fetch(f"{url}api/v4/system/ping")
    print(f"{url}: the page, {module[1]} and the API answer")


def fetch(url: str) -> str:
    """What is there; an error status raises."""
    with urllib.request.urlopen(url, timeout=PATIENCE_S) as response:
        text: str = response.read().decode()
    return text


if __name__ == "__main__":
    main()

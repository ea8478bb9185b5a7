"""What the files in ``deploy`` say of one another and of the bot."""

from __future__ import annotations

import re
from configparser import ConfigParser
from pathlib import Path

DEPLOY = Path(__file__).parent.parent.parent / "deploy"
UNIT = DEPLOY / "zoombot.service"


def unit() -> ConfigParser:
    parser = ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(UNIT, encoding="utf-8")
    return parser


def test_every_command_of_the_unit_is_given_the_same_file_as_the_same_user() -> None:
    text, service = UNIT.read_text(encoding="utf-8"), unit()["Service"]
    assert set(re.findall(r"--config (\S+)", text)) == {"/etc/zoombot/bot.toml"}
    assert f"runuser -u {service['User']} " in text
    # What only the service's environment says, `check` and `keys rotate` do not know.
    assert "Environment" not in service
    assert "EnvironmentFile" not in service


def test_the_unit_s_store_is_where_it_may_write() -> None:
    (place,) = re.findall(r"--store-url tinydb:(\S+)", UNIT.read_text(encoding="utf-8"))
    assert Path(place).parent == Path("/var/lib", unit()["Service"]["StateDirectory"])


def test_the_container_s_store_is_in_its_volume() -> None:
    text = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    (place,) = re.findall(r"ZOOMBOT_STORE__URL=tinydb:(\S+)", text)
    (volume,) = re.findall(r"^VOLUME (\S+)$", text, re.MULTILINE)
    assert Path(place).parent == Path(volume)


def test_the_image_gets_all_that_it_copies_and_no_configuration() -> None:
    ignore = (DEPLOY.parent / ".dockerignore").read_text(encoding="utf-8").splitlines()
    copied = re.findall(
        r"^COPY (?!--from)(.+) \S+$", (DEPLOY / "Dockerfile").read_text("utf-8"), re.MULTILINE
    )
    assert {f"!{name}" for line in copied for name in line.split()} == {
        line for line in ignore if line.startswith("!")
    }
    assert ignore[0] == "*"

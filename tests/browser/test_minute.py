"""The guided first minute, in two windows, against the real bot."""

from __future__ import annotations

from tests.browser.conftest import MakeWindows
from tests.browser.windows import IN_BROWSER, choose, follow, posts
from tests.conftest import MakeWorld

pytestmark = IN_BROWSER


async def test_the_first_minute_of_alice_and_bob(make_world: MakeWorld, open_windows: MakeWindows) -> None:
    windows = await open_windows(await make_world())
    alice, bob = await windows.open("alice"), await windows.open("bob")
    await windows.snap(alice, "welcome")

    await alice.get_by_role("button", name="@zoom standup").click()
    await alice.keyboard.press("Enter")
    await posts(bob).filter(has_text="@zoom standup").wait_for()
    await alice.locator("#sidebar .unread", has_text="zoom").wait_for()
    await choose(alice, "zoom")

    consent = await follow(alice, alice.get_by_role("link", name="Connect Zoom"))
    await windows.snap(consent, "consent")
    await consent.get_by_label("Alice Demo").check()
    await consent.get_by_role("button", name="Allow").click()
    await consent.get_by_role("button", name="Link the account").click()
    await consent.get_by_role("heading", name="Zoom is connected").wait_for()
    await consent.close()

    await choose(alice, "Dev")
    card, bobs = alice.locator(".attachment"), bob.locator(".attachment")
    await bobs.get_by_text("Waiting for the host").wait_for()
    await windows.snap(alice, "waiting")

    room = await follow(alice, card.get_by_role("link", name="Join the meeting"))
    await room.get_by_role("button", name="Start as Alice Demo").click()
    await room.get_by_text("Live for").wait_for()
    await bobs.get_by_text("1 person").wait_for()

    other = await follow(bob, bobs.get_by_role("link", name="Join the meeting"))
    await other.get_by_role("button", name="Join as Bob Demo").click()
    await room.get_by_role("listitem").filter(has_text="Bob Demo").wait_for()
    await bobs.get_by_text("2 people").wait_for()
    await windows.snap(room, "meeting")
    await windows.snap(alice, "live")

    await room.get_by_role("button", name="Record").click()
    await room.get_by_text("It is being recorded").wait_for()
    await room.get_by_role("button", name="+ 30 minutes").click()
    await room.get_by_text("Live for 30 min").wait_for()
    await room.get_by_role("button", name="End for all").click()
    await other.get_by_text("It lasted 30 min").wait_for()
    await bobs.get_by_text("30 min").wait_for()
    await posts(bob).filter(has_text="has ended").first.wait_for()
    await windows.snap(alice, "ended")

    await room.get_by_role("button", name="+ 5 minutes").click()
    await posts(bob).get_by_role("button", name="3 replies").click()
    await bob.locator("#thread").get_by_text("The recording of").wait_for()
    await windows.snap(bob, "published")

"""The chat page as a client of Mattermost: what happens is shown at once, to whom it concerns."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

from tests.browser.conftest import MakeWindows
from tests.browser.windows import IN_BROWSER, choose, posts, write
from tests.conftest import MakeWorld
from tests.sandbox.mattermostkit import Client, integration

if TYPE_CHECKING:
    from playwright.async_api import Route

pytestmark = IN_BROWSER


async def test_what_others_write_change_and_delete_is_followed(
    make_world: MakeWorld, open_windows: MakeWindows
) -> None:
    world = await make_world(start=False)
    page = await (await open_windows(world)).open("alice")
    post = await world.mattermost.post("bob", "dev", "first thought")
    await posts(page).get_by_text("first thought").wait_for()
    await world.mattermost.edit("bob", post.id, "second thought")
    await posts(page).get_by_text("second thought").wait_for()
    assert await posts(page).get_by_text("edited").count() == 1
    await world.mattermost.delete(post.id)
    await posts(page).wait_for(state="detached")


async def test_a_thread_opens_beside_the_channel_and_is_answered_there(
    make_world: MakeWorld, open_windows: MakeWindows
) -> None:
    world = await make_world(start=False)
    page = await (await open_windows(world)).open("alice")
    root = await world.mattermost.post("bob", "dev", "a question")
    await posts(page).get_by_role("button", name="Reply").click()
    thread = page.locator("#thread")
    await thread.get_by_text("a question").wait_for()
    await page.keyboard.type("an answer")
    await page.keyboard.press("Enter")
    await thread.get_by_text("an answer").wait_for()
    await posts(page).get_by_role("button", name="1 reply").wait_for()
    assert [post.root_id for post in world.mattermost.posts("dev")] == ["", root.id]
    await page.keyboard.press("Escape")
    await thread.wait_for(state="hidden")
    assert (
        await posts(page)
        .get_by_role("button", name="1 reply")
        .evaluate("it => it === document.activeElement")
    )


async def test_what_is_told_twice_stays_as_it_is_shown(
    make_world: MakeWorld, open_windows: MakeWindows
) -> None:
    world = await make_world(start=False)
    page = await (await open_windows(world)).open("alice")
    root = await world.mattermost.post("bob", "dev", "a question")
    await world.mattermost.post("carol", "dev", "an answer", root_id=root.id)
    asked = asyncio.Event()

    async def answer_late(route: Route) -> None:
        body = await (await route.fetch()).json()
        [known] = [post for post in body["posts"].values() if post["root_id"]]
        body["posts"]["late"] = known | {"id": "late", "message": "one more"}
        await asked.wait()
        await route.fulfill(json=body)

    await page.route("**/thread", answer_late)
    await posts(page).get_by_role("button", name="1 reply").click()
    thread = page.locator("#thread")
    shown = await thread.locator(".posts > li", has_text="an answer").element_handle()
    assert shown is not None
    asked.set()
    await thread.get_by_text("one more").wait_for()
    assert await shown.evaluate("it => it.isConnected")


async def test_unread_channels_are_marked_and_the_private_one_is_not_shown_to_outsiders(
    make_world: MakeWorld, open_windows: MakeWindows
) -> None:
    world = await make_world(start=False)
    page = await (await open_windows(world)).open("alice")
    await world.mattermost.post("bob", "ops", "psst")
    ops = page.locator("#sidebar").get_by_role("button", name="Ops")
    await ops.get_by_text("unread").wait_for(state="attached")
    await choose(page, "Ops")
    await posts(page).get_by_text("psst").wait_for()
    assert await ops.get_by_text("unread").count() == 0
    await page.locator("#people").get_by_role("button", name="carol").click()
    await page.locator('[data-person="carol"][aria-pressed="true"]').wait_for()
    await page.locator("#title", has_text="Dev").wait_for()
    assert await ops.count() == 0
    assert await page.get_by_text("psst").count() == 0


async def test_a_lost_socket_comes_back_with_what_was_missed(
    make_world: MakeWorld, open_windows: MakeWindows
) -> None:
    world = await make_world(start=False)
    page = await (await open_windows(world)).open("alice")
    old = await world.mattermost.post("bob", "dev", "soon gone")
    await posts(page).get_by_text("soon gone").wait_for()
    world.mattermost.deafen("alice")
    await world.mattermost.delete(old.id)
    await world.mattermost.post("bob", "dev", "unheard")
    await world.mattermost.drop_sockets("alice")
    await posts(page).get_by_text("unheard").wait_for()
    await page.locator("#state:empty").wait_for(state="attached")
    assert await posts(page).count() == 1


async def test_messages_grow_old_by_the_clock_of_the_stage(
    make_world: MakeWorld, open_windows: MakeWindows
) -> None:
    world = await make_world(start=False)
    page = await (await open_windows(world)).open("alice")
    await world.mattermost.post("bob", "dev", "first")
    world.zoom.clock.advance(20 * 60)
    await world.mattermost.post("bob", "dev", "second")
    await posts(page).filter(has_text="second").get_by_text("just now").wait_for()
    await posts(page).filter(has_text="first").get_by_text("20 min ago").wait_for()


async def test_a_private_answer_to_a_command_is_seen_by_its_person_alone(
    make_world: MakeWorld, open_windows: MakeWindows
) -> None:
    world = await make_world(start=False)
    windows = await open_windows(world)
    alice, bob = await windows.open("alice"), await windows.open("bob")
    async with integration() as served:
        served.answer = {"response_type": "ephemeral", "text": "for *your* eyes"}
        world.mattermost.register_command("whisper", served.url)
        await write(alice, "/whisper now")
        shown = posts(alice).filter(has_text="Only visible to you")
        await shown.get_by_text("your", exact=True).wait_for()
    await write(alice, "done")
    await posts(bob).get_by_text("done").wait_for()
    assert await posts(bob).count() == 1


async def test_a_slash_command_starts_a_meeting(make_world: MakeWorld, open_windows: MakeWindows) -> None:
    world = await make_world()
    await world.link("alice")
    page = await (await open_windows(world)).open("alice")
    await page.get_by_role("button", name="/zoom retro").click()
    await page.keyboard.press("Enter")
    await posts(page).get_by_role("link", name="retro").wait_for()
    await world.mattermost.wait_for(lambda: len(world.mattermost.posts("dev")) == 1)


async def test_menus_and_dialogs_reach_the_integration(
    make_world: MakeWorld, open_windows: MakeWindows
) -> None:
    world = await make_world(start=False)
    page = await (await open_windows(world)).open("alice")
    async with integration() as served:
        menu = {
            "id": "kind",
            "name": "Which kind",
            "type": "select",
            "options": [{"text": "Instant", "value": "i"}, {"text": "Later", "value": "l"}],
            "integration": {"url": served.url, "context": {}},
        }
        served.answer = {"ephemeral_text": "Noted."}
        await world.mattermost.post("zoom", "dev", "", props={"attachments": [{"actions": [menu]}]})
        await page.get_by_label("Which kind").select_option("Later")
        await posts(page).get_by_text("Noted.").wait_for()
        assert served.json["context"]["selected_option"] == "l"

        trigger = served.json["trigger_id"]
        dialog = json.loads(DIALOG)
        async with Client(world.mattermost, "") as client:
            await client.call(
                "POST", "/actions/dialogs/open", {"trigger_id": trigger, "url": served.url, "dialog": dialog}
            )
        box = page.get_by_role("dialog", name="Start a meeting")
        await box.get_by_label("Topic").fill("Retro")
        await box.get_by_label("Kind").select_option("Instant")
        await box.get_by_label("Waiting room").check()
        served.answer = {"errors": {"topic": "Too short."}}
        await box.get_by_role("button", name="Go").click()
        await box.get_by_text("Too short.").wait_for()
        served.answer = {}
        await box.get_by_role("button", name="Go").click()
        await box.wait_for(state="detached")
        assert served.json["submission"] == {"kind": "i", "topic": "Retro", "wait": True}
        assert served.json["callback_id"] == "cb"


async def test_files_are_listed_and_fetched(make_world: MakeWorld, open_windows: MakeWindows) -> None:
    world = await make_world(start=False)
    page = await (await open_windows(world)).open("alice")
    channel = world.mattermost.channel("dev")
    async with Client(world.mattermost, world.mattermost.token("bob")) as client:
        path = f"/files?channel_id={channel.id}&filename=notes.vtt"
        _, kept = await client.call("POST", path, data=b"WEBVTT\n")
        await client.write(channel.id, "the notes", file_ids=[kept["file_infos"][0]["id"]])
    async with page.expect_download() as started:
        await page.get_by_role("button", name="notes.vtt (7 bytes)").click()
    download = await started.value
    assert download.suggested_filename == "notes.vtt"
    assert (await download.path()).read_bytes() == b"WEBVTT\n"


async def test_what_the_server_refuses_stays_in_the_composer(
    make_world: MakeWorld, open_windows: MakeWindows
) -> None:
    world = await make_world(start=False)
    windows = await open_windows(world)
    page = await windows.open("alice")
    await write(page, "/nosuch thing")
    await page.get_by_role("alert").filter(has_text="not found").wait_for()
    assert await page.get_by_label("Message in Dev").input_value() == "/nosuch thing"
    # Chromium itself notes every answer of 400 and above.
    assert all("404" in error for error in windows.errors)
    windows.errors.clear()


DIALOG = """{"callback_id": "cb", "title": "Start a meeting", "submit_label": "Go", "state": "s", "elements": [
  {"display_name": "Topic", "name": "topic", "type": "text", "max_length": 100},
  {"display_name": "Kind", "name": "kind", "type": "select",
   "options": [{"text": "Instant", "value": "i"}, {"text": "Later", "value": "l"}]},
  {"display_name": "Waiting room", "name": "wait", "type": "bool", "optional": true}]}"""

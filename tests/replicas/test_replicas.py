"""What two replicas do together is what one does."""

from __future__ import annotations

import asyncio
import re

from bot.core.inbox import TASK
from bot.domain.records import Item, ItemState, Preference
from bot.sandbox.mattermost import Call, Post
from tests.conftest import World
from tests.features.kit import planned
from tests.replicas.conftest import Cluster
from tests.stores.server import execute


async def test_mentions_in_many_channels_are_answered_once_each(cluster: Cluster) -> None:
    world = cluster.world
    asked = []
    for number in range(24):
        name = ("alice", "bob")[number % 2]
        asked.append(await world.mattermost.post(name, "dev", f"@zoom standup {number}"))
        asked.append(await world.mattermost.post(name, world.direct(name), f"start sync {number}"))
    for post in asked:
        await world.answer_to(post)
    await cluster.settle()
    assert len(world.zoom.meetings) == len(asked)
    assert all(len(world.answers_to(post)) == 1 for post in asked)


async def test_new_posts_of_a_channel_are_made_in_the_order_asked(cluster: Cluster) -> None:
    world = cluster.world
    asked = [await world.mattermost.post("alice", "dev", f"@zoom standup {number}") for number in range(12)]
    answers = [await world.answer_to(post) for post in asked]
    assert answers == sorted(answers, key=lambda post: post.create_at)


async def test_webhooks_edit_the_post_whichever_replica_takes_them(cluster: Cluster) -> None:
    world = cluster.world
    for number in range(4):
        post, meeting = await world.meeting(topic=f"standup {number}")
        await world.zoom.start(meeting.id)
        await world.shows(post, lambda now: now.props["meeting_status"] == "STARTED")
        await world.zoom.end(meeting.id)
        await world.shows(post, lambda now: now.props["meeting_status"] == "ENDED")
    await cluster.settle()
    for app in cluster.apps:
        waiting = await app.ctx.store.find(Item, "state", ItemState.WAITING)
        assert [item for item in waiting if item.kind != TASK] == []


async def test_a_webhook_that_comes_before_the_meeting_is_stored_is_not_lost(cluster: Cluster) -> None:
    """Zoom tells of the start while another replica is still waiting for its answer."""
    world = cluster.world
    started = asyncio.Event()

    async def start_at_once() -> None:
        await world.zoom.wait_for(lambda: world.zoom.meetings)
        await world.zoom.start(next(iter(world.zoom.meetings)))
        started.set()

    world.zoom.faults.add(method="POST", path=r"/meetings$", delay=0.5, after=True)
    starting = asyncio.create_task(start_at_once())
    asked = await world.mattermost.post("alice", "dev", "@zoom standup")
    await started.wait()
    await starting
    post = await world.answer_to(asked)
    await world.shows(post, lambda now: now.props["meeting_status"] == "STARTED")


async def test_a_replica_that_stops_leaves_nothing_behind(cluster: Cluster) -> None:
    world = cluster.world
    leader = next(app for app in cluster.apps if app.claims.leads)
    asked = [await world.mattermost.post("alice", "dev", f"@zoom early {number}") for number in range(5)]
    stopping = asyncio.create_task(cluster.stop(leader))
    asked += [await world.mattermost.post("alice", "dev", f"@zoom late {number}") for number in range(10)]
    await stopping
    for post in asked:
        await world.answer_to(post)
    await cluster.settle()
    assert len(world.zoom.meetings) == len(asked)
    (left,) = cluster.apps
    async with asyncio.timeout(10):
        await left.claims.leads_is(True)


async def test_a_third_replica_gets_its_share_while_people_ask(cluster: Cluster) -> None:
    world, asked = cluster.world, list[Post]()

    async def ask() -> None:
        for number in range(20):
            asked.append(await world.mattermost.post("bob", "dev", f"@zoom standup {number}"))
            await asyncio.sleep(0.02)

    asking = asyncio.create_task(ask())
    await cluster.start()
    await asking
    for post in asked:
        await world.answer_to(post)
    await cluster.settle()
    assert all(len(world.answers_to(post)) == 1 for post in asked)


async def test_a_link_is_refreshed_once_for_all_replicas(cluster: Cluster) -> None:
    world = cluster.world
    world.zoom.expire_tokens("alice@demo.example")
    before = world.zoom.refreshes
    user = world.mattermost.user("alice")
    stale = [await app.ctx.tokens.access(user.id) for app in cluster.apps]
    fresh = await asyncio.gather(
        *(app.ctx.tokens.refresh(user.id, old) for app, old in zip(cluster.apps, stale, strict=True))
    )
    assert len(set(fresh)) == 1
    assert world.zoom.refreshes == before + 1


async def test_linking_begins_on_one_replica_and_ends_on_another(cluster: Cluster) -> None:
    world = cluster.world
    asked = await world.mattermost.post("carol", "dev", "@zoom standup")
    invitation = (await world.answer_to(asked)).message
    one, two = cluster.apps
    found = re.search(r"\((http[^)]*/oauth2/connect[^)]*)\)", invitation)
    assert found
    async with world.http.get(cluster.at(one, found[1]), allow_redirects=False) as response:
        back = await world.zoom.consent(response.headers["Location"], "carol@demo.example")
    async with world.http.get(cluster.at(two, back)) as response:
        hidden = dict(re.findall(r'name="(state|confirm)" value="([^"]*)"', await response.text()))
    form = cluster.at(one, one.ctx.url("/oauth2/complete"))
    async with world.http.post(form, data=hidden) as response:
        assert response.status == 200
    await world.mattermost.wait_for(lambda: len(world.answers_to(asked)) == 2)
    assert "meeting_id" in world.answers_to(asked)[1].props


async def test_a_replica_that_was_taken_for_dead_begins_anew_and_doubles_nothing(cluster: Cluster) -> None:
    world = cluster.world
    one, two = cluster.apps
    before = [app.claims.standing().number for app in cluster.apps]
    asked = [await world.mattermost.post("alice", "dev", f"@zoom early {number}") for number in range(8)]
    await execute(world.config.store.url, "DELETE FROM zoombot.replicas WHERE number = $1", before[0])
    asked += [await world.mattermost.post("alice", "dev", f"@zoom late {number}") for number in range(8)]
    for post in asked:
        await world.answer_to(post)
    async with asyncio.timeout(20):
        while one.claims.standing().number in (0, before[0]):
            await asyncio.sleep(0.02)
    await cluster.balanced()
    await cluster.settle()
    assert [len(world.answers_to(post)) for post in asked] == [1] * len(asked)
    assert two.claims.standing().number == before[1]
    # Nothing of what was broken off is still counted: a webhook would wait for it.
    assert not any(app.ctx.creations for app in cluster.apps)
    post, meeting = await world.meeting(topic="afterwards")
    await world.zoom.start(meeting.id)
    await world.shows(post, lambda now: now.props["meeting_status"] == "STARTED")


async def test_a_question_is_asked_by_one_replica_and_answered_at_any(cluster: Cluster) -> None:
    """The load balancer decides which replica a button reaches, and another one may work on the answer."""
    world, alice = cluster.world, cluster.world.mattermost.user("alice")
    for number in range(6):
        asked = await cluster.ask("alice", world.direct("alice"), "settings")
        word = ("always", "never")[number % 2]
        await world.mattermost.press("alice", asked.id, word)
        await world.shows(asked, lambda post: "attachments" in post.props and not buttons(post))
        async with asyncio.timeout(10):
            while await chosen(cluster, alice.id) != [word, word]:
                await asyncio.sleep(0.01)


async def chosen(cluster: Cluster, user_id: str) -> list[str]:
    """What a person has chosen, as each replica sees it."""
    kept = [await app.ctx.store.get(Preference, user_id) for app in cluster.apps]
    return [each.pmi for each in kept if each]


def buttons(post: Post) -> list[str]:
    """The buttons that a post has."""
    return [action["name"] for card in post.props["attachments"] for action in card.get("actions") or []]


async def test_what_one_replica_writes_for_another_is_posted_once_by_three(cluster: Cluster) -> None:
    """The webhook of a followed meeting and the channel that follows it have queues of their own. The calls
    count: one server of Mattermost recognizes the second, others of a cluster do not."""
    await cluster.start()
    world = cluster.world
    meeting = planned(world, "alice")
    await cluster.ask("alice", "dev", f"@zoom subscribe {meeting.id}")
    for number in range(1, 9):
        await world.zoom.start(meeting.id)
        async with asyncio.timeout(10):
            while len(calls_for(world, meeting.id)) < number:
                await asyncio.sleep(0.01)
        await world.zoom.end(meeting.id)
        await cluster.settle()
        assert len(calls_for(world, meeting.id)) == number


def calls_for(world: World, number: int) -> list[Call]:
    """The calls that made a post of a meeting."""
    made = [each for each in world.mattermost.calls if each.method == "POST" and each.path.endswith("/posts")]
    return [
        call
        for call in made
        if isinstance(call.json, dict) and call.json.get("props", {}).get("meeting_id") == number
    ]

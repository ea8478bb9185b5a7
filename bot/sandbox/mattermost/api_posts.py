"""`/posts`, `/reactions` and `/files`."""

from __future__ import annotations

import asyncio

from aiohttp import BodyPartReader, web

from bot.sandbox.mattermost import posting
from bot.sandbox.mattermost.api_channels import MAX_PER_PAGE
from bot.sandbox.mattermost.ask import Ask, Route
from bot.sandbox.mattermost.records import FileInfo, Json, Post
from bot.sandbox.mattermost.refusals import bad_body, denied, no_channel, not_found
from bot.sandbox.mattermost.wire import answer, new_id

MAX_FILE = 50 * 1024 * 1024
# What an author may set; the server's own types are not among them.
_TYPES = ("", "slack_attachment", "me")


async def create(ask: Ask) -> web.StreamResponse:
    """`POST /posts`: the event goes out before the answer."""
    body = ask.json
    channel_id, props, kind = ask.text("channel_id"), body.get("props"), ask.text("type")
    if not channel_id or (props is not None and not isinstance(props, dict)):
        raise bad_body("post")
    if kind not in _TYPES and not kind.startswith("custom_"):
        raise bad_body("type")
    if channel_id not in ask.world.rooms.channels:
        # Nobody is in a channel that is not there.
        raise denied()
    post = posting.create(
        ask.world,
        ask.user,
        ask.world.rooms.channel(channel_id),
        ask.text("message"),
        root_id=ask.text("root_id"),
        props=props,
        type=kind,
        file_ids=body.get("file_ids") or [],
        pending_post_id=ask.text("pending_post_id"),
    )
    await _let_events_go()
    return answer(post, 201)


async def post(ask: Ask) -> web.StreamResponse:
    """`GET /posts/{id}`."""
    return answer(ask.post())


async def patch(ask: Ask) -> web.StreamResponse:
    """`PUT /posts/{id}/patch`: what is given changes; given props replace all props."""
    changed = posting.edit(ask.world, _own(ask), ask.json)
    await _let_events_go()
    return answer(changed)


async def update(ask: Ask) -> web.StreamResponse:
    """`PUT /posts/{id}`: the whole post; its id is said twice."""
    if ask.text("id") != ask.part("post_id"):
        raise bad_body("id")
    return await patch(ask)


async def delete(ask: Ask) -> web.StreamResponse:
    """`DELETE /posts/{id}`."""
    posting.delete(ask.world, _own(ask), ask.user)
    await _let_events_go()
    return answer({"status": "OK"})


async def thread(ask: Ask) -> web.StreamResponse:
    """`GET /posts/{id}/thread`."""
    return answer(ask.world.history.thread(ask.post().id))


async def pin(ask: Ask) -> web.StreamResponse:
    """`POST /posts/{id}/pin` and `/unpin`."""
    posting.edit(ask.world, ask.post(), {"is_pinned": ask.request.path.endswith("/pin")})
    return answer({"status": "OK"})


async def listing(ask: Ask) -> web.StreamResponse:
    """`GET /channels/{id}/posts`: `since`, or `before` or `after` a post, or a page."""
    history, channel, query = ask.world.history, ask.channel(), ask.request.query
    page, per_page = ask.number("page", 0), min(ask.number("per_page", 60), MAX_PER_PAGE)
    if since := ask.number("since", 0):
        return answer(history.since(channel.id, since))
    for side in ("before", "after"):
        if pivot := query.get(side):
            before = side == "before"
            return answer(history.around(channel.id, pivot, before=before, page=page, per_page=per_page))
    return answer(history.page(channel.id, page, per_page))


async def ephemeral(ask: Ask) -> web.StreamResponse:
    """`POST /posts/ephemeral`: only system admins may."""
    if not ask.user.is_admin:
        raise denied()
    given: Json = ask.json.get("post") or {}
    if given.get("channel_id") not in ask.world.rooms.channels:
        raise no_channel()
    shown = posting.ephemeral(
        ask.world,
        ask.text("user_id"),
        given["channel_id"],
        given.get("message", ""),
        author_id=ask.user.id,
        root_id=given.get("root_id", ""),
        props=given.get("props"),
    )
    return answer(shown, 201)


async def react(ask: Ask) -> web.StreamResponse:
    """`POST /reactions`."""
    target = ask.world.history.post(ask.text("post_id"))
    if ask.text("user_id") != ask.user.id or not ask.world.rooms.has(target.channel_id, ask.user.id):
        raise denied()
    return answer(posting.react(ask.world, ask.user, target, ask.text("emoji_name")), 201)


async def unreact(ask: Ask) -> web.StreamResponse:
    """`DELETE /users/{id}/posts/{id}/reactions/{emoji}`."""
    posting.unreact(ask.world, ask.self_user(), ask.post(), ask.part("emoji"))
    return answer({"status": "OK"})


async def reactions(ask: Ask) -> web.StreamResponse:
    """`GET /posts/{id}/reactions`."""
    return answer(ask.post().metadata.get("reactions"))


async def upload(ask: Ask) -> web.StreamResponse:
    """`POST /files`: multipart, with `channel_id` as a field or in the query, and `files`."""
    channel_id = ask.request.query.get("channel_id", "")
    found: list[tuple[str, bytes]] = []
    if ask.request.content_type == "multipart/form-data":
        async for part in await ask.request.multipart():
            if not isinstance(part, BodyPartReader):
                continue
            if part.name == "channel_id":
                channel_id = await part.text()
            elif part.filename:
                found.append((part.filename, bytes(await part.read())))
    else:
        found.append((ask.request.query.get("filename", ""), await ask.request.read()))
    if not found or not channel_id:
        raise bad_body("files")
    if not ask.world.rooms.has(channel_id, ask.user.id):
        raise denied()
    infos = [_keep(ask, name, data) for name, data in found]
    return answer({"file_infos": infos, "client_ids": []}, 201)


async def file(ask: Ask) -> web.StreamResponse:
    """`GET /files/{id}`: the bytes."""
    info, data = _file(ask)
    return web.Response(body=data, content_type=info.mime_type)


async def file_info(ask: Ask) -> web.StreamResponse:
    """`GET /files/{id}/info`."""
    return answer(_file(ask)[0])


def _keep(ask: Ask, name: str, data: bytes) -> FileInfo:
    now = ask.world.now()
    info = FileInfo(
        id=new_id(),
        user_id=ask.user.id,
        create_at=now,
        update_at=now,
        name=name,
        extension=name.rpartition(".")[2],
        size=len(data),
    )
    ask.world.files[info.id] = (info, data)
    return info


def _file(ask: Ask) -> tuple[FileInfo, bytes]:
    found = ask.world.files.get(ask.part("file_id"))
    if found is None:
        raise not_found("app.file_info.get.app_error", "Unable to get the file info.")
    posted = ask.world.history.posts.get(found[0].post_id)
    if posted is None:
        allowed = found[0].user_id == ask.user.id
    else:
        allowed = ask.world.may_read(ask.user, ask.world.rooms.channel(posted.channel_id))
    if not allowed:
        raise denied()
    return found


def _own(ask: Ask) -> Post:
    found = ask.post()
    if found.user_id != ask.user.id and not ask.user.is_admin:
        raise denied()
    return found


async def _let_events_go() -> None:
    """Two turns of the loop: the sockets are written to, and a client can read before the answer comes."""
    await asyncio.sleep(0)
    await asyncio.sleep(0)


ROUTES = (
    Route("POST", "/posts", create),
    Route("POST", "/posts/ephemeral", ephemeral),
    Route("GET", "/posts/{post_id}", post),
    Route("PUT", "/posts/{post_id}", update),
    Route("DELETE", "/posts/{post_id}", delete),
    Route("PUT", "/posts/{post_id}/patch", patch),
    Route("GET", "/posts/{post_id}/thread", thread),
    Route("POST", "/posts/{post_id}/pin", pin),
    Route("POST", "/posts/{post_id}/unpin", pin),
    Route("GET", "/posts/{post_id}/reactions", reactions),
    Route("POST", "/reactions", react),
    Route("DELETE", "/users/{user_id}/posts/{post_id}/reactions/{emoji}", unreact),
    Route("GET", "/channels/{channel_id}/posts", listing),
    Route("POST", "/files", upload),
    Route("GET", "/files/{file_id}", file),
    Route("GET", "/files/{file_id}/info", file_info),
)

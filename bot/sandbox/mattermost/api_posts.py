"""API routes under `/posts`, `/reactions` and `/files`."""

from __future__ import annotations

import asyncio

from aiohttp import BodyPartReader, web

from bot.sandbox.mattermost import checks, posting
from bot.sandbox.mattermost.api_channels import MAX_PER_PAGE
from bot.sandbox.mattermost.api_request import ApiRequest, Route
from bot.sandbox.mattermost.records import FileInfo, Json, Post
from bot.sandbox.mattermost.refusals import bad_body, denied, no_channel, not_found
from bot.sandbox.mattermost.wire import answer, new_id

MAX_FILE = 50 * 1024 * 1024
# Post types that clients may set.
_TYPES = ("", "slack_attachment", "me")


async def create(request: ApiRequest) -> web.StreamResponse:
    """Events are sent before the response."""
    body = request.json
    channel_id, props, kind = request.text("channel_id"), body.get("props"), request.text("type")
    if not channel_id or (props is not None and not isinstance(props, dict)):
        raise bad_body("post")
    if kind not in _TYPES and not kind.startswith("custom_"):
        raise bad_body("type")
    if channel_id not in request.world.channels.by_id:
        # Nobody is a member of an unknown channel, so the answer is 403 and not 404.
        raise denied()
    post = posting.create(
        request.world,
        request.user,
        request.world.channels.channel(channel_id),
        request.text("message"),
        root_id=request.text("root_id"),
        props=props,
        type=kind,
        file_ids=body.get("file_ids") or [],
        pending_post_id=request.text("pending_post_id"),
        create_at=_create_at(request),
    )
    await _let_events_go()
    return answer(post, 201)


def _create_at(request: ApiRequest) -> int:
    """Only system admins may say when a post was written; from others it is ignored."""
    given = request.json.get("create_at")
    return given if request.user.is_admin and isinstance(given, int) else 0


async def post(request: ApiRequest) -> web.StreamResponse:
    return answer(request.post())


async def patch(request: ApiRequest) -> web.StreamResponse:
    """Change the given fields only; given props replace all props."""
    known = request.world.history.posts.get(request.id("post_id"))
    mine = checks.check_edit(request.world, known, request.user)
    changed = posting.edit(request.world, mine, request.json)
    await _let_events_go()
    return answer(changed)


async def update(request: ApiRequest) -> web.StreamResponse:
    """Replace a post. The id in the body must match the path."""
    if request.text("id") != request.part("post_id"):
        raise bad_body("id")
    return await patch(request)


async def delete(request: ApiRequest) -> web.StreamResponse:
    posting.delete(request.world, _own(request), request.user)
    await _let_events_go()
    return answer({"status": "OK"})


async def thread(request: ApiRequest) -> web.StreamResponse:
    return answer(request.world.history.thread(request.post().id))


async def pin(request: ApiRequest) -> web.StreamResponse:
    posting.edit(request.world, request.post(), {"is_pinned": request.http.path.endswith("/pin")})
    return answer({"status": "OK"})


async def listing(request: ApiRequest) -> web.StreamResponse:
    """A channel's posts: `since` a time (ms), `before` or `after` a post, or by page."""
    history, channel, query = request.world.history, request.channel(), request.http.query
    page, per_page = request.number("page", 0), min(request.number("per_page", 60), MAX_PER_PAGE)
    if since := request.number("since", 0):
        return answer(history.since(channel.id, since))
    for side in ("before", "after"):
        if pivot := query.get(side):
            before = side == "before"
            return answer(history.around(channel.id, pivot, before=before, page=page, per_page=per_page))
    return answer(history.page(channel.id, page, per_page))


async def ephemeral(request: ApiRequest) -> web.StreamResponse:
    """Only system admins may."""
    if not request.user.is_admin:
        raise denied()
    given: Json = request.json.get("post") or {}
    if given.get("channel_id") not in request.world.channels.by_id:
        raise no_channel()
    shown = posting.ephemeral(
        request.world,
        request.text("user_id"),
        given["channel_id"],
        given.get("message", ""),
        author_id=request.user.id,
        root_id=given.get("root_id", ""),
        props=given.get("props"),
    )
    return answer(shown, 201)


async def react(request: ApiRequest) -> web.StreamResponse:
    target = request.world.history.post(request.text("post_id"))
    if request.text("user_id") != request.user.id or not request.world.channels.has(
        target.channel_id, request.user.id
    ):
        raise denied()
    return answer(posting.react(request.world, request.user, target, request.text("emoji_name")), 201)


async def unreact(request: ApiRequest) -> web.StreamResponse:
    posting.unreact(request.world, request.self_user(), request.post(), request.part("emoji"))
    return answer({"status": "OK"})


async def reactions(request: ApiRequest) -> web.StreamResponse:
    return answer(request.post().metadata.get("reactions"))


async def upload(request: ApiRequest) -> web.StreamResponse:
    """Takes multipart `files` with `channel_id` as a field or in the query, or one file as the raw body."""
    channel_id = request.http.query.get("channel_id", "")
    found: list[tuple[str, bytes]] = []
    if request.http.content_type == "multipart/form-data":
        async for part in await request.http.multipart():
            if not isinstance(part, BodyPartReader):
                continue
            if part.name == "channel_id":
                channel_id = await part.text()
            elif part.filename:
                found.append((part.filename, bytes(await part.read())))
    else:
        found.append((request.http.query.get("filename", ""), await request.http.read()))
    if not found or not channel_id:
        raise bad_body("files")
    if not request.world.channels.has(channel_id, request.user.id):
        raise denied()
    infos = [_keep(request, name, data) for name, data in found]
    return answer({"file_infos": infos, "client_ids": []}, 201)


async def file(request: ApiRequest) -> web.StreamResponse:
    info, data = _file(request)
    return web.Response(body=data, content_type=info.mime_type)


async def file_info(request: ApiRequest) -> web.StreamResponse:
    return answer(_file(request)[0])


def _keep(request: ApiRequest, name: str, data: bytes) -> FileInfo:
    now = request.world.now()
    info = FileInfo(
        id=new_id(),
        user_id=request.user.id,
        create_at=now,
        update_at=now,
        name=name,
        extension=name.rpartition(".")[2],
        size=len(data),
    )
    request.world.files[info.id] = (info, data)
    return info


def _file(request: ApiRequest) -> tuple[FileInfo, bytes]:
    found = request.world.files.get(request.part("file_id"))
    if found is None:
        raise not_found("app.file_info.get.app_error", "Unable to get the file info.")
    posted = request.world.history.posts.get(found[0].post_id)
    if posted is None:
        allowed = found[0].user_id == request.user.id
    else:
        allowed = request.world.may_read(request.user, request.world.channels.channel(posted.channel_id))
    if not allowed:
        raise denied()
    return found


def _own(request: ApiRequest) -> Post:
    found = request.post()
    if found.user_id != request.user.id and not request.user.is_admin:
        raise denied()
    return found


async def _let_events_go() -> None:
    """Yield to the event loop twice, so that sockets are written to before the response is sent."""
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

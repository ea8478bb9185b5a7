"""``app_deauthorized``: delete what the bot knows about somebody who removed the app at Zoom."""

from __future__ import annotations

import logging
from typing import Any, TypeVar

from bot.core.context import Context, Job
from bot.core.declarations import Changes, webhook
from bot.domain.records import LinkedAccount, LostLink
from bot.features.erasure import erased
from bot.features.lost_links import keepers
from bot.messages.content import text
from bot.stores import Change, Delete
from bot.zoom import ACCOUNT
from bot.zoom.times import parse_time
from bot.zoom.webhooks import Webhook

log = logging.getLogger(__name__)

L = TypeVar("L", LinkedAccount, LostLink)

# Clocks differ by less than this, and nobody links again that fast.
SLACK_MS = 2_000


@webhook("app_deauthorized", any_meeting=True)
async def deauthorize(ctx: Context, job: Job, webhook: Webhook) -> Changes:
    """Delete the links to this Zoom account, and tell their owners. Zoom has already revoked the tokens."""
    client_id = webhook.payload.get("client_id")
    if client_id and client_id != ctx.config.zoom.client_id:
        log.warning("deauthorization: it is meant for another app")
        return []
    at = _removed_at(job, webhook)
    changes: list[Change] = []
    for lost in await _meant(ctx, LostLink, webhook.payload):
        # Zoom refused the link before it said why.
        changes += [Delete(LostLink, lost.id), *await _forget(ctx, job, lost)]
    for link in await _meant(ctx, LinkedAccount, webhook.payload):
        # The webhook may come hours late, after the person has connected again.
        if link.linked_at <= at + SLACK_MS:
            changes += [*ctx.tokens.unlinked(link.id), *await _forget(ctx, job, link)]
            log.info("deauthorization: a link is deleted", extra={"item": job.id})
    return changes


def _removed_at(job: Job, webhook: Webhook) -> int:
    """When the app was removed (ms); when the webhook arrived, if Zoom does not say."""
    written = parse_time(str(webhook.payload.get("deauthorization_time") or ""))
    return written or webhook.at or job.asked_at


async def _meant(ctx: Context, kind: type[L], payload: dict[str, Any]) -> list[L]:
    """The links of the person who removed the app, and the account's link if it was that account's app.
    ``user_id`` may then be that of another administrator than the one who authorized it."""
    zoom_user_id = payload.get("user_id")
    if not isinstance(zoom_user_id, str):
        zoom_user_id = ""
    found = await ctx.store.find(kind, "zoom_user_id", zoom_user_id) if zoom_user_id else []
    meant = [each for each in found if each.id != ACCOUNT]
    shared = await ctx.store.get(kind, ACCOUNT)
    if shared and _is_of(shared, payload.get("account_id"), zoom_user_id):
        meant.append(shared)
    return meant


def _is_of(shared: LinkedAccount | LostLink, account_id: object, zoom_user_id: str) -> bool:
    if shared.zoom_account_id and account_id:
        return shared.zoom_account_id == account_id
    return shared.zoom_user_id == zoom_user_id


async def _forget(ctx: Context, job: Job, link: LinkedAccount | LostLink) -> list[Change]:
    """Return the changes that delete the owner's other records and tell them. For an account's link, only
    tell its keepers."""
    if link.id == ACCOUNT:
        said = text("deauthorized-account")
        told: list[Change] = [
            ctx.tell_user(f"deauthorized:{job.reference}:{user_id}", user_id, said)
            for user_id in keepers(ctx, link.linked_by)
        ]
        return [*told, *await ctx.zoom_people.forgotten()]
    told_id = f"deauthorized:{job.reference}:{link.id}"
    return [*await erased(ctx, link.id), ctx.tell_user(told_id, link.id, text("deauthorized"))]

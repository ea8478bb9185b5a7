"""The doctor's check of ``mattermost.admins``: whether each name is still that of the person who is meant."""

from __future__ import annotations

from bot.config import Config
from bot.domain.identities import NamedAdmin
from bot.errors import MattermostError, MattermostNotFoundError, StoreError
from bot.mattermost import Mattermost
from bot.setup.findings import Finding, note, wrong
from bot.setup.places import opened

SUBJECT = "mattermost.admins"


async def check_admins(config: Config, client: Mattermost) -> list[Finding]:
    """What is wrong with the names; nothing if each belongs to the person whom the bot knows by it."""
    names = config.mattermost.admins
    kept = await _kept(config) if names else {}
    found = [await _compare(client, name, kept.get(name, "")) for name in names]
    return [finding for finding in found if finding is not None]


async def _kept(config: Config) -> dict[str, str]:
    """Looked-up ids by name. Empty if the store cannot be read: that is said elsewhere."""
    try:
        store = await opened(config, readonly=True)
    except StoreError:
        return {}
    try:
        return {known.id: known.user_id for known in await store.all(NamedAdmin)}
    except StoreError:
        return {}
    finally:
        await store.close()


async def _compare(client: Mattermost, name: str, kept: str) -> Finding | None:
    try:
        user = await client.user_by_name(name)
    except MattermostNotFoundError:
        return wrong(SUBJECT, f"there is no user @{name}{await _present(client, kept)}")
    except MattermostError as error:
        return note(SUBJECT, f"@{name} could not be looked up: {error}")
    if kept and user.id != kept:
        said = f"@{name} is another person than before, and no administrator"
        return wrong(SUBJECT, f"{said}{await _present(client, kept)}")
    return note(SUBJECT, f"@{name} is deactivated") if user.delete_at else None


async def _present(client: Mattermost, kept: str) -> str:
    """What the administrator is called now, whom the bot knows by the name; empty if it knows nobody."""
    if not kept:
        return ""
    try:
        user = await client.user(kept)
    except MattermostError:
        return ""
    return f"; the administrator who was meant is now @{user.username}: write that name"

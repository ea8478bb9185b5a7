"""How each command is written and what it is for, as people read it. Pure."""

from __future__ import annotations

from collections.abc import Iterable

CONNECT = "`connect`"
CONNECT_HELP = "link your Zoom account"
DISCONNECT = "`disconnect`"
DISCONNECT_HELP = "unlink it"
JOIN = "`join 123 4567 8901`, `join https://…` or `join me`"
JOIN_HELP = "share a meeting that already exists, or your personal room"
END = "`end`"
END_HELP = "end this channel's meeting, if it's yours"
WEBINAR = "`webinar town hall`"
WEBINAR_HELP = "start a webinar, if your Zoom plan includes them"
SUBSCRIBE = "`subscribe 123 4567 8901`"
SUBSCRIBE_HELP = "let this channel follow one of your meetings"
UNSUBSCRIBE = "`unsubscribe 123 4567 8901`"
UNSUBSCRIBE_HELP = "stop following it"
SUBSCRIPTIONS = "`subscriptions`"
SUBSCRIPTIONS_HELP = "see what this channel follows"
SETTINGS = "`settings`, or `settings pmi always`, `never` or `ask`"
SETTINGS_HELP = "choose whether your meetings use your personal room"
CHANNEL = "`channel allow`, `channel restrict`, `channel default` or `channel list`"
CHANNEL_HELP = "choose where meetings can be started (administrators)"
HELP = "`help`"
HELP_HELP = "see this again"

# What only the person's own Zoom account makes sense of.
_OWN_ACCOUNT = (CONNECT, DISCONNECT)


def help_text(bot: str, keyword: str, app: str, commands: Iterable[tuple[str, str]]) -> str:
    """The answer to ``help``: ``commands`` are usage and help of each, ``app`` the kind of Zoom app."""
    lines = [
        "**Zoom meetings, here in Mattermost**",
        "",
        "| Write | to |",
        "| --- | --- |",
        f"| `@{bot} standup` in a channel | start a meeting called “standup” |",
        f"| `@{bot}` | start one named after the channel |",
    ]
    if keyword:
        lines.append(f"| `{keyword} start retro` | the same, without the mention |")
    lines += [
        f"| {usage} | {text} |" for usage, text in commands if app == "user" or usage not in _OWN_ACCOUNT
    ]
    return "\n".join([*lines, "", "In a direct message to me, leave out the mention."])

"""The sentences that people read in Mattermost. Pure.

They are short and kind and name the next step. Callers escape text from outside before filling it in.
"""

from __future__ import annotations

from datetime import UTC, datetime

from bot.errors import (
    EmailHiddenError,
    NotLinkedError,
    ZoomClientError,
    ZoomError,
    ZoomLicenceError,
    ZoomLinkError,
    ZoomNotFoundError,
    ZoomRateLimitError,
    ZoomScopeError,
    ZoomUnreachableError,
    ZoomUserUnknownError,
)
from bot.messages.markdown import escape

# Meetings.
AGENDA = "Asked for in Mattermost. Reference: {reference}"
DEFAULT_TOPIC = "Zoom meeting"

# Linking.
CONNECT = "To start meetings, connect your Zoom account: [Connect Zoom]({url})\nThe link is only for you, works once and expires in 10 minutes."
CONNECT_FOR_MEETING = (
    "To start your meeting, connect your Zoom account first: [Connect Zoom]({url})\n"
    "The link is only for you, works once and expires in 10 minutes. Your meeting starts as soon as you're connected."
)
CONNECT_FIRST = (
    "To do that, connect your Zoom account first: [Connect Zoom]({url})\n"
    "The link is only for you, works once and expires in 10 minutes. Once you're connected, I'll do what you asked."
)
CONNECT_REVOKED = (
    "Zoom no longer accepts the connection to your account. Please connect it again: [Connect Zoom]({url})\n"
    "The link is only for you, works once and expires in 10 minutes. Once you're connected, I'll do what you asked."
)
CONNECT_AGAIN = (
    "You're already connected to Zoom as {email}. To use another account, write `disconnect` first."
)
CONNECT_ADMIN = (
    "Zoom isn't connected yet. A system administrator of Mattermost needs to connect it once for everyone, by "
    "writing `connect` to me in a direct message."
)
CONNECT_NOT_NEEDED = (
    "You don't need to connect anything: this server's administrator has set Zoom up for everyone."
)
CONNECT_DENIED = (
    "Only a system administrator can connect or disconnect Zoom here. Everyone else is ready to go."
)
CONNECTED = (
    "You're connected to Zoom as {email}. To start a meeting, write `start` to me or mention me in a channel."
)
CONNECTED_AND_ON = "You're connected to Zoom as {email}. Now I'll do what you asked."
DISCONNECTED = "I've disconnected your Zoom account and deleted its keys. Write `connect` to link it again."
DISCONNECTED_HERE = "I've disconnected your Zoom account here and deleted its keys, but I couldn't tell Zoom. To be sure, also remove the app at marketplace.zoom.us under *Manage > Added Apps*."
NOT_CONNECTED = "You're not connected to Zoom. Write `connect` to link your account."
UNLINKED_BY_ZOOM = "Zoom no longer accepts the connection to your account, so I've removed it. Write `connect` to link it again."

# Where and whether to start.
RESTRICTED = "Meetings can't be started in this channel. Start one in a direct message, or ask a channel administrator to write `channel allow`."
LEFT = "You're no longer in that channel, so I didn't post anything there."
HERE = "here"
IN_CHANNEL = "in **{channel}**"
DUPLICATE = "{who} just {done} a {noun} {where}: {link}. Join that one, or start another?"
DUPLICATE_OWN = "You have"
DUPLICATE_OTHER = "{name} has"
DUPLICATE_STARTED = "started"
DUPLICATE_SHARED = "shared"
DUPLICATE_TITLE = "Join “{topic}”?"
DUPLICATE_JOIN = "Here it is: {link}"
DUPLICATE_GONE = "That meeting is over. Ask again to start a new one."
CROWD = "{count} people are {where} and would all see the meeting. Start it?"
CROWD_TITLE = "Start it for {count} people?"
CROWD_CANCELLED = "No meeting was started."
WHICH_ROOM = "Should your meeting {where} use your personal room or a new ID? To stop being asked, write `settings pmi always` or `settings pmi never`."
WHICH_ROOM_TITLE = "Personal room or a new ID?"
PMI_OFF = "Your personal room is turned off at Zoom, so this meeting has its own ID. To use the room, turn on *Personal Meeting ID* in your [Zoom settings]({zoom}/profile/setting)."
SETTINGS = "Your meetings {choice}. What would you like?"
SETTINGS_KEPT = "From now on, your meetings {choice}."
SETTINGS_TITLE = "Zoom settings"
SETTINGS_SAVE = "Save"
SETTINGS_ROOM = "Where your meetings take place"
PMI_CHOICES = {
    "always": "use your personal room",
    "never": "get a new ID each time",
    "ask": "use your personal room or a new ID, as you choose each time",
}
BUTTON_EXISTING = "Join that one"
BUTTON_NEW = "Start another"
BUTTON_YES = "Start it"
BUTTON_NO = "Cancel"
BUTTON_PERSONAL = "Personal room"
BUTTON_UNIQUE = "A new ID"
BUTTON_ALWAYS = "Personal room"
BUTTON_NEVER = "A new ID each time"
BUTTON_ASK = "Ask each time"
QUESTION_IN_WORDS = "Press a button, or write {words} to me."
QUESTION_FALLBACK = "{title} ({words}) {url}"
CHOICES = {
    "existing": BUTTON_EXISTING,
    "new": BUTTON_NEW,
    "yes": BUTTON_YES,
    "no": BUTTON_NO,
    "personal": BUTTON_PERSONAL,
    "unique": BUTTON_UNIQUE,
    "always": BUTTON_ALWAYS,
    "never": BUTTON_NEVER,
    "ask": BUTTON_ASK,
}
NO_QUESTION = "I'm not waiting for an answer from you. Write `help` to see what I can do."
ANSWERED_ALREADY = "You already answered this."
ANSWER_TAKEN = "You chose: {choice}"
PRESSED_EXPIRED = "This question has expired. Please ask for what you wanted again."
PRESSED_FOREIGN = "This question is for someone else."
POLICY_ALLOWED = "Meetings can be started in this channel."
POLICY_RESTRICTED = (
    "Meetings can no longer be started in this channel. To allow them again, write `channel allow`."
)
POLICY_DEFAULT = "This channel follows the server's general rule again."
POLICY_DENIED = "Only this channel's administrators can change this."
POLICY_LIST_DENIED = "Only a system administrator can see the list."
POLICY_NOT_HERE = "This only works in channels. In direct and group messages, meetings are always allowed."
POLICY_ALL_ON = "Meetings can be started everywhere, except where the list says otherwise."
POLICY_PUBLIC_OFF = "Meetings can't be started in public channels, except where the list says otherwise."

# The demo.
GREETING = (
    "Hello! I start Zoom meetings from here. Three things to try:\n"
    "1. Write `@{bot} standup` in a channel. The first time, I'll send you a link to connect a Zoom account.\n"
    "2. Open the meeting's link, start it, let others join, and watch the post in the channel.\n"
    "3. Write `help` to me to see everything else."
)

# Talk.
PROBLEM = "⚠️ {text}"
LATER = "This is taking longer than usual. I'll do it as soon as I can."
NOT_NOW = "I can't take this on right now. Please try again in a minute."
UNKNOWN = "I didn't understand that. Write `help` to see what I can do."
USAGE = "I didn't understand that `{name}`. Write it like this: {usage}"
HANDLER_FAILED = "Something went wrong on my side and I couldn't do that. Please try again. If it happens again, tell your administrator (reference {reference})."
MISSED = "I was away when you asked for a meeting ({ago} ago), so I didn't start one. If you still need it, ask again."
NOT_POSTED = "I started your meeting but couldn't post it in the channel because I'm not allowed to write there. Invite me to the channel and ask again."
NOT_SHARED = "I couldn't post that meeting in the channel because I'm not allowed to write there. Invite me to the channel and ask again."
BOT_NOT_IN_CHANNEL = "I'm not in this conversation, so I can't post here. In a channel, invite me with `/invite @{bot}`; elsewhere, send me a direct message."


def people(count: int) -> str:
    """``1 person``, ``12 people``."""
    return "1 person" if count == 1 else f"{count} people"


def either(words: list[str]) -> str:
    """The words as a list of choices, with "or" before the last."""
    quoted = [f"`{word}`" for word in words]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} or {quoted[-1]}"


def ago(milliseconds: int) -> str:
    """A rough duration in words."""
    minutes = max(1, round(milliseconds / 60_000))
    if minutes < 60:
        return "1 minute" if minutes == 1 else f"{minutes} minutes"
    hours = round(minutes / 60)
    if hours < 48:
        return "1 hour" if hours == 1 else f"{hours} hours"
    return f"{round(hours / 24)} days"


def clock_time(at: int, now: int) -> str:
    """A future time (ms), and how long it is until then."""
    return f"{datetime.fromtimestamp(at / 1000, UTC):%d %b %Y, %H:%M} UTC (in {ago(at - now)})"


def zoom_problem(error: ZoomError, now: int, app: str) -> str:
    """What went wrong at Zoom, and what to do about it. ``now`` is in ms, ``app`` is the kind of Zoom app."""
    match error:
        case ZoomRateLimitError():
            return _limited(error, now)
        case ZoomScopeError():
            return _missing_scopes(error, app)
        case ZoomLicenceError():
            return f"Your Zoom plan doesn't include this.{_said(error)}"
        case ZoomUserUnknownError() if app == "user":
            return "Zoom doesn't know your account any more. Write `disconnect` and then `connect` to me. If that doesn't help, ask your Zoom administrator."
        case ZoomUnreachableError(timed_out=True):
            return "Zoom didn't answer in time. Please try again in a minute."
    for cause, text in _PROBLEMS:
        if isinstance(error, cause):
            return text
    return f"Zoom refused this.{_said(error)} Please try again, or tell your administrator."


def _said(error: ZoomError) -> str:
    return f" Zoom says: “{escape(error.reason)}”." if error.reason else ""


_PROBLEMS: tuple[tuple[type[ZoomError], str], ...] = (
    (NotLinkedError, NOT_CONNECTED),
    (ZoomLinkError, UNLINKED_BY_ZOOM),
    (
        EmailHiddenError,
        "Mattermost doesn't show me your e-mail address, and I need it to find you at Zoom. Please ask your "
        "administrator to run `zoombot check`, which says how to fix it.",
    ),
    (
        ZoomUserUnknownError,
        "Zoom doesn't know you: your e-mail address in Mattermost must be the same as in Zoom. "
        "Change it in your profile, or ask your Zoom administrator to add you.",
    ),
    (
        ZoomNotFoundError,
        "Zoom has no such meeting, or doesn't show it to you. Paste the whole invitation link instead.",
    ),
    (
        ZoomClientError,
        "Zoom doesn't accept this bot's credentials. Please ask your administrator to run `zoombot check`.",
    ),
    (ZoomUnreachableError, "I can't reach Zoom right now. Please try again in a minute."),
)


def _limited(error: ZoomRateLimitError, now: int) -> str:
    when = clock_time(error.retry_at, now) if error.retry_at > now else ""
    if error.daily:
        until = f" It ends {when}." if when else " Try again tomorrow."
        return f"You've reached Zoom's daily limit for creating meetings.{until}"
    if when and error.retry_at - now > 60_000:
        return f"Zoom is limiting requests. Please try again after {when}."
    return "Zoom is limiting requests. Please try again in a minute."


def _missing_scopes(error: ZoomScopeError, app: str) -> str:
    names = ", ".join(f"`{scope}`" for scope in error.scopes) or "a scope"
    return (
        f"The Zoom app is missing {names}. Please ask your administrator to add it to the app at marketplace.zoom.us"
        + _SCOPES_COUNT[app]
    )


# What to do before an added scope takes effect.
_SCOPES_COUNT = {
    "user": ", then write `disconnect` and `connect` to me.",
    "account": ", and then to disconnect and connect again.",
    "server-to-server": ", and then to activate the app again.",
}

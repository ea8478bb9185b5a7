"""Everything that people read in Mattermost, in one place. Pure.

Short, kind, and with the next step. Whatever comes from outside is escaped before it comes here.
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
CONNECT = "To start meetings, connect your Zoom account: [Connect Zoom]({url})\nThe link is for you alone, works once and for 10 minutes."
CONNECT_FOR_MEETING = (
    "To start your meeting, connect your Zoom account first: [Connect Zoom]({url})\n"
    "The link is for you alone, works once and for 10 minutes. Your meeting starts as soon as you are connected."
)
CONNECT_FIRST = (
    "To do that, connect your Zoom account first: [Connect Zoom]({url})\n"
    "The link is for you alone, works once and for 10 minutes. As soon as you are connected, I do what you asked for."
)
CONNECT_REVOKED = (
    "Zoom no longer accepts the connection to your account. Please connect it again: [Connect Zoom]({url})\n"
    "The link is for you alone, works once and for 10 minutes. As soon as you are connected, I do what you asked for."
)
CONNECT_AGAIN = "You are connected to Zoom as {email}. To use another account, write `disconnect` first."
CONNECT_ADMIN = (
    "Zoom is not connected yet. A system administrator of Mattermost connects it once for everybody, by "
    "writing `connect` to me in a direct message."
)
CONNECT_NOT_NEEDED = "There is nothing to connect: this server's administrator has set Zoom up for everybody."
CONNECT_DENIED = (
    "Only a system administrator can connect or disconnect Zoom here. Everybody else is ready to go."
)
CONNECTED = "You are connected to Zoom as {email}. Write `start` to me, or mention me in a channel, to start a meeting."
CONNECTED_AND_ON = "You are connected to Zoom as {email}. I am doing now what you asked for."
DISCONNECTED = "Your Zoom account is disconnected and its keys are deleted. Write `connect` to link it again."
DISCONNECTED_HERE = "Your Zoom account is disconnected here and its keys are deleted, but Zoom could not be told. To be sure, remove the app at marketplace.zoom.us under *Manage > Added Apps* too."
NOT_CONNECTED = "You are not connected to Zoom. Write `connect` to link your account."
UNLINKED_BY_ZOOM = "Zoom no longer accepts the connection to your account, so I have removed it. Write `connect` to link it again."

# Where and whether to start.
RESTRICTED = "Meetings may not be started in this channel. Start one in a direct message, or ask a channel administrator to write `channel allow`."
LEFT = "You are not in that channel any more, so I have posted nothing there."
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
WHICH_ROOM = "Your meeting {where}: in your personal room, or with a new ID? To be asked no more, write `settings pmi always` or `settings pmi never`."
WHICH_ROOM_TITLE = "Personal room, or a new ID?"
PMI_OFF = "Your personal room is switched off at Zoom, so this meeting has an ID of its own. To use the room, enable *Personal Meeting ID* in your [Zoom settings]({zoom}/profile/setting)."
SETTINGS = "Your meetings {choice}. What shall it be?"
SETTINGS_KEPT = "From now on your meetings {choice}."
SETTINGS_TITLE = "Zoom settings"
SETTINGS_SAVE = "Save"
SETTINGS_ROOM = "Where your meetings take place"
PMI_CHOICES = {
    "always": "are in your personal room",
    "never": "get a new ID each time",
    "ask": "are in your personal room or not as you say each time",
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
NO_QUESTION = "There is nothing that I have asked you. Write `help` to see what I can do."
ANSWERED_ALREADY = "You have answered this already."
ANSWER_TAKEN = "You chose: {choice}"
PRESSED_EXPIRED = "This question is too old to be answered. Please ask again."
PRESSED_FOREIGN = "This question is for somebody else."
POLICY_ALLOWED = "Meetings may be started in this channel."
POLICY_RESTRICTED = "Meetings may no longer be started in this channel. `channel allow` permits them again."
POLICY_DEFAULT = "This channel follows the server's general rule again."
POLICY_DENIED = "Only administrators of this channel can change this."
POLICY_LIST_DENIED = "Only a system administrator can see the list."
POLICY_NOT_HERE = "This works in channels. In direct and group messages meetings may always be started."
POLICY_ALL_ON = "Meetings may be started everywhere, except where the list says otherwise."
POLICY_PUBLIC_OFF = "Meetings may not be started in public channels, except where the list says otherwise."

# The demo.
GREETING = (
    "Hello! I start Zoom meetings from here. Three things to try:\n"
    "1. Write `@{bot} standup` in a channel. The first time, I send you a link to connect a Zoom account.\n"
    "2. Open the meeting's link, start it, let others join, and watch the post in the channel.\n"
    "3. Write `help` to me to see everything else."
)

# Talk.
PROBLEM = "⚠️ {text}"
LATER = "This takes longer than usual. I do it as soon as I can."
NOT_NOW = "I cannot take this in right now. Please try again in a minute."
UNKNOWN = "I did not understand that. Write `help` to see what I can do."
USAGE = "I did not understand that `{name}`. It goes like this: {usage}"
HANDLER_FAILED = "Something went wrong on my side and I could not do that. Please try again; if it happens again, tell your administrator (reference {reference})."
MISSED = "I was away when you asked for a meeting ({ago} ago), so I did not start one now. Ask again if you still need it."
NOT_POSTED = "I started your meeting but could not post it in the channel: I am not allowed to write there. Invite me to the channel and ask again."
NOT_SHARED = "I could not post that meeting in the channel: I am not allowed to write there. Invite me to the channel and ask again."
BOT_NOT_IN_CHANNEL = "I am not in this conversation, so I cannot post here. In a channel, invite me with `/invite @{bot}`; elsewhere, write to me directly."


def people(count: int) -> str:
    """``1 person``, ``12 people``."""
    return "1 person" if count == 1 else f"{count} people"


def either(words: list[str]) -> str:
    """The words as choices: the last after "or"."""
    quoted = [f"`{word}`" for word in words]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} or {quoted[-1]}"


def ago(milliseconds: int) -> str:
    """How long ago something was, roughly."""
    minutes = max(1, round(milliseconds / 60_000))
    if minutes < 60:
        return "1 minute" if minutes == 1 else f"{minutes} minutes"
    hours = round(minutes / 60)
    if hours < 48:
        return "1 hour" if hours == 1 else f"{hours} hours"
    return f"{round(hours / 24)} days"


def clock_time(at: int, now: int) -> str:
    """A moment that is to come (ms), and how far off it is."""
    return f"{datetime.fromtimestamp(at / 1000, UTC):%d %b %Y, %H:%M} UTC (in {ago(at - now)})"


def zoom_problem(error: ZoomError, now: int, app: str) -> str:
    """What went wrong at Zoom, as a sentence that the person can act on. ``now`` in ms, ``app`` its kind."""
    match error:
        case ZoomRateLimitError():
            return _limited(error, now)
        case ZoomScopeError():
            return _missing_scopes(error, app)
        case ZoomLicenceError():
            return f"Your Zoom plan does not include this.{_said(error)}"
        case ZoomUserUnknownError() if app == "user":
            return "Zoom does not know your account any more. Write `disconnect`, then `connect`, to me; if that does not help, ask your Zoom administrator."
        case ZoomUnreachableError(timed_out=True):
            return "Zoom did not answer in time. Please try again in a minute."
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
        "Mattermost does not show me your e-mail address, and I find you at Zoom by it. Please tell your "
        "administrator to run `zoombot check`, which says how to mend it.",
    ),
    (
        ZoomUserUnknownError,
        "Zoom does not know you: your e-mail address in Mattermost must be that of your Zoom account. "
        "Change it in your profile, or ask your Zoom administrator to add you.",
    ),
    (
        ZoomNotFoundError,
        "Zoom knows no such meeting, or does not show it to you. Paste the whole invitation link instead.",
    ),
    (
        ZoomClientError,
        "Zoom does not accept this bot's credentials. Please tell your administrator to run `zoombot check`.",
    ),
    (ZoomUnreachableError, "Zoom cannot be reached right now. Please try again in a minute."),
)


def _limited(error: ZoomRateLimitError, now: int) -> str:
    when = clock_time(error.retry_at, now) if error.retry_at > now else ""
    if error.daily:
        until = f" It ends {when}." if when else " Try again tomorrow."
        return f"You have reached Zoom's daily limit for creating meetings.{until}"
    if when and error.retry_at - now > 60_000:
        return f"Zoom is limiting requests. Please try again after {when}."
    return "Zoom is limiting requests. Please try again in a minute."


def _missing_scopes(error: ZoomScopeError, app: str) -> str:
    names = ", ".join(f"`{scope}`" for scope in error.scopes) or "a scope"
    return (
        f"The Zoom app lacks {names}. Please ask your administrator to add it to the app at marketplace.zoom.us"
        + _SCOPES_COUNT[app]
    )


# What makes an added scope count.
_SCOPES_COUNT = {
    "user": ", then write `disconnect` and `connect` to me.",
    "account": ", and then to disconnect and connect again.",
    "server-to-server": ", and then to activate the app again.",
}

"""What people read of a meeting, of joining, ending, following it and of what comes after. Pure; see ``texts``."""

from __future__ import annotations

# Meetings.
MEETING_ANNOUNCED = "{who} started a Zoom meeting: {topic}"
MEETING_JOINED = "{who} shared a Zoom meeting: {topic}"
MEETING_WEBINAR = "{who} created a Zoom webinar: {topic}"
MEETING_FOLLOWED = "A meeting that this channel follows has started: {topic}"
MEETING_ENDED = "The Zoom {noun} “{topic}” has ended."
MEETING_EXPIRED = "The Zoom {noun} “{topic}” was never started."
MEETING = "meeting"
WEBINAR = "webinar"
CARD_JOIN = "Join the {noun}"
CARD_HOST = "Host: {host}"
CARD_ID = "{noun} ID: {id}"
CARD_BETWEEN = " · "
FIELD_SINCE = "Since"
FIELD_WHEN = "When"
FIELD_UNTIL = "Until"
FIELD_LENGTH = "Duration"
FIELD_PEOPLE = "Attended"
FIELD_POSTED = "Announced"
STATE_WAITING = "Waiting for the host"
STATE_LIVE = "Live"
STATE_RECORDED = "Live and being recorded"
STATE_INSIDE = ", {people} in the {noun}"
FALLBACK_OPEN = "Zoom {noun} “{topic}”: {url}"
FALLBACK_ENDED = "The Zoom {noun} “{topic}” has ended after {length}."

# Joining.
JOIN_NOT_VISIBLE = (
    "Zoom does not show me a meeting {id} of yours. Paste the whole invitation link instead: `join https://…`"
)
JOIN_BAD_LINK = "That is not a link to a Zoom meeting, so I did not post it. It begins with `https://` and a Zoom address, and goes on with `/j/` and the meeting ID."
JOIN_HOST_LINK = (
    "That link would make everybody a host, so I did not post it. Paste the invitation link instead."
)
JOIN_NO_ROOM = "Zoom does not let you use a personal meeting room. Enable *Personal Meeting ID* in your [Zoom settings]({zoom}/profile/setting)."

# Ending.
END_NOTHING = "There is no meeting here to end: I know of none that is still open in this channel."
END_DENIED = "Only the host, {host}, or an administrator can end that meeting."
END_DENIED_SHARED = "Only the host of that meeting, or an administrator, can end it."
END_NOT_STARTED = "The meeting {topic} has not started, so there is nothing to end."
END_HOST_GONE = (
    "{host} is not connected to Zoom any more, so I cannot end that meeting. It can be ended in Zoom."
)
END_DONE = "The {noun} {topic} has ended."
END_DELETED = "Nobody had started the {noun} {topic}, so I have cancelled it."
END_MISSED = "I was away when you asked me to end a meeting ({ago} ago), so I did nothing. Ask again if it is still going on."

# Webinars.
WEBINAR_LICENCE = "Your Zoom plan has no webinars. A Zoom administrator can add the Webinar licence to your account; a meeting works without it: write `start`."
WEBINAR_UNSURE = "I was interrupted and cannot say whether Zoom made your webinar. Please look at [your webinars]({zoom}/webinar/list), and ask again if it is not there."

# Subscriptions.
SUBSCRIBED = "This channel follows the Zoom meeting {topic} ({id}) from now on: each time it starts, I post it here. `unsubscribe {id}` ends that."
SUBSCRIBED_ALREADY = "This channel follows the Zoom meeting {topic} ({id}) already."
UNSUBSCRIBED = "This channel no longer follows the Zoom meeting {topic} ({id})."
UNSUBSCRIBE_DENIED = "Only {who}, the host of the meeting or an administrator can end this."
SUBSCRIBE_PERSONAL = "A personal meeting room cannot be followed: what you do there on other days is nobody's business. Use a meeting with an ID of its own."
SUBSCRIBE_DENIED = "Zoom does not show me a meeting {id} of yours. Only the host of a meeting, or an administrator, can let a channel follow it."
NOT_SUBSCRIBED = "This channel does not follow a meeting {id}. Write `subscriptions` to see which it follows."
SUBSCRIPTIONS = "This channel follows these Zoom meetings:"
SUBSCRIPTIONS_TABLE = "| Meeting | ID | Followed for |\n| --- | --- | --- |"
SUBSCRIPTIONS_NONE = (
    "This channel follows no Zoom meetings. The host of one writes `subscribe` and its ID here."
)
SUBSCRIPTION_DROPPED = (
    "I no longer post the Zoom meeting {topic} ({id}) where you had subscribed to it: {why}."
)
SUBSCRIPTION_NOT_POSTED = "A Zoom meeting that you subscribed a channel to has started, but I could not post it: I am not allowed to write there. Invite me to that channel again."
SUBSCRIPTION_LEFT = "you are not in that channel any more"
SUBSCRIPTION_GONE = "Zoom does not show it to you any more"
SUBSCRIPTION_UNLINKED = "The Zoom meeting {topic} ({id}) has started, but you are not connected to Zoom, so I could not post it where you had subscribed to it. Write `connect` to connect again."

# After the meeting.
RECORDING = "The recording of {link} is ready."
RECORDING_CARD = "Watch the recording"
RECORDING_FALLBACK = "The recording of “{topic}”: {url}"
RECORDING_BEGAN = "Recorded"
RECORDING_PASSCODE = "Passcode: {passcode}"
RECORDING_PASSCODE_KEPT = "The host has its passcode."
FILE_CHAT = "The chat of {topic}:"
FILE_CHAT_KEPT = "The chat of {topic} stays in Zoom: {why}. The host finds it there under *Recordings*."
FILE_TRANSCRIPT = "The transcript of {topic}:"
FILE_TRANSCRIPT_KEPT = (
    "The transcript of {topic} stays in Zoom: {why}. The host finds it there under *Recordings*."
)
KEPT_LARGE = "it is larger than 20 MB"
KEPT_UNHAD = "I could not fetch it"
KEPT_UNTAKEN = "Mattermost did not take it"
SUMMARY = "**Summary of {topic}**"
SUMMARY_STEPS = "**Next steps**"
SUMMARY_CUT = "… The rest is in Zoom."

# Removal of the app at Zoom, and the end of a link.
UNLINKED_ACCOUNT = "Zoom no longer accepts the connection of this server's account, so I have removed it: nobody here can start meetings. Write `connect` to connect it again."
DEAUTHORIZED = "You have removed me at Zoom, so I have deleted the connection to your Zoom account, your settings and the channels' subscriptions to your meetings. Posts stay where they are. Write `connect` to connect again."
DEAUTHORIZED_ACCOUNT = "Zoom has been disconnected from this server: the account's administrator removed me at Zoom. Write `connect` to connect it again."

"""The sentences about a meeting: joining, ending and following it, and what comes after. Pure; see ``texts``."""

from __future__ import annotations

# Meetings.
MEETING_ANNOUNCED = "{who} started a Zoom meeting: {topic}"
MEETING_JOINED = "{who} shared a Zoom meeting: {topic}"
MEETING_WEBINAR = "{who} created a Zoom webinar: {topic}"
MEETING_FOLLOWED = "A meeting this channel follows has started: {topic}"
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
JOIN_NOT_VISIBLE = "Zoom doesn't show me a meeting of yours with the ID {id}. Paste the whole invitation link instead: `join https://…`"
JOIN_BAD_LINK = "That isn't a link to a Zoom meeting, so I didn't post it. A meeting link starts with `https://` and a Zoom address, followed by `/j/` and the meeting ID."
JOIN_HOST_LINK = (
    "That link would make everyone a host, so I didn't post it. Paste the invitation link instead."
)
JOIN_NO_ROOM = "Zoom doesn't let you use a personal meeting room. Turn on *Personal Meeting ID* in your [Zoom settings]({zoom}/profile/setting)."

# Ending.
END_NOTHING = "There's no meeting to end here: I don't know of any that's still open in this channel."
END_DENIED = "Only the host, {host}, or an administrator can end that meeting."
END_DENIED_SHARED = "Only the host of that meeting or an administrator can end it."
END_NOT_STARTED = "The meeting {topic} hasn't started, so there's nothing to end."
END_HOST_GONE = "{host} is no longer connected to Zoom, so I can't end that meeting. It can be ended in Zoom."
END_DONE = "The {noun} {topic} has ended."
END_DELETED = "Nobody had started the {noun} {topic}, so I cancelled it."
END_MISSED = "I was away when you asked me to end a meeting ({ago} ago), so I didn't. If it's still going on, ask again."

# Webinars.
WEBINAR_LICENCE = "Your Zoom plan doesn't include webinars. A Zoom administrator can add the Webinar licence to your account. A meeting works without it: write `start`."
WEBINAR_UNSURE = "I was interrupted and don't know whether Zoom created your webinar. Please look at [your webinars]({zoom}/webinar/list), and ask again if it isn't there."

# Subscriptions.
SUBSCRIBED = "This channel now follows the Zoom meeting {topic} ({id}). Each time it starts, I'll post it here. To stop that, write `unsubscribe {id}`."
SUBSCRIBED_ALREADY = "This channel already follows the Zoom meeting {topic} ({id})."
UNSUBSCRIBED = "This channel no longer follows the Zoom meeting {topic} ({id})."
UNSUBSCRIBE_DENIED = "Only {who}, the host of the meeting or an administrator can stop this."
SUBSCRIBE_PERSONAL = "A channel can't follow a personal meeting room, because it would see all your other meetings there too. Use a meeting with its own ID."
SUBSCRIBE_DENIED = "Zoom doesn't show me a meeting of yours with the ID {id}. Only the host of a meeting or an administrator can let a channel follow it."
NOT_SUBSCRIBED = "This channel doesn't follow a meeting with the ID {id}. Write `subscriptions` to see which ones it follows."
SUBSCRIPTIONS = "This channel follows these Zoom meetings:"
SUBSCRIPTIONS_TABLE = "| Meeting | ID | Subscribed by |\n| --- | --- | --- |"
SUBSCRIPTIONS_NONE = "This channel doesn't follow any Zoom meetings. To follow one, its host writes `subscribe` and its ID here."
SUBSCRIPTION_DROPPED = (
    "I no longer post the Zoom meeting {topic} ({id}) in the channel you subscribed: {why}."
)
SUBSCRIPTION_NOT_POSTED = "A Zoom meeting you subscribed a channel to has started, but I couldn't post it because I'm not allowed to write there. Invite me to that channel again."
SUBSCRIPTION_LEFT = "you're no longer in that channel"
SUBSCRIPTION_GONE = "Zoom no longer shows it to you"
SUBSCRIPTION_UNLINKED = "The Zoom meeting {topic} ({id}) has started, but you're not connected to Zoom, so I couldn't post it in the channel you subscribed. Write `connect` to connect again."

# After the meeting.
RECORDING = "The recording of {link} is ready."
RECORDING_CARD = "Watch the recording"
RECORDING_FALLBACK = "The recording of “{topic}”: {url}"
RECORDING_BEGAN = "Recorded"
RECORDING_PASSCODE = "Passcode: {passcode}"
RECORDING_PASSCODE_KEPT = "The host has the passcode."
FILE_CHAT = "The chat of {topic}:"
FILE_CHAT_KEPT = "The chat of {topic} stays in Zoom: {why}. The host can find it there under *Recordings*."
FILE_TRANSCRIPT = "The transcript of {topic}:"
FILE_TRANSCRIPT_KEPT = (
    "The transcript of {topic} stays in Zoom: {why}. The host can find it there under *Recordings*."
)
KEPT_LARGE = "it's larger than 20 MB"
KEPT_UNHAD = "I couldn't fetch it"
KEPT_UNTAKEN = "Mattermost didn't accept it"
SUMMARY = "**Summary of {topic}**"
SUMMARY_STEPS = "**Next steps**"
SUMMARY_CUT = "… The rest is in Zoom."

# Removal of the app at Zoom, and the end of a link.
UNLINKED_ACCOUNT = "Zoom no longer accepts the connection of this server's account, so I've removed it. Nobody here can start meetings until it's back. Write `connect` to connect it again."
DEAUTHORIZED = "You removed me at Zoom, so I've deleted the connection to your Zoom account, your settings and the channels' subscriptions to your meetings. Your existing posts stay where they are. Write `connect` to connect again."
DEAUTHORIZED_ACCOUNT = "Zoom has been disconnected from this server because the account's administrator removed me at Zoom. Write `connect` to connect it again."

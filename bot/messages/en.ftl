### Everything that people read, in English, under the key that the code asks for.
###
### Records keep a message's key and arguments, and it is rendered when it is said: whoever gives a key or
### an argument another meaning takes a new key. What is filled in is escaped for the place where it stands.
### A message is a whole sentence, never a piece of one. The format is Fluent (https://projectfluent.org).

## Times, as CLDR patterns (https://cldr.unicode.org/translation/date-time)

day-pattern = EEE d MMM y
clock-pattern = HH:mm
length-none = less than a minute
length-minutes = { $minutes } min
length-hours = { $hours } h
length-both = { $hours } h { $minutes } min
ago-minutes = { $count ->
    [one] 1 minute
   *[other] { $count } minutes
}
ago-hours = { $count ->
    [one] 1 hour
   *[other] { $count } hours
}
ago-days = { $count ->
    [one] 1 day
   *[other] { $count } days
}

## Meetings

# The bot finds its meetings at Zoom by this sentence: it stays as it is.
agenda = Asked for in Mattermost. Reference: { $reference }
default-topic = Zoom meeting
meeting-announced = { $kind ->
    [joined] { $who } shared a Zoom meeting: { $topic }
    [shared] { $who } shared a Zoom webinar: { $topic }
    [recurring] A meeting this channel follows has started: { $topic }
    [webinar] { $who } created a Zoom webinar: { $topic }
   *[meeting] { $who } started a Zoom meeting: { $topic }
}
meeting-ended = { $kind ->
    [webinar] The Zoom webinar “{ $topic }” has ended.
   *[meeting] The Zoom meeting “{ $topic }” has ended.
}
meeting-ended-after = { $kind ->
    [webinar] The Zoom webinar “{ $topic }” has ended after { $length }.
   *[meeting] The Zoom meeting “{ $topic }” has ended after { $length }.
}
meeting-expired = { $kind ->
    [webinar] The Zoom webinar “{ $topic }” was never started.
   *[meeting] The Zoom meeting “{ $topic }” was never started.
}
meeting-presumed-over = { $kind ->
    [webinar] The Zoom webinar “{ $topic }” is probably over. I can't find out from Zoom when it ended.
   *[meeting] The Zoom meeting “{ $topic }” is probably over. I can't find out from Zoom when it ended.
}
meeting-unknown = { $kind ->
    [webinar] The Zoom webinar “{ $topic }” is probably over. I can't find out from Zoom whether it took place.
   *[meeting] The Zoom meeting “{ $topic }” is probably over. I can't find out from Zoom whether it took place.
}
meeting-open = { $kind ->
    [webinar] Zoom webinar “{ $topic }”: { $url }
   *[meeting] Zoom meeting “{ $topic }”: { $url }
}
meeting-open-passcode = { $kind ->
    [webinar] Zoom webinar “{ $topic }”: { $url } (passcode: { $passcode })
   *[meeting] Zoom meeting “{ $topic }”: { $url } (passcode: { $passcode })
}
card-join = { $kind ->
    [webinar] Join the webinar
   *[meeting] Join the meeting
}
card-host = Host: { $host }
card-id = { $kind ->
    [webinar] Webinar ID: { $id }
   *[meeting] Meeting ID: { $id }
}
field-since = Since
field-when = When
field-until = Until
field-length = Duration
field-began = Started
field-attended = Attended
field-passcode = Passcode
field-announced = Announced
people = { $count ->
    [one] 1 person
   *[other] { $count } people
}
people-at-least = { $count }+ people
state-waiting = Waiting for the host
state-live = Live
state-live-with = { $kind ->
    [webinar] Live, { people } in the webinar
   *[meeting] Live, { people } in the meeting
}
state-recorded = Live and being recorded
state-recorded-with = { $kind ->
    [webinar] Live and being recorded, { people } in the webinar
   *[meeting] Live and being recorded, { people } in the meeting
}

## After a meeting

recording = The recording of { $topic } is ready.
recording-card = Watch the recording
recording-fallback = The recording of “{ $topic }”: { $url }
recording-began = Recorded
recording-passcode = Passcode: { $passcode }
recording-passcode-kept = The host has the passcode.
file-posted = { $file ->
    [chat] The chat of { $topic }:
   *[transcript] The transcript of { $topic }:
}
file-too-large = { $file ->
    [chat] The chat of { $topic } stays in Zoom: it's larger than 20 MB. The host can find it there under *Recordings*.
   *[transcript] The transcript of { $topic } stays in Zoom: it's larger than 20 MB. The host can find it there under *Recordings*.
}
file-not-fetched = { $file ->
    [chat] The chat of { $topic } stays in Zoom: I couldn't fetch it. The host can find it there under *Recordings*.
   *[transcript] The transcript of { $topic } stays in Zoom: I couldn't fetch it. The host can find it there under *Recordings*.
}
file-empty = { $file ->
    [chat] The chat of { $topic } is empty.
   *[transcript] The transcript of { $topic } is empty.
}
files-left = { $file ->
    [chat] I post no more chats of { $topic } than these. The host can find the others in Zoom, under *Recordings*.
   *[transcript] I post no more transcripts of { $topic } than these. The host can find the others in Zoom, under *Recordings*.
}
file-not-taken = { $file ->
    [chat] The chat of { $topic } stays in Zoom: Mattermost didn't accept it. The host can find it there under *Recordings*.
   *[transcript] The transcript of { $topic } stays in Zoom: Mattermost didn't accept it. The host can find it there under *Recordings*.
}
summary = **Summary of { $topic }**
summary-steps = **Next steps**
summary-document = Read it in Zoom
summary-cut = … The rest is in Zoom.

## Joining

join-not-visible = Zoom doesn't show me a meeting of yours with the ID { $id }. Paste the whole invitation link instead: `join https://…`
join-bad-link = That isn't a link to a Zoom meeting, so I didn't post it. A meeting link starts with `https://` and a Zoom address, followed by `/j/` and the meeting ID.
join-host-link = That link would make everyone a host, so I didn't post it. Paste the invitation link instead.
join-personal-link = That link is personal: everyone would join as the person it was made for, so I didn't post it. Paste the invitation link instead.
join-registration-link = That link leads to a registration form, not to a meeting, so I didn't post it. Paste the invitation link instead: it has `/j/` or `/w/` and the meeting ID in it.
join-no-room = Zoom doesn't let you use a personal meeting room. Turn on *Personal Meeting ID* in your [Zoom settings]({ $url }).

## Ending

end-nothing = There's no meeting to end here: I don't know of any that's still open in this channel.
end-denied = Only the host, { $host }, or an administrator can end that meeting.
end-denied-shared = Only the host of that meeting or an administrator can end it.
end-not-started = { $kind ->
    [webinar] The webinar { $topic } hasn't started, so there's nothing to end.
   *[meeting] The meeting { $topic } hasn't started, so there's nothing to end.
}
end-not-running = { $kind ->
    [webinar] Zoom says that the webinar { $topic } isn't running any more, so there's nothing to end. I'll change its post soon.
   *[meeting] Zoom says that the meeting { $topic } isn't running any more, so there's nothing to end. I'll change its post soon.
}
end-unknown = { $kind ->
    [webinar] Zoom doesn't know the webinar { $topic } at the moment, so there's nothing to end. I'll look again, and change its post if Zoom still doesn't know it then.
   *[meeting] Zoom doesn't know the meeting { $topic } at the moment, so there's nothing to end. I'll look again, and change its post if Zoom still doesn't know it then.
}
end-host-gone = { $host } is no longer connected to Zoom, so I can't end that meeting. It can be ended in Zoom.
end-done = { $kind ->
    [webinar] The webinar { $topic } has ended.
   *[meeting] The meeting { $topic } has ended.
}
end-deleted = { $kind ->
    [webinar] Nobody had started the webinar { $topic }, so I cancelled it.
   *[meeting] Nobody had started the meeting { $topic }, so I cancelled it.
}
end-missed = I was away when you asked me to end a meeting ({ $ago } ago), so I didn't. If it's still going on, ask again.

## Webinars

webinar-licence = Your Zoom plan doesn't include webinars. A Zoom administrator can add the Webinar licence to your account. A meeting works without it: write `start`.
webinar-unsure = I was interrupted and don't know whether Zoom created your webinar. Please look at [your webinars]({ $url }), and ask again if it isn't there.

## Subscriptions

subscribed = This channel now follows the Zoom meeting { $topic } ({ $id }). Each time it starts, I'll post it here. To stop that, write `unsubscribe { $id }`.
subscribed-already = This channel already follows the Zoom meeting { $topic } ({ $id }).
unsubscribed = This channel no longer follows the Zoom meeting { $topic } ({ $id }).
unsubscribe-denied = Only { $who }, the host of the meeting or an administrator can stop this.
subscribe-bad-link = I can't find a meeting ID in that link. Write `subscribe` and the meeting's ID.
unsubscribe-bad-link = I can't find a meeting ID in that link. Write `unsubscribe` and the meeting's ID. `subscriptions` lists what this channel follows.
subscribe-personal = A channel can't follow a personal meeting room, because it would see all your other meetings there too. Use a meeting with its own ID.
subscribe-denied = Zoom doesn't show me a meeting of yours with the ID { $id }. Only the host of a meeting or an administrator can let a channel follow it.
not-subscribed = This channel doesn't follow a meeting with the ID { $id }. Write `subscriptions` to see which ones it follows.
subscriptions = This channel follows these Zoom meetings:
subscriptions-meeting = Meeting
subscriptions-id = ID
subscriptions-by = Subscribed by
subscriptions-none = This channel doesn't follow any Zoom meetings. To follow one, its host writes `subscribe` and its ID here.
subscription-left = I no longer post the Zoom meeting { $topic } ({ $id }) in the channel you subscribed: you're no longer in that channel.
subscription-gone = I no longer post the Zoom meeting { $topic } ({ $id }) in the channel you subscribed: Zoom no longer shows it to you.
subscription-not-posted = { $why ->
    [denied] A Zoom meeting you subscribed a channel to has started, but I couldn't post it because I'm not allowed to write there. Invite me to that channel again.
    [readonly] A Zoom meeting you subscribed a channel to has started, but I couldn't post it because I'm not allowed to write there. Ask a channel administrator to let me post.
    [archived] A Zoom meeting you subscribed a channel to has started, but I couldn't post it because the channel is archived. I'll post the next one if the channel has been restored by then.
    [long] A Zoom meeting you subscribed a channel to has started, but the post was larger than Mattermost accepts. Please tell your administrator.
    [blocked] A Zoom meeting you subscribed a channel to has started, but something on the way to Mattermost kept blocking my post. Please tell your administrator.
   *[other] A Zoom meeting you subscribed a channel to has started, but Mattermost refused my post. Please tell your administrator.
}
subscription-unlinked = The Zoom meeting { $topic } ({ $id }) has started, but you're not connected to Zoom, so I couldn't post it in the channel you subscribed. Write `connect` to connect again.

## Connecting

connect =
    To start meetings, connect your Zoom account: [Connect Zoom]({ $url })
    The link is only for you, works once and expires in 10 minutes.
connect-for-meeting =
    To start your meeting, connect your Zoom account first: [Connect Zoom]({ $url })
    The link is only for you, works once and expires in 10 minutes. Your meeting starts as soon as you're connected.
connect-first =
    To do that, connect your Zoom account first: [Connect Zoom]({ $url })
    The link is only for you, works once and expires in 10 minutes. Once you're connected, I'll do what you asked.
connect-revoked =
    Zoom no longer accepts the connection to your account. Please connect it again: [Connect Zoom]({ $url })
    The link is only for you, works once and expires in 10 minutes. Once you're connected, I'll do what you asked.
link-used = The link that was here has been used. If you're not connected yet, write `connect` to get a new one.
link-expired = The link that was here has expired. Write `connect` to get a new one.
connect-again = You're already connected to Zoom as { $email }. To use another account, write `disconnect` first.
connect-admin = Zoom isn't connected yet. A system administrator of Mattermost needs to connect it once for everyone, by writing `connect` to me in a direct message.
connect-not-needed = You don't need to connect anything: this server's administrator has set Zoom up for everyone.
connect-denied = Only a system administrator can connect or disconnect Zoom here. Everyone else is ready to go.
connected = You're connected to Zoom as { $email }. To start a meeting, write `start` to me or mention me in a channel.
connection-taken-over = { $name } has just connected the Zoom account { $email }, which you were connected to. A Zoom account can belong to only one person here, so I've removed your connection. To connect your own Zoom account, write `connect`. If { $name } shouldn't have done that, tell your administrator.
connected-and-on = You're connected to Zoom as { $email }. Now I'll do what you asked.
person-unknown = There's nobody here called @{ $name }. Write the user name, as in `connect @alice`.
person-unknown-at-zoom = Zoom has no account with @{ $name }'s e-mail address, { $email }. Ask a Zoom administrator to add it, or have the address in Mattermost changed.
person-known = @{ $name } uses the Zoom account { $email }. There's nothing to change.
person-title = Whose Zoom account does @{ $name } use?
person-changed = @{ $name } has used the Zoom account { $before } so far. Now @{ $name }'s e-mail address in Mattermost leads to the Zoom account { $email }. If that account is really theirs, choose the new one: they can then start, end and record meetings with it.
person-claimed = @{ $name }'s e-mail address in Mattermost leads to the Zoom account { $email }, which @{ $holder } has used so far. If that account is really @{ $name }'s, choose the new one: they can then start, end and record meetings with it.
person-changed-and-claimed = @{ $name } has used the Zoom account { $before } so far. Now @{ $name }'s e-mail address in Mattermost leads to the Zoom account { $email }, which @{ $holder } has used so far. If that account is really @{ $name }'s, choose the new one: they can then start, end and record meetings with it.
person-kept = Nothing was changed.
person-changed-again = @{ $name }'s e-mail address has been changed meanwhile, so nothing was changed here. Write { $command } again to see what it is now.
person-confirmed = From now on, @{ $name } uses the Zoom account { $email }.
person-yours = An administrator has confirmed that the Zoom account { $email } is yours. From now on, I use it for you: ask again for what you wanted.
person-no-longer-yours = An administrator has given the Zoom account { $email } to somebody else here, so I no longer use it for you. If that's a mistake, tell your administrator.
disconnected = I've disconnected your Zoom account and deleted its keys. Write `connect` to link it again.
disconnected-here = I've disconnected your Zoom account here and deleted its keys, but I couldn't tell Zoom. To be sure, also remove the app at marketplace.zoom.us under *Manage > Added Apps*.
not-connected = You're not connected to Zoom. Write `connect` to link your account.
unlinked = Zoom no longer accepts the connection to your account, so I've removed it. Write `connect` to link it again.
unlinked-account = Zoom no longer accepts the connection of this server's account, so I've removed it. Nobody here can start meetings until it's back. Write `connect` to connect it again.
deauthorized = You removed me at Zoom, so I've deleted the connection to your Zoom account, your settings and the channels' subscriptions to your meetings. Your existing posts stay where they are. Write `connect` to connect again.
deauthorized-account = Zoom has been disconnected from this server because the account's administrator removed me at Zoom. Write `connect` to connect it again.

## Where and whether to start

restricted = Meetings can't be started in this channel. Start one in a direct message, or ask a channel administrator to write `channel allow`.
left = You're no longer in that channel, so I didn't post anything there.
missed = I was away when you asked for a meeting ({ $ago } ago), so I didn't start one. If you still need it, ask again.
not-in-channel = I'm not in this conversation, so I can't post here. In a channel, invite me with `/invite @{ $bot }`; elsewhere, send me a direct message.
not-posted = { $why ->
    [denied] I started your meeting but couldn't post it in the channel because I'm not allowed to write there. Invite me to the channel and ask again.
    [readonly] I started your meeting but couldn't post it in the channel because I'm not allowed to write there. Ask a channel administrator to let me post, and ask again.
    [archived] I started your meeting but couldn't post it in the channel because the channel is archived. Ask again in another channel.
    [long] I started your meeting but couldn't post it in the channel because the post was larger than Mattermost accepts. Ask again with a shorter topic.
    [blocked] I started your meeting but couldn't post it in the channel because something on the way to Mattermost kept blocking my post. Please tell your administrator.
   *[other] I started your meeting but couldn't post it in the channel because Mattermost refused my post. Please ask again. If it happens again, tell your administrator.
}
not-shared = { $why ->
    [denied] I couldn't post that meeting in the channel because I'm not allowed to write there. Invite me to the channel and ask again.
    [readonly] I couldn't post that meeting in the channel because I'm not allowed to write there. Ask a channel administrator to let me post, and ask again.
    [archived] I couldn't post that meeting in the channel because the channel is archived. Ask again in another channel.
    [long] I couldn't post that meeting in the channel because the post was larger than Mattermost accepts. Please tell your administrator.
    [blocked] I couldn't post that meeting in the channel because something on the way to Mattermost kept blocking my post. Please tell your administrator.
   *[other] I couldn't post that meeting in the channel because Mattermost refused my post. Please ask again. If it happens again, tell your administrator.
}
reply-lost = Mattermost didn't accept a reply below the post of { $topic }. You'll find recordings, transcripts and summaries of the meeting in Zoom.
answer-refused = { $why ->
    [denied] I couldn't answer you in the channel because I'm not allowed to write there. Invite me to the channel, or ask a channel administrator to let me post, and ask again.
    [archived] I couldn't answer you in the channel because the channel is archived.
    [long] I couldn't answer you in the channel because my answer was larger than Mattermost accepts. Please tell your administrator.
    [blocked] I couldn't answer you in the channel because something on the way to Mattermost kept blocking my post. Please tell your administrator.
   *[other] I couldn't answer you in the channel because Mattermost refused my post. Please ask again. If it happens again, tell your administrator.
}
private-held = { $who }, I have an answer for you alone, but Mattermost doesn't let me send you a direct message. Write to me in a direct message, or ask your administrator to allow mine. I'll send the answer then.
private-lost = { $who }, I have an answer for you alone, but I couldn't deliver it. Please ask again. If it happens again, tell your administrator.
private-late = I couldn't send you my answer when you asked, and by now it's out of date. Please ask again.
shortened = … This message was longer than Mattermost accepts here, so I shortened it.
policy-allowed = Meetings can be started in this channel.
policy-restricted = Meetings can no longer be started in this channel. To allow them again, write `channel allow`.
policy-default = This channel follows the server's general rule again.
policy-denied = Only this channel's administrators can change this.
policy-list-denied = Only a system administrator can see the list.
policy-not-here = This only works in channels. In direct and group messages, meetings are always allowed.
policy-all-on = Meetings can be started everywhere, except where the list says otherwise.
policy-public-off = Meetings can't be started in public channels, except where the list says otherwise.
policy-channel = Channel
policy-rule = Rule

## Questions. A place is "here", where the person asked in a direct message, or the channel of that name.

duplicate-own = { $kind ->
    [joined] You have just shared a meeting { $place ->
        [here] here
       *[channel] in **{ $channel }**
    }: { $topic }. Join that one, or start another?
    [webinar] You have just started a webinar { $place ->
        [here] here
       *[channel] in **{ $channel }**
    }: { $topic }. Join that one, or start another?
   *[meeting] You have just started a meeting { $place ->
        [here] here
       *[channel] in **{ $channel }**
    }: { $topic }. Join that one, or start another?
}
duplicate-other = { $kind ->
    [joined] { $name } has just shared a meeting { $place ->
        [here] here
       *[channel] in **{ $channel }**
    }: { $topic }. Join that one, or start another?
    [webinar] { $name } has just started a webinar { $place ->
        [here] here
       *[channel] in **{ $channel }**
    }: { $topic }. Join that one, or start another?
   *[meeting] { $name } has just started a meeting { $place ->
        [here] here
       *[channel] in **{ $channel }**
    }: { $topic }. Join that one, or start another?
}
duplicate-title = Join “{ $topic }”?
duplicate-join = Here it is: { $topic }
duplicate-join-passcode = Here it is: { $topic } (passcode: { $passcode })
duplicate-gone = That meeting is over. Ask again to start a new one.
crowd = { $place ->
    [here] { $count } people are here and would all see the meeting. Start it?
   *[channel] { $count } people are in **{ $channel }** and would all see the meeting. Start it?
}
crowd-title = Start it for { $count } people?
crowd-cancelled = No meeting was started.
which-room = { $place ->
    [here] Should your meeting here use your personal room or a new ID? To stop being asked, write `settings pmi always` or `settings pmi never`.
   *[channel] Should your meeting in **{ $channel }** use your personal room or a new ID? To stop being asked, write `settings pmi always` or `settings pmi never`.
}
which-room-title = Personal room or a new ID?
room-off = Your personal room is turned off at Zoom, so this meeting has its own ID. To use the room, turn on *Personal Meeting ID* in your [Zoom settings]({ $url }).
settings = { $pmi ->
    [always] Your meetings use your personal room. What would you like?
    [never] Your meetings get a new ID each time. What would you like?
   *[ask] Your meetings use your personal room or a new ID, as you choose each time. What would you like?
}
settings-kept = { $pmi ->
    [always] From now on, your meetings use your personal room.
    [never] From now on, your meetings get a new ID each time.
   *[ask] From now on, your meetings use your personal room or a new ID, as you choose each time.
}
settings-title = Zoom settings
settings-save = Save
settings-room = Where your meetings take place
question-in-words = { $by ->
    [button] Press a button, or write { $words } to me.
   *[words] Write { $words } to me.
}
question-fallback = { $title } ({ $words }) { $url }
no-question = I'm not waiting for an answer from you. Write `help` to see what I can do.
answered-already = You already answered this.
answered-already-with = You already answered this. You chose: { $choice }
answer-taken = You chose: { $choice }
pressed-expired = This question has expired. Please ask for what you wanted again.
pressed-foreign = This question is for someone else.

# The buttons, by the words that one may write in their place.
choice-existing = Join that one
choice-new = Start another
choice-yes = Start it
choice-no = Cancel
choice-anyway = Start it anyway
choice-personal = Personal room
choice-unique = A new ID
choice-always = Personal room
choice-never = A new ID each time
choice-ask = Ask each time
choice-change = Use the new one
choice-keep = Keep it as it is

## Commands: how each is written, and what it is for

connect-usage = `connect`
connect-help = link your Zoom account
disconnect-usage = `disconnect`
disconnect-help = unlink it
join-usage = `join 123 4567 8901`, `join https://…` or `join me`
join-help = share a meeting that already exists, or your personal room
end-usage = `end`
end-help = end this channel's meeting, if it's yours
webinar-usage = `webinar town hall`
webinar-help = start a webinar, if your Zoom plan includes them
subscribe-usage = `subscribe 123 4567 8901`
subscribe-help = let this channel follow one of your meetings
unsubscribe-usage = `unsubscribe 123 4567 8901`
unsubscribe-help = stop following it
subscriptions-usage = `subscriptions`
subscriptions-help = see what this channel follows
settings-usage = `settings`, or `settings pmi always`, `never` or `ask`
settings-help = choose whether your meetings use your personal room
channel-usage = `channel allow`, `channel restrict`, `channel default` or `channel list`
channel-help = choose where meetings can be started (administrators)
version-usage = `version`
version-help = see which version of me this is
help-usage = `help`
help-help = see this again

help-title = **Zoom meetings, here in Mattermost**
help-write = Write
help-to = to
help-mention-usage = `@{ $bot } standup` in a channel
help-mention-help = start a meeting called “standup”
help-bare-usage = `@{ $bot }`
help-bare-help = start one named after the channel
help-keyword-usage = `{ $keyword } start retro`
help-keyword-help = the same, without the mention
help-direct = In a direct message to me, leave out the mention.
version = This is zoombot { $version }.
unknown = I didn't understand that. Write `help` to see what I can do.
join-asks = Which meeting? Write `join` and its ID or its invitation link, or `join me` for your personal room.
subscribe-asks = Which meeting? Write `subscribe` and the ID of one of your meetings.
unsubscribe-asks = Which meeting? Write `unsubscribe` and its ID. `subscriptions` lists what this channel follows.
channel-asks = What should hold here? Write `channel allow`, `channel restrict` or `channel default`. `channel list` shows all rules.
misread-title = Start “{ $topic }”?
misread-how = { $by ->
    [button] To start a meeting called “{ $topic }” instead, press the button or write { $words }.
   *[words] To start a meeting called “{ $topic }” instead, write { $words }.
}
command-by-get = This command is set up with the request method GET, so I can't take it. Please ask your administrator to set it to POST.
usage = I didn't understand that { $command }. Write it like this: { $usage }
later = This is taking longer than usual. If nothing happens within a minute, please try again.
not-now = I can't take this on right now. Please try again in a minute.

## What went wrong. The sign is a character: it shows in notifications, too.

problem = ⚠️ { $problem }
failed = Something went wrong on my side and I couldn't do that. Please try again. If it happens again, tell your administrator (reference { $reference }).
zoom-refused = Zoom refused this. Please try again, or tell your administrator.
zoom-refused-because = Zoom refused this. Zoom says: “{ $reason }”. Please try again, or tell your administrator.
zoom-plan = Your Zoom plan doesn't include this.
zoom-plan-because = Your Zoom plan doesn't include this. Zoom says: “{ $reason }”.
zoom-account-unknown = Zoom doesn't know your account any more. Write `disconnect` and then `connect` to me. If that doesn't help, ask your Zoom administrator.
zoom-user-unknown = Zoom doesn't know you: your e-mail address in Mattermost must be the same as in Zoom. Change it in your profile, or ask your Zoom administrator to add you.
zoom-address-unknown = Zoom has no account with your e-mail address in Mattermost, { $email }. Change it in your Mattermost profile to the one you use in Zoom, or ask your Zoom administrator to add it.
zoom-not-joined = You haven't joined your organization's Zoom account yet. Accept the invitation that Zoom sent you by e-mail, or ask your Zoom administrator to invite you again.
zoom-may-not-host = Your Zoom account isn't allowed to host meetings. Please ask your Zoom administrator to allow it.
zoom-user-changed = Your e-mail address { $email } leads to another Zoom account than the one you've used here so far, so I didn't do that. If the new one is really yours, ask a system administrator to write { $command } to me in a direct message.
zoom-user-claimed = Your e-mail address { $email } leads to a Zoom account that somebody else has used here so far, so I didn't do that. If it's really yours now, ask a system administrator to write { $command } to me in a direct message.
zoom-user-gone = Zoom no longer knows the account that you've used here, { $email }. If you have a new one, ask a system administrator to write { $command } to me in a direct message.
zoom-timed-out = Zoom didn't answer in time. Please try again in a minute.
zoom-unreachable = I can't reach Zoom right now. Please try again in a minute.
zoom-not-found = Zoom has no such meeting, or doesn't show it to you. Paste the whole invitation link instead.
zoom-credentials = Zoom doesn't accept this bot's credentials. Please ask your administrator to run `zoombot check`.
zoom-daily-limit = Zoom's daily limit for this has been reached. Try again tomorrow.
zoom-daily-limit-until = Zoom's daily limit for this has been reached. It ends { $at } (in { $wait }).
zoom-limit = Zoom is limiting requests. Please try again in a minute.
zoom-limit-until = Zoom is limiting requests. Please try again after { $at } (in { $wait }).
zoom-scopes = { $app ->
    [user] Zoom doesn't let me do that: your connection is missing { $scopes }. Write `disconnect` and `connect` to me, and leave it ticked on Zoom's page. If Zoom's page doesn't list it, ask your administrator to add it to the app at marketplace.zoom.us first.
    [account] The Zoom app is missing { $scopes }. Please ask your administrator to add it to the app at marketplace.zoom.us, and then to disconnect and connect again.
   *[server-to-server] The Zoom app is missing { $scopes }. Please ask your administrator to add it to the app at marketplace.zoom.us, and then to activate the app again.
}
zoom-scope-unnamed = { $app ->
    [user] Zoom doesn't let me do that: your connection is missing a scope. Write `disconnect` and `connect` to me, and leave everything ticked on Zoom's page. If that doesn't help, ask your administrator which scope the app at marketplace.zoom.us is missing.
    [account] The Zoom app is missing a scope. Please ask your administrator to add it to the app at marketplace.zoom.us, and then to disconnect and connect again.
   *[server-to-server] The Zoom app is missing a scope. Please ask your administrator to add it to the app at marketplace.zoom.us, and then to activate the app again.
}
email-hidden = Mattermost doesn't show me your e-mail address, and I need it to find you at Zoom. Please ask your administrator to run `zoombot check`, which says how to fix it.

## The pages that a browser shows. They render no Markdown.

page-unknown = This link is not valid
page-unknown-text = It may be incomplete. In Mattermost, write “connect” to the Zoom bot in a direct message to get a new one.
page-expired = This link has expired
page-expired-text = Links work for ten minutes. In Mattermost, write “connect” to the Zoom bot in a direct message to get a new one.
page-used = This link has already been used
page-used-text = Each link works once. In Mattermost, write “connect” to the Zoom bot in a direct message to get a new one.
page-denied = Nothing was linked
page-denied-text = Zoom says you didn’t grant access. To try again, open the link in Mattermost again, or write “connect” to the Zoom bot in a direct message for a new one.
page-refused = Zoom didn’t accept the sign-in
page-refused-text = Please write “connect” to the Zoom bot in a direct message and try again. If it happens again, tell your administrator.
page-scope = The Zoom app is missing a permission
page-scope-text = Nothing was linked. If you left something out on Zoom’s page, write “connect” to the Zoom bot and leave everything ticked. Otherwise, tell your administrator that the Zoom app is missing a scope, which the log names.
page-unreachable = Zoom couldn’t be reached
page-unreachable-text = Please write “connect” to the Zoom bot in a direct message and try again in a few minutes.
page-wrong-email = This is another person’s Zoom account
page-wrong-email-text = Your Zoom account must have the same e-mail address as your Mattermost account. Sign in to Zoom with that address, then write “connect” to the Zoom bot again.
page-hidden-email = Your e-mail address is hidden
page-hidden-email-text = Mattermost doesn’t show it to the Zoom bot, so it can’t be compared with your Zoom account’s address. Please ask your administrator to run “zoombot check”, which says how to fix it.
page-cancelled = Nothing was linked
page-cancelled-text = You can close this page.
page-added = One step is left
page-added-text = Zoom has added the app, but doesn’t tell me who you are in Mattermost. There, write “connect” to the Zoom bot in a direct message, and open the link that it sends you.
page-server-error = Zoom had an error
page-server-error-text = Nothing was linked. Please open the link in Mattermost again in a minute, or write “connect” to the Zoom bot for a new one.
page-busy = Zoom is busy
page-busy-text = Nothing was linked, because Zoom can’t take this on right now. Please open the link in Mattermost again in a few minutes, or write “connect” to the Zoom bot for a new one.
page-invalid-scope = Zoom doesn’t accept the app’s permissions
page-invalid-scope-text = Nothing was linked. Please ask your administrator to compare the Zoom app’s scopes at marketplace.zoom.us with those that the bot needs.
page-unauthorized = Zoom doesn’t accept this app
page-unauthorized-text = Nothing was linked. Please ask your administrator to check at marketplace.zoom.us that the Zoom app is activated and may be used by your account, and to run “zoombot check”.
page-invalid-request = Zoom didn’t understand the request
page-invalid-request-text = Nothing was linked. Please ask your administrator to compare the Zoom app’s redirect URL at marketplace.zoom.us with web.public_url, and to run “zoombot check”.
page-not-granted = Zoom didn’t grant access
page-not-granted-text = Nothing was linked, and Zoom gave a reason that I don’t know. Please open the link in Mattermost again. If it happens again, tell your administrator.
page-linked = Zoom is connected
page-linked-text = { $email } is now linked to @{ $user }. You can close this page and go back to Mattermost.
page-question = Link this Zoom account to @{ $user }?
page-question-text = Meetings that { $user } starts in Mattermost will be created with { $email }.
page-question-warning = If someone else sent you this link, cancel.
page-question-link = Link the account
page-question-cancel = Cancel
page-starting = The Zoom bot is starting
page-starting-text = Please try again in a minute.
page-waiting = The Zoom bot can’t do this right now
page-waiting-text = Please load this page again in a minute. Nothing is lost.
page-error = Something went wrong
page-error-text = Please try again in a minute.

## The demo

greeting =
    Hello! I start Zoom meetings from here. Three things to try:
    1. Write `@{ $bot } standup` in a channel. The first time, I'll send you a link to connect a Zoom account.
    2. Open the meeting's link, start it, let others join, and watch the post in the channel.
    3. Write `help` to me to see everything else.

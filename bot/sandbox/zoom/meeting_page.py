"""A meeting as a person sees it who opens the join link: who is in, and what can be done now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from html import escape
from zoneinfo import ZoneInfo

from aiohttp import web

from bot.sandbox.zoom import pages
from bot.sandbox.zoom.models import Meeting, Occurrence, Participant, User

CLOCK_STEPS = ((5, "5 minutes"), (30, "30 minutes"), (120, "2 hours"), (1440, "1 day"))


def meeting_page(of: Meeting, users: Iterable[User], now_ms: int, extra: str = "") -> web.Response:
    """The whole page; ``extra`` is HTML."""
    body = (
        f'<p class="note">Meeting {of.id} of {escape(of.host.name)}, passcode {escape(of.password)}</p>'
        f'<div id="live" data-url="/j/{of.id}/live">{live(of, users, now_ms)}</div>{extra}'
    )
    return pages.page(of.topic or "Zoom meeting", body, script="meeting.js")


def live(of: Meeting, users: Iterable[User], now_ms: int) -> str:
    """The part that changes while one looks at it, as HTML."""
    return (
        f'<p class="state {of.status}" role="status">{escape(_state(of, now_ms))}</p>'
        f"{_people(of, now_ms)}{_doors(of, users)}{_after(of)}{clock(now_ms, f'/j/{of.id}')}"
    )


def clock(now_ms: int, back: str) -> str:
    """The clock of the sandbox, and buttons that move it on."""
    steps = "".join(
        pages.button("/clock", f"+ {label}", minutes=str(minutes), back=back)
        for minutes, label in CLOCK_STEPS
    )
    moment = datetime.fromtimestamp(now_ms / 1000, ZoneInfo("UTC"))
    return (
        '<section aria-labelledby="clock"><h2 id="clock">Zoom’s clock</h2>'
        f"<p>It is <strong>{moment:%a %d %b, %H:%M} UTC</strong> at this Zoom. Moving it on makes a meeting"
        f' long without the wait.</p><div class="buttons">{steps}</div></section>'
    )


def _state(of: Meeting, now_ms: int) -> str:
    if of.status == "started":
        recorded = " It is being recorded." if of.current.recording else ""
        return f"Live for {_length(of.current, now_ms)}.{recorded}"
    if of.status == "ended":
        return f"This meeting has ended. It lasted {_length(of.last, now_ms)}."
    return f"Waiting for the host, {of.host.name}."


def _length(run: Occurrence, now_ms: int) -> str:
    minutes = ((run.ended_ms or now_ms) - run.started_ms) // 60_000
    return f"{minutes} min" if minutes else "less than a minute"


def _people(of: Meeting, now_ms: int) -> str:
    rows = [_row(of, stay, now_ms) for stay in of.participants.values()]
    rows += [f"<li><span>{escape(name)}</span> <small>waits for the host</small></li>" for name in of.lobby]
    if not rows:
        return ""
    return f'<h2>In the meeting ({len(of.participants)})</h2><ul class="people">{"".join(rows)}</ul>'


def _row(of: Meeting, stay: Participant, now_ms: int) -> str:
    minutes = (now_ms - stay.joined_ms) // 60_000
    since = f"for {minutes} min" if minutes else "just joined"
    role = "host, " if stay.email and stay.email == of.host.email else ""
    leave = pages.button(f"/j/{of.id}/leave", f"Leave as {stay.name}", user_id=stay.user_id)
    return f"<li><span>{escape(stay.name)}</span> <small>{role}{since}</small> {leave}</li>"


def _doors(of: Meeting, users: Iterable[User]) -> str:
    if of.status == "ended":
        return ""
    forms = "".join(_entrances(of, users))
    guest = (
        f'<form method="post" action="/j/{of.id}/join"><label>Name '
        '<input type="text" name="name" value="Guest" maxlength="64" data-key="guest"></label>'
        '<button data-key="join guest">Join as a guest</button></form>'
    )
    return f'<h2>Come in</h2><div class="buttons">{forms}{guest}</div>'


def _entrances(of: Meeting, users: Iterable[User]) -> Iterator[str]:
    if of.status == "waiting":
        yield pages.button(f"/j/{of.id}/start", f"Start as {of.host.name}, the host", main=True)
    inside = {stay.email for stay in of.participants.values()} | set(of.lobby)
    for user in users:
        is_starting = of.status == "waiting" and user is of.host
        if not is_starting and user.email not in inside and user.name not in inside:
            yield pages.button(f"/j/{of.id}/join", f"Join as {user.name}", email=user.email)


def _after(of: Meeting) -> str:
    buttons = []
    if of.status == "started":
        if not of.current.recording:
            buttons.append(pages.button(f"/j/{of.id}/record", "Record"))
        buttons.append(pages.button(f"/j/{of.id}/end", "End for all"))
        return f'<h2>As the host</h2><div class="buttons">{"".join(buttons)}</div>'
    if not of.past:
        return ""
    for action, what in (("record", "recording"), ("transcribe", "transcript"), ("summarize", "summary")):
        buttons.append(pages.button(f"/j/{of.id}/{action}", f"Publish a {what}"))
    return f'<h2>What Zoom has ready some minutes later</h2><div class="buttons">{"".join(buttons)}</div>'

"""The HTML of the meeting page: participants, and buttons for what can be done now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape

from aiohttp import web

from bot.sandbox.zoom import pages
from bot.sandbox.zoom.clock import local
from bot.sandbox.zoom.models import Meeting, Occurrence, Participant, User
from bot.sandbox.zoom.recordings import READY_MS

MINUTE_MS = 60_000
CLOCK_STEPS = (
    (5, "5 minutes"),
    (30, "30 minutes"),
    (2 * 60, "2 hours"),
    (24 * 60, "1 day"),
    (30 * 24 * 60, "30 days"),
)
_PUBLISH = {"recording": "record", "transcript": "transcribe", "summary": "summarize"}


def meeting_page(of: Meeting, users: Iterable[User], now_ms: int, extra: str = "") -> web.Response:
    """The whole page. ``extra`` is HTML."""
    about = f"Meeting {of.id} of {escape(of.host.name)}, passcode {escape(of.password)}"
    changing = pages.live(live(of, users, now_ms), f"/j/{of.id}/live")
    return pages.page(of.topic or "Zoom meeting", f'<p class="note">{about}</p>{changing}{extra}')


def live(of: Meeting, users: Iterable[User], now_ms: int) -> str:
    """The changing part of the page, as HTML."""
    state = escape(_state(of, now_ms))
    return (
        f'<p id="state" class="state {of.status}" role="status" tabindex="-1">{state}</p>'
        f'<div id="rest">{_people(of, now_ms)}{_join_section(of, users)}{_host(of)}{_after(of)}'
        f"{clock(now_ms, of.timezone, f'/j/{of.id}')}</div>"
    )


def clock(now_ms: int, zone: str, back: str) -> str:
    """The sandbox's time, and buttons that advance it."""
    steps = "".join(
        pages.button("/clock", f"+ {label}", minutes=str(minutes), back=back)
        for minutes, label in CLOCK_STEPS
    )
    now = local(now_ms, zone)
    moment = f"{now:%a} {now.day} {now:%b, %H:%M} {now.tzname()}"
    return (
        '<section aria-labelledby="clock"><h2 id="clock">Zoom’s clock</h2>'
        f"<p>It is <strong>{moment}</strong> at this Zoom. Moving it on makes a meeting long, and brings what"
        f' is due later, without the wait.</p><div class="buttons">{steps}</div></section>'
    )


def _state(of: Meeting, now_ms: int) -> str:
    match of.status:
        case "started":
            return (
                f"Live for {_length((now_ms - of.current.started_ms) // MINUTE_MS)}.{_recorded(of.current)}"
            )
        case "ended":
            lasted = of.last.ended_ms - of.last.started_ms
            return f"This meeting has ended. It lasted {_length(round(lasted / MINUTE_MS))}."
        case "expired":
            return "Nobody started this meeting in time, and its link has expired."
    return f"Waiting for the host, {of.host.name}."


def _recorded(run: Occurrence) -> str:
    if not run.recording:
        return ""
    return " Its recording is paused." if run.takes[-1].paused_ms else " It is being recorded."


def _length(minutes: int) -> str:
    hours, minutes = divmod(minutes, 60)
    if not hours:
        return f"{minutes} min" if minutes else "less than a minute"
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def _people(of: Meeting, now_ms: int) -> str:
    inside = [_row(of, stay, now_ms) for stay in of.participants.values()]
    outside = [f"<li>{escape(one.name)} <small>waits for the host</small></li>" for one in of.lobby]
    return _list("In the meeting", inside) + _list("At the door", outside)


def _list(title: str, rows: list[str]) -> str:
    return f'<h2>{title} ({len(rows)})</h2><ul class="people">{"".join(rows)}</ul>' if rows else ""


def _row(of: Meeting, stay: Participant, now_ms: int) -> str:
    minutes = (now_ms - stay.joined_ms) // MINUTE_MS
    since = f"for {_length(minutes)}" if minutes else "just joined"
    role = "host, " if stay.email and stay.email == of.host.email else ""
    name = f"Leave as {stay.name}"
    leave = pages.button(f"/j/{of.id}/leave", "Leave", name=name, user_id=stay.user_id)
    return f"<li><span>{escape(stay.name)}</span> <small>{role}{since}</small> {leave}</li>"


def _join_section(of: Meeting, users: Iterable[User]) -> str:
    if of.status not in ("waiting", "started"):
        return ""
    guest = (
        f'<form method="post" action="/j/{of.id}/join"><label>Name '
        '<input type="text" name="name" value="Guest" maxlength="64" data-key="guest"></label>'
        '<button data-key="join guest">Join as a guest</button></form>'
    )
    return f'<h2>Come in</h2><div class="buttons">{"".join(_join_buttons(of, users))}{guest}</div>'


def _join_buttons(of: Meeting, users: Iterable[User]) -> Iterator[str]:
    if of.status == "waiting":
        yield pages.button(f"/j/{of.id}/start", f"Start as {of.host.name}, the host", main=True)
    for user in users:
        is_starting = of.status == "waiting" and user is of.host
        if not is_starting and user.email not in of.here:
            yield pages.button(f"/j/{of.id}/join", f"Join as {user.name}", email=user.email)


def _host(of: Meeting) -> str:
    if of.status != "started":
        return ""
    buttons = "".join(pages.button(f"/j/{of.id}/{action}", label) for action, label in _recording(of))
    buttons += pages.button(f"/j/{of.id}/end", "End for all")
    return f'<h2>As the host</h2><div class="buttons">{buttons}</div>'


def _recording(of: Meeting) -> Iterator[tuple[str, str]]:
    if not of.current.recording:
        yield "record", "Record"
        return
    paused = of.current.takes[-1].paused_ms
    yield ("resume", "Resume recording") if paused else ("pause", "Pause recording")
    yield "cut", "Stop recording"


def _after(of: Meeting) -> str:
    if of.status == "started" or not of.past:
        return ""
    run = of.last
    left = [what for what in _PUBLISH if what not in run.published]
    buttons = [pages.button(f"/j/{of.id}/{_PUBLISH[what]}", f"Publish the {what}") for what in left]
    said = _due(of, run, left) if left else "All is published: look into the thread of the meeting’s post."
    return f'<h2>What Zoom makes of it</h2><p>{said}</p><div class="buttons">{"".join(buttons)}</div>'


def _due(of: Meeting, run: Occurrence, left: list[str]) -> str:
    times = {what: local(run.ended_ms + delay, of.timezone) for what, delay in READY_MS.items()}
    due = [f"the {what} at {at:%H:%M} {at.tzname()}" for what, at in times.items() if what in left]
    if not (run.takes and due):
        return "Zoom has this ready some minutes later; here it is at once."
    return f"It was recorded. Zoom publishes {' and '.join(due)}: wait, move the clock on, or do it now."

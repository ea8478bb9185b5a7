"""JSON of API responses and webhook objects. Ids are numbers or strings as at Zoom."""

from __future__ import annotations

import math

from bot.sandbox.zoom.clock import iso
from bot.sandbox.zoom.models import PERSONAL, File, Json, Meeting, Occurrence, Participant, User


def user(who: User, url: str) -> Json:
    """``GET /users/{id}``. ``pmi`` is a number here."""
    return {
        "id": who.id,
        "first_name": who.first_name,
        "last_name": who.last_name,
        "display_name": who.name,
        "email": who.email,
        "type": who.type,
        "role_name": "Admin" if who.admin else "Member",
        "pmi": who.pmi,
        "use_pmi": False,
        "personal_meeting_url": f"{url}/j/{who.pmi}",
        "timezone": who.timezone,
        "verified": 1,
        "account_id": who.account_id,
        "status": "active",
        "language": "en-US",
    }


def user_settings(who: User) -> Json:
    """``GET /users/{id}/settings``, only the settings for meetings."""
    return {
        "schedule_meeting": {
            "personal_meeting": who.pmi_enabled,
            "use_pmi_for_instant_meetings": False,
            "use_pmi_for_scheduled_meetings": False,
            "join_before_host": False,
        },
        "in_meeting": {"chat": True, "waiting_room": False},
        "recording": {"cloud_recording": who.type > 1, "recording_audio_transcript": True},
        "feature": {"meeting_capacity": 100, "webinar": who.webinar},
    }


def meeting(of: Meeting, *, with_pmi: bool, last_uuid: bool = False) -> Json:
    """A fetched meeting. ``pmi`` is a string here. With ``last_uuid`` it names the last occurrence that took
    place. Webinars have neither ``status`` nor ``pmi``."""
    settings: Json = {"host_video": True} | of.settings
    answer: Json = {
        "uuid": of.last.uuid if last_uuid else of.uuid,
        "id": of.id,
        "host_id": of.host.id,
        "host_email": of.host.email,
        "topic": of.topic,
        "type": of.type,
        "status": of.status,
        "timezone": of.timezone,
        "agenda": of.agenda,
        "created_at": iso(of.created_ms),
        "start_url": of.start_url,
        "join_url": of.join_url,
        "password": of.password,
        "settings": settings,
    }
    if of.scheduled_ms:
        answer |= {"start_time": iso(of.scheduled_ms), "duration": of.duration}
    encrypted = of.join_url.partition("pwd=")[2]
    if of.webinar:
        del answer["status"]
        return answer | {"h323_passcode": of.password, "encrypted_passcode": encrypted}
    answer["settings"] = {"participant_video": True, "join_before_host": False} | settings
    if with_pmi or of.type == PERSONAL:
        answer["pmi"] = str(of.host.pmi)
    digits = "".join(str(ord(letter) % 10) for letter in of.password)
    return answer | {
        "h323_password": of.password,
        "pstn_password": digits,
        "encrypted_password": encrypted,
    }


def listed(of: Meeting) -> Json:
    """An item of ``GET /users/{id}/meetings``. The agenda is cut to 250 characters."""
    return {
        "uuid": of.uuid,
        "id": of.id,
        "host_id": of.host.id,
        "topic": of.topic,
        "type": of.type,
        "start_time": iso(of.scheduled_ms or of.current.started_ms or of.created_ms),
        "duration": of.duration,
        "timezone": of.timezone,
        "created_at": iso(of.created_ms),
        "join_url": of.join_url,
        "agenda": of.agenda[:250],
    }


def minutes(run: Occurrence) -> int:
    """The occurrence's duration in minutes, rounded up."""
    return max(1, math.ceil((run.ended_ms - run.started_ms) / 60_000))


def past_meeting(of: Meeting, run: Occurrence) -> Json:
    """``GET /past_meetings/{id}``."""
    return {
        "uuid": run.uuid,
        "id": of.id,
        "host_id": of.host.id,
        "type": of.type,
        "topic": of.topic,
        "user_name": of.host.name,
        "user_email": of.host.email,
        "start_time": iso(run.started_ms),
        "end_time": iso(run.ended_ms),
        "duration": minutes(run),
        "total_minutes": sum(
            max(1, math.ceil((stay.left_ms - stay.joined_ms) / 60_000)) for stay in run.stays
        ),
        "participants_count": len(run.stays),
        "dept": "",
        "source": "Zoom",
    }


def past_participant(stay: Participant) -> Json:
    """An item of ``GET /past_meetings/{id}/participants``. ``duration`` is in seconds."""
    return {
        "id": stay.zoom_id,
        "user_id": stay.user_id,
        "name": stay.name,
        "user_email": stay.email,
        "join_time": iso(stay.joined_ms),
        "leave_time": iso(stay.left_ms),
        "duration": (stay.left_ms - stay.joined_ms) // 1000,
        "failover": False,
        "status": "in_meeting",
    }


def event_object(of: Meeting, run: Occurrence) -> Json:
    """``payload.object`` of meeting events. ``id`` is a string here; ``end_time`` is set at the end."""
    shape: Json = {
        "id": str(of.id),
        "uuid": run.uuid,
        "host_id": of.host.id,
        "topic": of.topic,
        "type": of.type,
        "start_time": iso(run.started_ms or of.scheduled_ms or of.created_ms),
        "timezone": of.timezone,
        "duration": of.duration,
    }
    if run.ended_ms:
        shape["end_time"] = iso(run.ended_ms)
    return shape


def event_take(of: Meeting, run: Occurrence) -> Json:
    """``payload.object`` of the events while it is recorded, for the last take. ``id`` is a number."""
    take = run.takes[-1]
    file = {"recording_start": iso(take.started_ms), "recording_end": iso(take.paused_ms or take.ended_ms)}
    return event_object(of, run) | {"id": of.id, "recording_file": file}


def event_participant(stay: Participant) -> Json:
    """``participant`` of joined and left events. ``id`` is "" for people without an account."""
    shape: Json = {
        "user_id": stay.user_id,
        "user_name": stay.name,
        "participant_uuid": stay.uuid,
        "email": stay.email,
        "id": stay.zoom_id,
    }
    if stay.left_ms:
        return shape | {"leave_time": iso(stay.left_ms), "leave_reason": f"{stay.name} left the meeting."}
    return shape | {"join_time": iso(stay.joined_ms)}


def recording(of: Meeting, run: Occurrence, files: list[File], url: str) -> Json:
    """``payload.object`` of a published recording. ``id`` is a number here."""
    return {
        "id": of.id,
        "uuid": run.uuid,
        "account_id": of.host.account_id,
        "host_id": of.host.id,
        "host_email": of.host.email,
        "topic": of.topic,
        "type": of.type,
        "start_time": iso(run.started_ms),
        "timezone": of.timezone,
        "duration": minutes(run) if run.ended_ms else 0,
        "total_size": sum(len(file.content) for file in files),
        "recording_count": len(files),
        "share_url": f"{url}/rec/share/{run.share_id}",
        "password": run.passcode,
        "recording_play_passcode": f"play{run.passcode}",
        "recording_files": [recording_file(run, file, url) for file in files],
    }


def recording_answer(of: Meeting, run: Occurrence, url: str) -> Json:
    """``GET /meetings/{id}/recordings``. Unlike in events ``type`` is a string, no file is a timeline, and
    the only links to watch are those of the files."""
    files = [file for file in run.files if file.type != "TIMELINE"]
    shape = recording(of, run, files, url) | {"type": str(of.type)}
    return {
        name: value for name, value in shape.items() if name not in ("host_email", "timezone", "share_url")
    }


def recording_file(run: Occurrence, file: File, url: str) -> Json:
    """One file. Only MP4, M4A and TRANSCRIPT files have a ``play_url``."""
    shape: Json = {
        "id": file.id,
        "meeting_id": run.uuid,
        "recording_start": iso(run.started_ms),
        "recording_end": iso(run.ended_ms or run.started_ms),
        "file_type": file.type,
        "file_extension": file.extension,
        "file_size": len(file.content),
        "download_url": f"{url}/rec/download/{file.id}",
        "status": "completed",
        "recording_type": file.recording_type,
    }
    if file.type in ("MP4", "M4A", "TRANSCRIPT"):
        shape["play_url"] = f"{url}/rec/play/{file.id}"
    return shape


def summary(of: Meeting, run: Occurrence) -> Json:
    """The AI Companion's summary, in events and ``GET /meetings/{id}/meeting_summary``."""
    return {
        "meeting_host_id": of.host.id,
        "meeting_host_email": of.host.email,
        "meeting_uuid": run.uuid,
        "meeting_id": of.id,
        "meeting_topic": of.topic,
        "meeting_start_time": iso(run.started_ms),
        "meeting_end_time": iso(run.ended_ms),
        "summary_start_time": iso(run.started_ms),
        "summary_end_time": iso(run.ended_ms),
        "summary_created_time": iso(run.ended_ms or run.started_ms),
        "summary_last_modified_time": iso(run.ended_ms or run.started_ms),
        "summary_title": f"Meeting summary for {of.topic}",
    } | (run.summary or {})

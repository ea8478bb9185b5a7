"""What Zoom refused, told from status, headers and body."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import (
    ZoomClientError,
    ZoomError,
    ZoomHostingError,
    ZoomInvitationError,
    ZoomLicenceError,
    ZoomLinkError,
    ZoomNotFoundError,
    ZoomRateLimitError,
    ZoomScopeError,
    ZoomUnreachableError,
    ZoomUserUnknownError,
)
from bot.zoom.errors import AccessRefusedError, error_from, scopes_in, token_error

NOW = 1_700_000_000_000
MIDNIGHT = 1_700_006_400_000


def zoom(status: int, code: int | str, message: str, *, write: bool = False, **headers: str) -> ZoomError:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return error_from(
        status, named, json.dumps({"code": code, "message": message}).encode(), NOW, write=write
    )


@pytest.mark.parametrize(
    ("status", "code", "message", "kind"),
    [
        (401, 124, "Invalid access token.", AccessRefusedError),
        (400, 4711, "Invalid access token, does not contain scopes:[meeting:write:meeting].", ZoomScopeError),
        (401, 4700, "Invalid access token, does not contain scopes:[user:read:user].", ZoomScopeError),
        (401, 4700, "Token cannot be empty.", AccessRefusedError),
        (404, 1001, "User does not exist: x.", ZoomUserUnknownError),
        (404, "1001", "User does not exist: x.", ZoomUserUnknownError),
        (400, 1010, "User does not belong to this account.", ZoomUserUnknownError),
        (404, 3001, "Meeting does not exist: 1.", ZoomNotFoundError),
        (400, 3001, "Meeting does not exist: 1.", ZoomNotFoundError),
        (404, 3301, "This recording does not exist.", ZoomNotFoundError),
        (400, 200, "Webinar plan is missing.", ZoomLicenceError),
        (400, 3161, "Your user account is not allowed meeting hosting", ZoomHostingError),
        (404, "3161", "Meeting hosting and scheduling are not allowed", ZoomHostingError),
        (400, 1120, "A valid invitation to join the Zoom account was not found.", ZoomInvitationError),
        (400, 200, "Only available for Paid accounts.", ZoomLicenceError),
        (503, 0, "down", ZoomUnreachableError),
        (408, 0, "slow", ZoomUnreachableError),
    ],
)
def test_status_code_and_message_decide_together(
    status: int, code: int | str, message: str, kind: type[ZoomError]
) -> None:
    assert type(zoom(status, code, message)) is kind


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"code": 3001, "message": None}, ZoomNotFoundError),
        ({"code": 1001, "message": "User does not exist", "errors": "none"}, ZoomUserUnknownError),
        ({"code": 3161.0, "message": ["x"], "errors": [7, {"field": 1}]}, ZoomHostingError),
        ({"code": None, "message": 12}, ZoomError),
    ],
)
def test_a_refusal_with_an_odd_field_is_still_zoom_s(body: object, kind: type[ZoomError]) -> None:
    assert type(error_from(400, {}, json.dumps(body).encode(), NOW)) is kind


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"error": "invalid_grant", "reason": ["Invalid Token!"]}, ZoomLinkError),
        ({"error": 4702, "reason": None}, ZoomClientError),
        ({"code": [1], "error": "invalid_client", "message": {}}, ZoomClientError),
    ],
)
def test_a_token_refusal_with_an_odd_field_is_still_zoom_s(body: object, kind: type[ZoomError]) -> None:
    assert type(token_error(400, {}, json.dumps(body).encode(), NOW)) is kind


def test_an_unknown_refusal_is_a_plain_error_with_its_code() -> None:
    error = zoom(400, 300, "Validation Failed.")
    assert type(error) is ZoomError
    assert (error.status, error.code) == (400, 300)


def test_a_scope_error_names_the_scopes() -> None:
    error = zoom(
        400, 4711, "Invalid access token, does not contain scopes:[meeting:write:meeting, user:read]."
    )
    assert isinstance(error, ZoomScopeError)
    assert error.scopes == ("meeting:write:meeting", "user:read")


def test_scopes_of_an_odd_message_are_none() -> None:
    assert scopes_in("does not contain scopes") == ()


def test_a_limit_per_second_says_when_it_ends() -> None:
    error = zoom(429, 429, "Too many.", Retry_After="2", X_RateLimit_Type="QPS")
    assert isinstance(error, ZoomRateLimitError)
    assert (error.retry_at, error.daily) == (NOW + 2000, False)


def test_a_date_is_the_daily_limit() -> None:
    error = zoom(429, 429, "Too many.", Retry_After="2023-11-15T00:00:00Z")
    assert isinstance(error, ZoomRateLimitError)
    assert (error.retry_at, error.daily) == (1_700_006_400_000, True)


def test_a_daily_limit_without_a_date_is_known_by_its_words() -> None:
    error = zoom(429, 429, "You have exceeded the daily rate limit (100).")
    assert isinstance(error, ZoomRateLimitError)
    assert (error.retry_at, error.daily) == (MIDNIGHT, True)


def test_a_daily_limit_that_only_its_message_names_is_not_over_with_the_second() -> None:
    soon = str(NOW // 1000 + 1)
    error = zoom(429, 429, "the Daily rate limit (100)", X_RateLimit_Type="QPS", X_RateLimit_Reset=soon)
    assert isinstance(error, ZoomRateLimitError)
    assert (error.retry_at, error.daily) == (MIDNIGHT, True)
    error = zoom(429, 429, "the daily rate limit (100)", Retry_After="1")
    assert isinstance(error, ZoomRateLimitError)
    assert (error.retry_at, error.daily) == (MIDNIGHT, True)


@pytest.mark.parametrize(
    ("reset", "at"),
    [
        ("1700000003", NOW + 3000),
        ("1700000003.5", NOW + 3500),
        ("1699999990", NOW),
        ("", 0),
        ("soon", 0),
        ("-1", 0),
        ("nan", 0),
        ("inf", 0),
        ("9" * 300, NOW + 8 * 24 * 3600 * 1000),
    ],
)
def test_a_limit_per_second_ends_when_zoom_resets_it(reset: str, at: int) -> None:
    error = zoom(429, 429, "Too many.", X_RateLimit_Type="QPS", X_RateLimit_Reset=reset)
    assert isinstance(error, ZoomRateLimitError)
    assert (error.retry_at, error.daily) == (at, False)


def test_seconds_come_before_the_reset() -> None:
    error = zoom(429, 429, "Too many.", Retry_After="2", X_RateLimit_Reset="1700000009")
    assert isinstance(error, ZoomRateLimitError)
    assert error.retry_at == NOW + 2000


def test_a_proxy_page_is_unreachable_whatever_its_status() -> None:
    for status in (200, 302, 403, 404, 502):
        error = error_from(status, {}, b"<html>", NOW)
        assert isinstance(error, ZoomUnreachableError), status


def test_only_a_write_that_failed_inside_zoom_may_be_done() -> None:
    for write in (True, False):
        error = zoom(502, 0, "bad gateway", write=write)
        assert isinstance(error, ZoomUnreachableError)
        assert error.maybe_done is write
    refused = error_from(404, {}, b"<html>", NOW, write=True)
    assert isinstance(refused, ZoomUnreachableError)
    assert not refused.maybe_done


bodies = st.one_of(
    st.binary(max_size=200),
    st.fixed_dictionaries(
        {"code": st.one_of(st.integers(), st.text(), st.none()), "message": st.text()},
        optional={"error": st.text(), "reason": st.one_of(st.text(), st.none())},
    ).map(lambda value: json.dumps(value).encode()),
    st.just(b"[" * 100_000),
)
values = st.one_of(st.text(), st.integers().map(str), st.floats().map(str), st.datetimes().map(str))
headers = st.dictionaries(
    st.sampled_from(["Retry-After", "retry-after", "X-RateLimit-Type", "X-RateLimit-Reset"]), values
)


@given(st.integers(300, 999) | st.integers(-5, 199), headers, bodies, st.booleans())
def test_any_answer_is_some_error(status: int, named: dict[str, str], body: bytes, write: bool) -> None:
    error = error_from(status, named, body, NOW, write=write)
    assert isinstance(error, ZoomError)
    assert "\n" not in str(error)


@given(st.integers(100, 999), headers, bodies)
def test_any_answer_of_the_token_endpoint_is_some_error(
    status: int, named: dict[str, str], body: bytes
) -> None:
    assert isinstance(token_error(status, named, body, NOW), ZoomError)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, {"reason": "Invalid Token!", "error": "invalid_grant"}, ZoomLinkError),
        (400, {"reason": "Invalid Token!", "error": "invalid_request"}, ZoomLinkError),
        (400, {"reason": "Invalid authorization code", "error": "invalid_request"}, ZoomLinkError),
        (400, {"reason": "owner gone", "error": "invalid_request", "code": 4735}, ZoomLinkError),
        (401, {"reason": "Invalid client_id or client_secret", "error": "invalid_client"}, ZoomClientError),
        (400, {"reason": "Invalid client_id", "error": "invalid_request"}, ZoomClientError),
        (400, {"reason": "?", "error": "invalid_request", "errorCode": "4704"}, ZoomClientError),
        (400, {"reason": "Invalid redirect url", "error": "invalid_request"}, ZoomClientError),
        (400, {"reason": "unsupported grant type", "error": "unsupported_grant_type"}, ZoomClientError),
        (400, {"reason": None, "error": "invalid_request"}, ZoomError),
        # However a wrong secret is said, it is not the person's fault.
        (400, {"reason": "Invalid client_id or client_secret", "error": "invalid_grant"}, ZoomClientError),
        (401, {"reason": "Invalid client secret", "error": "invalid_request"}, ZoomClientError),
        (400, {"reason": "Invalid redirect_uri", "error": "invalid_grant"}, ZoomClientError),
        (400, {"reason": "Invalid Token! (4,704)", "error": "invalid_grant"}, ZoomClientError),
        (400, {"reason": "Error 4709", "error": "invalid_grant"}, ZoomClientError),
        (400, {"reason": "This app has been disabled", "error": "invalid_grant"}, ZoomClientError),
        (400, {"code": 4706, "message": "no"}, ZoomClientError),
        (
            401,
            {"reason": "The client's token was revoked (4,741)", "error": "invalid_request"},
            ZoomLinkError,
        ),
        (400, {"code": "4740", "message": "no"}, ZoomLinkError),
        (429, {"reason": "slow down", "error": "x"}, ZoomRateLimitError),
        (500, {"reason": "oops", "error": "server_error"}, ZoomUnreachableError),
        (400, {"message": "not Zoom's"}, ZoomUnreachableError),
        (200, {"token_type": "bearer"}, ZoomUnreachableError),
    ],
)
def test_the_token_endpoint_refuses_the_person_or_the_app(
    status: int, body: dict[str, object], kind: type[ZoomError]
) -> None:
    assert type(token_error(status, {}, json.dumps(body).encode(), NOW)) is kind


@pytest.mark.parametrize("code", [4702, 4704, 4705, 4706, 4709, 4717])
@pytest.mark.parametrize("field", ["code", "errorCode"])
def test_these_codes_are_the_operator_s_fault(code: int, field: str) -> None:
    body = json.dumps({"reason": "Invalid Token!", "error": "invalid_grant", field: code}).encode()
    assert type(token_error(400, {}, body, NOW)) is ZoomClientError


@pytest.mark.parametrize("code", [4711, 4733, 4734, 4735, 4737, 4738, 4740, 4741])
@pytest.mark.parametrize("status", [400, 401])
def test_after_these_codes_the_person_connects_again(code: int, status: int) -> None:
    body = json.dumps({"reason": "the app", "error": "invalid_request", "code": code}).encode()
    assert type(token_error(status, {}, body, NOW)) is ZoomLinkError


def test_zooms_reason_survives() -> None:
    error = token_error(400, {}, b'{"reason":"Invalid Token!","error":"invalid_grant"}', NOW)
    assert "Invalid Token!" in str(error)


def test_an_answer_with_a_token_is_no_error() -> None:
    assert token_error(200, {}, b'{"access_token":"a"}', NOW) is None

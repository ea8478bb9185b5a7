"""The sandbox's Zoom: consent, tokens, revocation."""

from __future__ import annotations

import base64
import hashlib

import pytest
from yarl import URL

from tests.sandbox.zoomkit import REDIRECT, Answer, Stage, stage

ALICE = "alice@demo.example"
VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


async def code_of(scene: Stage, **changes: str) -> str:
    pkce = {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}
    back = URL(await scene.zoom.consent(scene.authorize_url(**(pkce | changes)), ALICE))
    return back.query["code"]


async def exchange(scene: Stage, code: str, **changes: str) -> Answer:
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": REDIRECT,
        "code_verifier": VERIFIER,
    }
    return await scene.ask_token(**(form | changes))


async def test_consent_leads_back_with_code_and_state_and_the_code_gives_tokens() -> None:
    async with stage() as scene:
        back = URL(await scene.zoom.consent(scene.authorize_url(), ALICE))
        assert str(back.with_query(None)) == REDIRECT
        assert back.query["state"] == "state-1"

        granted = await exchange(scene, back.query["code"])

        assert granted.status == 200
        assert set(granted.json) == {
            "access_token",
            "refresh_token",
            "token_type",
            "expires_in",
            "scope",
            "api_url",
        }
        me = await scene.call("GET", "/users/me", token=granted.json["access_token"])
        assert me.json["email"] == ALICE
        assert isinstance(me.json["pmi"], int)


async def test_declining_leads_back_with_an_error() -> None:
    async with stage() as scene:
        back = URL(await scene.zoom.consent(scene.authorize_url(), ALICE, allow=False))
        assert dict(back.query) == {"error": "access_denied", "state": "state-1"}


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "another"},
        {"redirect_uri": REDIRECT + "/"},
        {"response_type": "token"},
        {"code_challenge": "x", "code_challenge_method": "plain"},
    ],
)
async def test_a_wrong_authorization_url_shows_an_error_page(changes: dict[str, str]) -> None:
    async with stage() as scene:
        with pytest.raises(ValueError, match="error page"):
            await scene.zoom.consent(scene.authorize_url(**changes), ALICE)


async def test_a_code_works_once() -> None:
    async with stage() as scene:
        code = await code_of(scene)
        assert (await exchange(scene, code)).status == 200
        again = await exchange(scene, code)
        assert (again.status, again.json["error"]) == (400, "invalid_request")


async def test_a_code_is_bound_to_verifier_redirect_and_five_minutes() -> None:
    async with stage() as scene:
        assert (await exchange(scene, await code_of(scene), code_verifier="w" * 43)).status == 400
        assert (await exchange(scene, await code_of(scene), redirect_uri=REDIRECT + "/")).status == 400
        late = await code_of(scene)
        scene.zoom.clock.advance(301)
        expired = await exchange(scene, late)
        assert expired.json["reason"] == "Authorization code expired"


async def test_client_secret_is_checked() -> None:
    async with stage() as scene:
        refused = await scene.ask_token(secret="wrong", grant_type="refresh_token", refresh_token="x")
        assert (refused.status, refused.json["error"]) == (401, "invalid_client")


async def test_a_refresh_revokes_the_old_refresh_token() -> None:
    async with stage() as scene:
        first = str(scene.zoom.grant(ALICE)["refresh_token"])
        second = await scene.ask_token(grant_type="refresh_token", refresh_token=first)
        assert second.json["refresh_token"] != first

        reused = await scene.ask_token(grant_type="refresh_token", refresh_token=first)

        assert (reused.status, reused.json) == (400, {"reason": "Invalid Token!", "error": "invalid_grant"})
        third = await scene.ask_token(grant_type="refresh_token", refresh_token=second.json["refresh_token"])
        assert third.status == 200
        assert (scene.zoom.refreshes, scene.zoom.refresh_refused) == (2, 1)
        assert [call.status for call in scene.zoom.token_requests] == [200, 400, 200]


async def test_access_tokens_live_an_hour() -> None:
    async with stage() as scene:
        scene.zoom.clock.advance(3599)
        assert (await scene.call("GET", "/users/me")).status == 200
        scene.zoom.clock.advance(2)
        late = await scene.call("GET", "/users/me")
        assert (late.status, late.json) == (401, {"code": 124, "message": "Access token is expired."})


async def test_expire_tokens_leaves_the_refresh_token_good() -> None:
    async with stage() as scene:
        granted = scene.zoom.grant(ALICE)
        scene.zoom.expire_tokens(ALICE)
        assert (await scene.call("GET", "/users/me", token=str(granted["access_token"]))).status == 401
        refreshed = await scene.ask_token(
            grant_type="refresh_token", refresh_token=str(granted["refresh_token"])
        )
        assert (await scene.call("GET", "/users/me", token=refreshed.json["access_token"])).status == 200


async def test_revoking_a_token_ends_the_grant() -> None:
    async with stage() as scene:
        granted = scene.zoom.grant(ALICE)
        token = str(granted["access_token"])
        assert (await scene.oauth("revoke", {"token": token})).json == {"status": "success"}
        assert scene.zoom.revoked == [token]
        assert (await scene.call("GET", "/users/me", token=token)).status == 401
        refused = await scene.ask_token(
            grant_type="refresh_token", refresh_token=str(granted["refresh_token"])
        )
        assert refused.json["error"] == "invalid_grant"
        assert (await scene.oauth("revoke", {"token": token})).status == 400


async def test_deauthorize_revokes_tokens_and_sends_a_webhook() -> None:
    async with stage() as scene:
        await scene.zoom.deauthorize(ALICE)
        assert (await scene.call("GET", "/users/me")).status == 401
        payload = scene.hits[0].json["payload"]
        assert scene.events == ["app_deauthorized"]
        assert payload["user_id"] == scene.zoom.user(ALICE).id
        assert payload["client_id"] == scene.zoom.client_id


async def test_an_account_app_needs_an_administrator_and_can_read_all_users() -> None:
    async with stage("account") as scene:
        with pytest.raises(ValueError, match="administrator"):
            await scene.zoom.consent(scene.authorize_url(), "bob@demo.example")
        bob = await scene.call("GET", "/users/BOB@demo.example")
        assert bob.json["email"] == "bob@demo.example"
        missing = await scene.call("GET", "/users/nobody@demo.example")
        assert (missing.status, missing.json["code"]) == (404, 1001)
        made = await scene.call("POST", "/users/bob@demo.example/meetings", {"topic": "x", "type": 1})
        assert made.json["host_id"] == bob.json["id"]


async def test_server_to_server_has_no_me_no_refresh_token_and_tokens_side_by_side() -> None:
    async with stage("server-to-server") as scene:
        assert (await scene.call("GET", "/users/me")).status == 404
        assert (await scene.call("GET", f"/users/{ALICE}")).status == 200
        newer = await scene.ask_token(grant_type="account_credentials", account_id=scene.zoom.account_id)
        assert "refresh_token" not in newer.json
        for token in (scene.token, newer.json["access_token"]):
            assert (await scene.call("GET", f"/users/{ALICE}", token=token)).status == 200
        wrong = await scene.ask_token(grant_type="account_credentials", account_id="other")
        assert wrong.status == 400
        with pytest.raises(ValueError, match="no authorization page"):
            await scene.zoom.consent(scene.authorize_url(), ALICE)


async def test_user_app_reaches_only_me() -> None:
    async with stage() as scene:
        other = await scene.call("GET", "/users/bob@demo.example")
        assert (other.status, other.json["code"]) == (400, 4711)
        bob = str(scene.zoom.grant("bob@demo.example")["access_token"])
        made = await scene.create()
        peek = await scene.call("GET", f"/meetings/{made['id']}", token=bob)
        assert (peek.status, peek.json["code"]) == (400, 3000)

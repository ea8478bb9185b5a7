"""Accounts, their tokens and teams."""

from __future__ import annotations

from collections.abc import Callable

from bot.sandbox.mattermost.records import Team, User
from bot.sandbox.mattermost.refusals import Refusal, no_user, not_found, unauthenticated
from bot.sandbox.mattermost.wire import new_id


class Directory:
    """All accounts and teams, indexed by id, name and e-mail address."""

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self.users: dict[str, User] = {}
        self.teams: dict[str, Team] = {}
        self.team_members: dict[str, dict[str, None]] = {}
        self._by_name: dict[str, User] = {}
        self._by_email: dict[str, User] = {}
        self._tokens: dict[str, str] = {}

    def add_user(
        self, username: str, *, email: str, roles: str = "system_user", is_bot: bool = False
    ) -> User:
        now = self._now()
        user = User(
            id=new_id(),
            create_at=now,
            update_at=now,
            username=username,
            email=email,
            first_name=username.capitalize(),
            roles=roles,
            is_bot=is_bot,
        )
        self.users[user.id] = self._by_name[username] = self._by_email[email.lower()] = user
        return user

    def add_team(self, name: str, display_name: str) -> Team:
        now = self._now()
        team = Team(id=new_id(), create_at=now, update_at=now, name=name, display_name=display_name)
        self.teams[team.id] = team
        self.team_members[team.id] = {}
        return team

    def rename(self, user: User, username: str) -> None:
        """Give an account another user name. Refused if another account has it."""
        if self._by_name.get(username, user) is not user:
            raise Refusal(
                400,
                "app.user.save.username_exists.app_error",
                "An account with that username already exists.",
            )
        del self._by_name[user.username]
        user.username, user.update_at = username, self._now()
        self._by_name[username] = user

    def change_email(self, user: User, email: str) -> None:
        """Give an account another e-mail address. Refused if another account has it."""
        if self._by_email.get(email.lower(), user) is not user:
            raise Refusal(
                400, "app.user.save.email_exists.app_error", "An account with that email already exists."
            )
        self._by_email.pop(user.email.lower(), None)
        user.email, user.update_at = email, self._now()
        self._by_email[email.lower()] = user

    def erase(self, user: User) -> None:
        """Delete an account for good, as ``mmctl user delete`` does: nothing knows its id any more."""
        self.revoke(user)
        del self.users[user.id], self._by_name[user.username], self._by_email[user.email.lower()]

    def user(self, user_id: str) -> User:
        if user_id not in self.users:
            raise no_user()
        return self.users[user_id]

    def named(self, username: str) -> User:
        if username.lower() not in self._by_name:
            raise no_user()
        return self._by_name[username.lower()]

    def find(self, username: str) -> User | None:
        return self._by_name.get(username)

    def by_email(self, email: str) -> User:
        if email.lower() not in self._by_email:
            raise no_user()
        return self._by_email[email.lower()]

    def team(self, team_id: str) -> Team:
        if team_id not in self.teams:
            raise not_found("app.team.get.find.app_error", "Unable to find the existing team.")
        return self.teams[team_id]

    def team_named(self, name: str) -> Team:
        for team in self.teams.values():
            if team.name == name:
                return team
        raise not_found("app.team.get_by_name.missing.app_error", "Unable to find the existing team.")

    def teams_of(self, user_id: str) -> list[Team]:
        return [team for team in self.teams.values() if user_id in self.team_members[team.id]]

    def issue(self, user: User, token: str = "") -> str:
        """Issue a token for the account. Earlier tokens stay valid."""
        token = token or new_id()
        self._tokens[token] = user.id
        return token

    def revoke(self, user: User) -> None:
        """Revoke all of the account's tokens."""
        self._tokens = {token: owner for token, owner in self._tokens.items() if owner != user.id}

    def holder(self, token: str) -> User | None:
        """The token's account, or None if the token is unknown or the account disabled."""
        user = self.users.get(self._tokens.get(token, ""))
        return user if user is not None and not user.delete_at else None

    def log_in(self, login: str, password: str) -> tuple[User, str]:
        """Check the password; returns the account and a new token."""
        user = self._by_name.get(login.lower()) or self._by_email.get(login.lower())
        if user is None or user.is_bot or password != user.password:
            raise Refusal(
                401,
                "api.user.login.invalid_credentials_email_username",
                "Enter a valid email or username and/or password.",
            )
        if user.delete_at:
            raise unauthenticated()
        return user, self.issue(user)

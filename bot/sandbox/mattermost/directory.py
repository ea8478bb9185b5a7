"""Accounts, their tokens, and teams."""

from __future__ import annotations

from collections.abc import Callable

from bot.sandbox.mattermost.records import Team, User
from bot.sandbox.mattermost.refusals import Refusal, no_user, not_found, unauthenticated
from bot.sandbox.mattermost.wire import new_id


class Directory:
    """All accounts and teams, indexed by every name they are asked for."""

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
        """A new account."""
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
        """A new team without members."""
        now = self._now()
        team = Team(id=new_id(), create_at=now, update_at=now, name=name, display_name=display_name)
        self.teams[team.id] = team
        self.team_members[team.id] = {}
        return team

    def user(self, user_id: str) -> User:
        """The account of this id."""
        if user_id not in self.users:
            raise no_user()
        return self.users[user_id]

    def named(self, username: str) -> User:
        """The account of this user name."""
        if username.lower() not in self._by_name:
            raise no_user()
        return self._by_name[username.lower()]

    def find(self, username: str) -> User | None:
        """The account of this user name, if there is one."""
        return self._by_name.get(username)

    def by_email(self, email: str) -> User:
        """The account of this e-mail address."""
        if email.lower() not in self._by_email:
            raise no_user()
        return self._by_email[email.lower()]

    def team(self, team_id: str) -> Team:
        """The team of this id."""
        if team_id not in self.teams:
            raise not_found("app.team.get.find.app_error", "Unable to find the existing team.")
        return self.teams[team_id]

    def team_named(self, name: str) -> Team:
        """The team of this name."""
        for team in self.teams.values():
            if team.name == name:
                return team
        raise not_found("app.team.get_by_name.missing.app_error", "Unable to find the existing team.")

    def teams_of(self, user_id: str) -> list[Team]:
        """The teams that an account is in."""
        return [team for team in self.teams.values() if user_id in self.team_members[team.id]]

    def issue(self, user: User, token: str = "") -> str:
        """A new token of the account; earlier ones stay good."""
        token = token or new_id()
        self._tokens[token] = user.id
        return token

    def revoke(self, user: User) -> None:
        """All tokens of the account end."""
        self._tokens = {token: owner for token, owner in self._tokens.items() if owner != user.id}

    def holder(self, token: str) -> User | None:
        """Whose token this is, if it is good."""
        user = self.users.get(self._tokens.get(token, ""))
        return user if user is not None and not user.delete_at else None

    def log_in(self, login: str, password: str) -> tuple[User, str]:
        """The account and a new token."""
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

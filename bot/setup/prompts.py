"""What ``zoombot init`` asks; each question is also an option of the command."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Question:
    """One thing that the bot has to be told. What is not ``asked`` can still be given as an option."""

    option: str
    key: str
    prompt: str
    secret: bool = False
    default: str = ""
    asked: bool = True
    # Asked only when zoom.app is this.
    app: str = ""

    @property
    def parameter(self) -> str:
        """The option as Python names it."""
        return self.option.removeprefix("--").replace("-", "_")

    @property
    def variable(self) -> str:
        """Where the answer may come from as well: who may list the processes sees their options."""
        return "ZOOMBOT_" + self.key.replace(".", "__").upper()


QUESTIONS: tuple[Question, ...] = (
    Question("--mattermost-url", "mattermost.url", "Address of the Mattermost server"),
    Question("--mattermost-token", "mattermost.token", "Access token of the bot account", secret=True),
    Question("--public-url", "web.public_url", "Address under which the bot is reached"),
    Question("--zoom-app", "zoom.app", "Kind of Zoom app: user, account or server-to-server", default="user"),
    Question("--zoom-client-id", "zoom.client_id", "Client ID of the Zoom app"),
    Question("--zoom-client-secret", "zoom.client_secret", "Client Secret of the Zoom app", secret=True),
    Question("--zoom-account-id", "zoom.account_id", "Account ID of the Zoom app", app="server-to-server"),
    Question("--zoom-webhook-secret", "zoom.webhook_secret", "Secret Token of the Zoom app", secret=True),
    Question("--mattermost-ca-file", "mattermost.ca_file", "Private CA of Mattermost (PEM)", asked=False),
    Question(
        "--mattermost-command-token",
        "mattermost.command_token",
        "Token of the /zoom slash command",
        secret=True,
        asked=False,
    ),
    Question("--zoom-url", "zoom.url", "Where people sign in to Zoom", asked=False),
    Question("--zoom-api-url", "zoom.api_url", "Where Zoom's API is", asked=False),
    Question("--zoom-ca-file", "zoom.ca_file", "Private CA of Zoom (PEM)", asked=False),
    Question("--host", "web.host", "Address to listen on", asked=False),
    Question("--port", "web.port", "Port to listen on", asked=False),
    Question("--admin-host", "web.admin_host", "Address for health and metrics", asked=False),
    Question("--admin-port", "web.admin_port", "Port for health and metrics", asked=False),
    Question("--url-secret", "web.url_secret", "Secret of the webhook's address", secret=True, asked=False),
    Question("--store-url", "store.url", "Where the bot remembers", asked=False),
    Question(
        "--store-encryption-keys",
        "store.encryption_keys",
        "Keys of the store, comma-separated",
        secret=True,
        asked=False,
    ),
)

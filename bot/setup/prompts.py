"""What ``zoombot init`` asks; each prompt is also an option of the command."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Prompt:
    """One setting of the bot. One that is not ``asked`` can still be given as an option."""

    option: str
    key: str
    text: str
    secret: bool = False
    default: str = ""
    asked: bool = True
    # Asked only if zoom.app is this.
    app: str = ""

    @property
    def parameter(self) -> str:
        """The option as Python names it."""
        return self.option.removeprefix("--").replace("-", "_")

    @property
    def variable(self) -> str:
        """The environment variable that also sets it: everybody who can list processes sees their options."""
        return "ZOOMBOT_" + self.key.replace(".", "__").upper()


PROMPTS: tuple[Prompt, ...] = (
    Prompt("--mattermost-url", "mattermost.url", "Address of the Mattermost server"),
    Prompt("--mattermost-token", "mattermost.token", "Access token of the bot account", secret=True),
    Prompt("--public-url", "web.public_url", "Public address of the bot"),
    Prompt("--zoom-app", "zoom.app", "Kind of Zoom app: user, account or server-to-server", default="user"),
    Prompt("--zoom-client-id", "zoom.client_id", "Client ID of the Zoom app"),
    Prompt("--zoom-client-secret", "zoom.client_secret", "Client Secret of the Zoom app", secret=True),
    Prompt("--zoom-account-id", "zoom.account_id", "Account ID of the Zoom app", app="server-to-server"),
    Prompt("--zoom-webhook-secret", "zoom.webhook_secret", "Secret Token of the Zoom app", secret=True),
    Prompt("--mattermost-ca-file", "mattermost.ca_file", "Private CA of Mattermost (PEM)", asked=False),
    Prompt(
        "--mattermost-command-token",
        "mattermost.command_token",
        "Token of the /zoom slash command",
        secret=True,
        asked=False,
    ),
    Prompt("--zoom-url", "zoom.url", "Address where people sign in to Zoom", asked=False),
    Prompt("--zoom-api-url", "zoom.api_url", "Address of Zoom's API", asked=False),
    Prompt("--zoom-ca-file", "zoom.ca_file", "Private CA of Zoom (PEM)", asked=False),
    Prompt("--host", "web.host", "Address to listen on", asked=False),
    Prompt("--port", "web.port", "Port to listen on", asked=False),
    Prompt("--admin-host", "web.admin_host", "Address for health and metrics", asked=False),
    Prompt("--admin-port", "web.admin_port", "Port for health and metrics", asked=False),
    Prompt("--url-secret", "web.url_secret", "Secret in the webhook's address", secret=True, asked=False),
    Prompt(
        "--store-url",
        "store.url",
        "Where the bot keeps its data: tinydb:FILE, or postgresql://… for several replicas",
        secret=True,
        asked=False,
    ),
    Prompt("--store-ca-file", "store.ca_file", "Private CA of the database (PEM)", asked=False),
    Prompt(
        "--store-encryption-keys",
        "store.encryption_keys",
        "Encryption keys of the store, comma-separated",
        secret=True,
        asked=False,
    ),
)

"""All errors of this project: one class per cause, with a common root.

Messages are for the operator's log and never contain a secret. What people read is in ``bot.messages``.
"""


class ZoombotError(Exception):
    """The root of all errors of this project."""


class ConfigError(ZoombotError):
    """The configuration is wrong. ``faults`` has one line per fault: ``section.key: what is wrong``."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class StartError(ZoombotError):
    """The bot cannot start. The message is one line for the operator."""


class StoreError(ZoombotError):
    """The store could not be opened, read or written. The message says how to fix it."""


class StoreTimeoutError(StoreError):
    """The store did not answer in time. A change that was asked for may or may not hold."""


class FencedError(StoreError):
    """Another process has taken over what this one did."""


class OutdatedError(ZoombotError):
    """What a change was made from has changed meanwhile. Nothing was written; doing it again helps."""


class StoreLockedError(StoreError):
    """Another running process uses the store."""


class StoreDamagedError(StoreError):
    """The store's file is damaged. It was left untouched."""


class VaultError(ZoombotError):
    """A sealed value cannot be opened: the key is wrong, the value is damaged, or it has another owner."""


class EventError(ZoombotError):
    """An event or a webhook does not have the expected shape."""


class MattermostError(ZoombotError):
    """Mattermost refused a call. ``status`` is the HTTP status, ``code`` Mattermost's error id.

    ``not_posted``: what was refused is a post, which certainly does not exist.
    """

    def __init__(self, message: str, *, status: int = 0, code: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.not_posted = False


class MattermostUnreachableError(MattermostError):
    """No usable answer (connection, TLS, timeout, 5xx). Worth a retry; the call may have taken effect."""


class MattermostRateLimitError(MattermostError):
    """429: too many requests. ``retry_after`` is in seconds."""

    def __init__(self, message: str, *, retry_after: float) -> None:
        super().__init__(message, status=429)
        self.retry_after = retry_after


class MattermostTokenError(MattermostError):
    """401: the bot's token is wrong or was revoked."""


class MattermostCertificateError(MattermostError):
    """The server's certificate cannot be verified. An operator has to act."""


class MattermostDeniedError(MattermostError):
    """403: the bot may not do this here."""


class MattermostNotFoundError(MattermostError):
    """404: there is no such channel, post or user."""


class MattermostBlockedError(MattermostError):
    """This call alone keeps failing, while Mattermost answers others. It was given up."""


class ZoomError(ZoombotError):
    """Zoom refused a call. ``status`` is the HTTP status, ``code`` Zoom's error code, and ``reason`` Zoom's
    explanation for the person (empty if there is none)."""

    def __init__(self, message: str, *, status: int = 0, code: int = 0, reason: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.reason = reason


class ZoomUnreachableError(ZoomError):
    """No usable answer from Zoom. ``maybe_done`` is true if the request may have taken effect."""

    def __init__(
        self, message: str, *, status: int = 0, maybe_done: bool = False, timed_out: bool = False
    ) -> None:
        super().__init__(message, status=status)
        self.maybe_done = maybe_done
        self.timed_out = timed_out


class ZoomCertificateError(ZoomUnreachableError):
    """Zoom's certificate cannot be verified. Nothing was sent, and an operator has to act."""


class ZoomRateLimitError(ZoomError):
    """429: too many requests. ``retry_at`` is when the limit ends (ms since the epoch), 0 if unknown."""

    def __init__(self, message: str, *, retry_at: int, daily: bool) -> None:
        super().__init__(message, status=429)
        self.retry_at = retry_at
        self.daily = daily


class NotLinkedError(ZoomError):
    """This person has not linked a Zoom account (for an account-level app: nobody has authorized it)."""


class ZoomLinkError(ZoomError):
    """Zoom no longer accepts this person's authorization. They must link their account again."""


class ZoomClientError(ZoomError):
    """Zoom refuses the app itself (client id, secret or account id). An operator has to act."""


class ZoomScopeError(ZoomError):
    """The app lacks scopes. ``scopes`` has their names as Zoom gave them."""

    def __init__(self, message: str, *, status: int, code: int, scopes: tuple[str, ...]) -> None:
        super().__init__(message, status=status, code=code)
        self.scopes = scopes


class ZoomLicenceError(ZoomError):
    """The person's Zoom plan does not include this."""


class ZoomHostingError(ZoomError):
    """This person's Zoom account may not host meetings."""


class ZoomUserUnknownError(ZoomError):
    """Zoom does not know this user. ``email`` is the address that they were looked up by, if they were."""

    email: str = ""


class ZoomInvitationError(ZoomUserUnknownError):
    """This person was invited to the Zoom account, and has not joined it in time."""


class EmailHiddenError(ZoomUserUnknownError):
    """The bot does not know this person's e-mail address, which it needs to find them at Zoom."""


class ZoomUserChangedError(ZoomError):
    """A person's e-mail address leads to another Zoom user than before, or (``claimed``) to the one of
    somebody else. An administrator has to confirm it. ``name`` is the person's user name."""

    def __init__(self, name: str, email: str, *, claimed: bool) -> None:
        super().__init__("the e-mail address leads to another Zoom user than before")
        self.name = name
        self.email = email
        self.claimed = claimed


class ZoomNotFoundError(ZoomError):
    """There is no such meeting, or it has expired."""


class ZoomForeignAddressError(ZoomError):
    """A file's address is none of Zoom's. It was not asked for."""


class ZoomNotAFileError(ZoomError):
    """Zoom answered 200 with something else in place of the file: a refusal."""


class ZoomTooLargeError(ZoomError):
    """A file is larger than the caller's limit. Asking with another token does not help."""

"""Everything that can go wrong, one class per cause, under one root.

Messages are for the operator's log and never carry a secret; what a person reads is in ``texts``.
"""


class ZoombotError(Exception):
    """The root of all errors of this project."""


class ConfigError(ZoombotError):
    """The configuration is wrong. ``faults`` holds one ``section.key: what is wrong`` per fault."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class StartError(ZoombotError):
    """The bot cannot start; the message is the one line that the operator reads."""


class StoreError(ZoombotError):
    """The store could not be opened, read or written; the message says how to mend it."""


class StoreLockedError(StoreError):
    """Another running process holds the store."""


class StoreDamagedError(StoreError):
    """The store's file is not readable; it was left untouched."""


class VaultError(ZoombotError):
    """A sealed value does not open: wrong key, damaged, or sealed for another owner."""


class EventError(ZoombotError):
    """An event or a webhook that does not have the shape it must have."""


class MattermostError(ZoombotError):
    """Mattermost refused a call. ``status`` is the HTTP status, ``code`` Mattermost's error id."""

    def __init__(self, message: str, *, status: int = 0, code: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class MattermostUnreachableError(MattermostError):
    """No usable answer (connection, TLS, timeout, 5xx): worth trying again; it may have acted."""


class MattermostRateLimitError(MattermostError):
    """429. ``retry_after`` is in seconds."""

    def __init__(self, message: str, *, retry_after: float) -> None:
        super().__init__(message, status=429)
        self.retry_after = retry_after


class MattermostTokenError(MattermostError):
    """401: the bot's token is wrong or was revoked."""


class MattermostCertificateError(MattermostError):
    """The server's certificate does not verify: final until an operator acts."""


class MattermostDeniedError(MattermostError):
    """403: the bot may not do this here."""


class MattermostNotFoundError(MattermostError):
    """404: there is no such channel, post or user."""


class ZoomError(ZoombotError):
    """Zoom refused a call. ``status`` is the HTTP status, ``code`` Zoom's own number, ``reason`` what Zoom
    says of it, for the person; empty where Zoom says nothing."""

    def __init__(self, message: str, *, status: int = 0, code: int = 0, reason: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.reason = reason


class ZoomUnreachableError(ZoomError):
    """No usable answer from Zoom. ``maybe_done`` is true when the request may have taken effect."""

    def __init__(
        self, message: str, *, status: int = 0, maybe_done: bool = False, timed_out: bool = False
    ) -> None:
        super().__init__(message, status=status)
        self.maybe_done = maybe_done
        self.timed_out = timed_out


class ZoomCertificateError(ZoomUnreachableError):
    """Zoom's certificate does not verify: nothing was sent, and it stays so until an operator acts."""


class ZoomRateLimitError(ZoomError):
    """429. ``retry_at`` is when the limit ends (ms since the epoch), 0 if Zoom did not say."""

    def __init__(self, message: str, *, retry_at: int, daily: bool) -> None:
        super().__init__(message, status=429)
        self.retry_at = retry_at
        self.daily = daily


class NotLinkedError(ZoomError):
    """This person has linked no Zoom account (for an account-level app: nobody has authorized it)."""


class ZoomLinkError(ZoomError):
    """Zoom no longer accepts this person's authorization: they must link again."""


class ZoomClientError(ZoomError):
    """Zoom refuses the app itself (client id, secret or account id): the operator must act."""


class ZoomScopeError(ZoomError):
    """The app lacks scopes; ``scopes`` names them as Zoom did."""

    def __init__(self, message: str, *, status: int, code: int, scopes: tuple[str, ...]) -> None:
        super().__init__(message, status=status, code=code)
        self.scopes = scopes


class ZoomLicenceError(ZoomError):
    """The person's Zoom plan does not include this."""


class ZoomUserUnknownError(ZoomError):
    """Zoom knows no such user."""


class EmailHiddenError(ZoomUserUnknownError):
    """No e-mail address of this person is known, by which Zoom could be asked about them."""


class ZoomNotFoundError(ZoomError):
    """There is no such meeting, or it has expired."""


class ZoomTooLargeError(ZoomError):
    """A file is larger than was asked for, whoever asks for it."""

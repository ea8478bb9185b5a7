"""How long the parts of the bot wait, in seconds."""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.core.clocks import PERIOD_S
from bot.core.timings import DEFAULT_FEATURE_TIMINGS, FeatureTimings
from bot.mattermost import SocketTimings
from bot.runtime.answers_first import DEFAULT_COURTESY, Courtesy
from bot.runtime.identity import PERIOD_S as IDENTITY_PERIOD_S
from bot.runtime.listener import ListenerTimings
from bot.runtime.pace import DEFAULT_LIMITS as DEFAULT_EDIT_LIMITS
from bot.runtime.pace import EditLimits
from bot.runtime.patience import DEFAULT_PATIENCE, Patience
from bot.runtime.worker import DEFAULT_RETRY_POLICY, RetryPolicy
from bot.stores.claims import DEFAULT_CLAIM_TIMINGS, ClaimTimings
from bot.stores.writer import DEFAULT_LIMITS, Limits
from bot.web import WebLimits
from bot.zoom import ZoomTimings

# How long to wait for an unreachable Mattermost at start.
START_PATIENCE_S = 120.0
# The pause before a failed part starts again. If a token or certificate went bad, an operator has to act.
BROKEN_PAUSE_S = 30.0


@dataclass(frozen=True, slots=True)
class Timings:
    """The timings that tests shorten. The documentation promises the defaults."""

    start_patience_s: float = START_PATIENCE_S
    reconcile_s: float = 300.0
    # How often the bot account's name is looked at, and how long a start waits for the administrators' ids.
    identity_s: float = IDENTITY_PERIOD_S
    admins_s: float = 5.0
    edits: EditLimits = DEFAULT_EDIT_LIMITS
    courtesy: Courtesy = DEFAULT_COURTESY
    broken_pause_s: float = BROKEN_PAUSE_S
    clocks_s: float = PERIOD_S
    post_retry_s: float = 0.5
    # How often it is tried again to post what Mattermost refused.
    second_try_s: float = 60.0
    patience: Patience = DEFAULT_PATIENCE
    retry_policy: RetryPolicy = DEFAULT_RETRY_POLICY
    features: FeatureTimings = DEFAULT_FEATURE_TIMINGS
    zoom: ZoomTimings = field(default_factory=ZoomTimings)
    socket: SocketTimings = field(default_factory=SocketTimings)
    listener: ListenerTimings = field(default_factory=ListenerTimings)
    store: Limits = DEFAULT_LIMITS
    web: WebLimits = field(default_factory=WebLimits)
    claims: ClaimTimings = DEFAULT_CLAIM_TIMINGS


DEFAULT_TIMINGS = Timings()

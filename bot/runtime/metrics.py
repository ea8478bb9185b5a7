"""Counters and gauges for the operator, in the Prometheus text format."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest


class Metrics:
    """All metrics of one process. Names begin with ``zoombot_``; times are in seconds."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.items = Counter(
            "zoombot_items", "Inbox items by kind and outcome", ["kind", "outcome"], registry=self.registry
        )
        self.retries = Counter("zoombot_retries", "Handlers that were tried again", registry=self.registry)
        self.handling = Histogram(
            "zoombot_handling_seconds", "From asked to handled", ["kind"], registry=self.registry
        )
        self.zoom_calls = Counter(
            "zoombot_zoom_calls",
            "Calls to Zoom by name and status",
            ["name", "status"],
            registry=self.registry,
        )

        self.webhooks = Counter(
            "zoombot_webhooks", "Webhooks by what was answered", ["status"], registry=self.registry
        )
        self.webhook_seconds = Histogram(
            "zoombot_webhook_answer_seconds", "From a webhook's arrival to its answer", registry=self.registry
        )

    def count_zoom_call(self, name: str, status: int) -> None:
        """Count a call to Zoom."""
        self.zoom_calls.labels(name, str(status)).inc()

    def counter(self, name: str, about: str, read: Callable[[], float]) -> None:
        """Register a count that is kept elsewhere; ``read`` is called whenever ``/metrics`` is requested."""
        self.registry.register(_Count(f"zoombot_{name}", about, read))

    def gauge(self, name: str, about: str, read: Callable[[], float]) -> None:
        """Register a value; ``read`` is called whenever ``/metrics`` is requested."""
        Gauge(f"zoombot_{name}", about, registry=self.registry).set_function(read)

    def text(self) -> tuple[bytes, str]:
        """The body of ``/metrics``, and its content type."""
        return generate_latest(self.registry), CONTENT_TYPE_LATEST


class _Count:
    def __init__(self, name: str, about: str, read: Callable[[], float]) -> None:
        self._name = name
        self._about = about
        self._read = read

    def collect(self) -> Iterator[Metric]:
        yield CounterMetricFamily(self._name, self._about, value=self._read())

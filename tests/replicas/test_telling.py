"""What each of two replicas tells the operator."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from bot.runtime.app import App
from bot.setup.findings import Level
from bot.setup.store import check_store
from bot.setup.web import check_web
from tests.ports import free_port
from tests.replicas.conftest import Cluster


async def asked(cluster: Cluster, app: App) -> tuple[int, dict[str, Any], str]:
    """What ``/readyz`` and ``/metrics`` of a replica say."""
    address = f"http://127.0.0.1:{app.admin_port}"
    async with cluster.world.http.get(f"{address}/readyz") as answer:
        status, body = answer.status, await answer.json()
    async with cluster.world.http.get(f"{address}/metrics") as answer:
        return status, body, await answer.text()


async def test_both_are_ready_and_one_leads(cluster: Cluster) -> None:
    told = [await asked(cluster, app) for app in cluster.apps]
    assert [status for status, _, _ in told] == [200, 200]
    bodies = [body for _, body, _ in told]
    assert {body["status"] for body in bodies} == {"ready"}
    (leader,) = [body["replica"] for body in bodies if body["leads"]]
    assert [body["leader"] for body in bodies] == [leader, leader]
    assert [body["replicas"] for body in bodies] == [2, 2]
    assert sorted(float(re.findall(r"^zoombot_leader (.*)$", text, re.M)[0]) for _, _, text in told) == [0, 1]
    for _, _, text in told:
        assert "\nzoombot_claims_taken_over_total 0.0" in text
        assert "\nzoombot_oldest_unclaimed_seconds 0.0" in text
        assert "\nzoombot_store_connections " in text


async def test_the_doctor_finds_nothing_wrong_while_both_run(cluster: Cluster) -> None:
    """Asked as either of them, and as a third that does not run."""
    third = replace(cluster.world.config.web, port=free_port(), admin_port=free_port())
    configs = [app.ctx.config for app in cluster.apps]
    for config in (*configs, replace(configs[0], web=replace(third, public_url=configs[0].web.public_url))):
        found = [*await check_store(config), *await check_web(config)]
        assert [str(each) for each in found if each.level is Level.WRONG] == []
        (said,) = [each.text for each in found if each.subject == "store replicas"]
        assert said.startswith("2 run: 1 on ")
        assert said.endswith(" leads")

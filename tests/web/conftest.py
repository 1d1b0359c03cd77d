"""The labelling page in a real browser: real Kafka, real packets, a real server of its own."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
import uvicorn
from playwright.sync_api import Browser, Page

from active_learning.web.app import create_app
from active_learning.web.desk import Desk
from active_learning.web.discovery_desk import DiscoveryDesk
from active_learning.web.server import bound_socket
from broker.commands.label import desk_of, discovery_desk_of
from broker.kafka.message_log import labels_log, requests_log
from broker.settings import Settings
from schemas import packets
from schemas.light_curves import LightCurves
from tests.kafka_topics import create_topic
from tests.waiting import wait_for

CLASS_IDS = [2222, 2223, 2224, 2243, 2332]


def light_curves(n: int, n_points: int = 50) -> LightCurves:
    """Rising and fading objects in six bands, detections and forced points, some below the limit; the last points."""
    generator = np.random.default_rng(2)
    times = np.sort(generator.uniform(-40, 0, (n, 50)), axis=1)
    times[:, -1] = 0.0
    flux = 9000 * np.exp(-0.5 * ((times + 15) / 9) ** 2)
    error = np.full_like(flux, 250.0)
    columns = {
        "time_mjd": 61_000 + times,
        "flux_njy": flux + generator.normal(0, 250, flux.shape),
        "flux_err_njy": error,
        "band": np.tile(np.arange(50) % 6, (n, 1)),
        "is_detection": (flux > 1500) | (times == 0),
    }
    return LightCurves.from_points(
        alert=np.repeat(np.arange(n), n_points),
        columns={name: values[:, -n_points:].ravel() for name, values in columns.items()},
        alerts={
            "alert_id": np.arange(n) + 1000,
            "object_id": np.arange(n) + 2**60,
            "alert_mjd": np.full(n, 61_000.0),
            "ra_deg": np.linspace(10, 200, n),
            "dec_deg": np.linspace(-60, 10, n),
            "survey": np.zeros(n),
            "schema_id": np.full(n, 1101),
            "is_solar_system": np.zeros(n, bool),
            "reliability": np.full(n, 0.9),
        },
    )


@dataclass
class Scene:
    """A page that is served, and the topics behind it."""

    settings: Settings
    url: str
    desk: Desk
    discoveries: DiscoveryDesk
    visits: list[Any] = field(default_factory=list)

    def labels(self) -> list[dict[str, Any]]:
        """Every label record, as another program reads them from Kafka."""
        log = labels_log(self.settings)
        return [stored.record for stored in log.read()]

    def ask(self, n: int = 4, n_points: int = 50, **fields: Any) -> list[dict[str, Any]]:
        """Publish packets (of ``n_points``) and requests (with these ``fields``) on ``n`` objects; returns when the
        page's server has them."""
        curves = light_curves(n, n_points)
        alerts = create_topic(self.settings, 1)
        alerts.produce(packets.write(curves), partition=0)
        generator = np.random.default_rng(1)
        made = [
            {
                "request_id": uuid4().hex[:16],
                "object_id": int(curves.object_id[i]),
                "object_name": str(curves.object_id[i]),
                "created_ms": 1_790_000_000_000,
                "night": 61_000,
                "reason": ("novel", "uncertain", "random")[i % 3],
                "utility": 0.8,
                "propensity": 0.2 if i % 3 == 2 else 1.0,
                "exposure_s": 900.0,
                "magnitude": 21.4,
                "band": "r",
                "ra_deg": float(curves.ra_deg[i]),
                "dec_deg": float(curves.dec_deg[i]),
                "alert_id": int(curves.alert_id[i]),
                "input_topic": alerts.name,
                "input_partition": 0,
                "input_offset": i,
                "model_sha256": "ab" * 32,
                "class_ids": CLASS_IDS,
                "p_survey": generator.dirichlet([4, 2, 1, 1, 1]).tolist(),
                "novelty_p_value": 1e-4 if i % 3 == 0 else 0.4,
            }
            | fields
            for i in range(n)
        ]
        with requests_log(self.settings) as log:
            log.append(made)
        wait_for(lambda: len(self.desk.queue("ada")) >= n, 20, "the page's server to read the requests")
        return made


@pytest.fixture
def scene(services: Settings, tmp_path: Path) -> Iterator[Scene]:
    """A server of the page on a free port, with topics of its own."""
    settings = Settings(
        home=tmp_path,
        kafka_bootstrap_servers=services.bootstrap_servers(),
        redis_url=services.redis_address(),
        topic_prefix=f"web-{uuid4().hex[:8]}",
    )
    desk, discoveries = desk_of(settings, timeout_s=10.0), discovery_desk_of(settings, timeout_s=10.0)
    listener = bound_socket("127.0.0.1", 0, tmp_path)
    server = uvicorn.Server(uvicorn.Config(create_app(desk, discoveries), log_level="warning"))
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    wait_for(lambda: server.started, 30, "the page's server to start")
    yield Scene(settings, f"http://127.0.0.1:{listener.getsockname()[1]}/", desk, discoveries)
    server.should_exit = True
    thread.join(30)
    listener.close()


@dataclass
class Visit:
    """A page in the browser, and all it asked for and complained of."""

    page: Page
    hosts: set[str] = field(default_factory=set)
    complaints: list[str] = field(default_factory=list)

    def drawn(self) -> None:
        """Wait until the light curve of the object on show is drawn."""
        self.page.wait_for_function(
            "() => { const c = document.getElementById('chart');"
            " return c && c.dataset.drawn === c.dataset.src && c.querySelector('.main-svg'); }",
            timeout=60_000,
        )


@pytest.fixture
def visit(browser: Browser, scene: Scene) -> Iterator[Any]:
    """Opens the page: ``visit(width, height, name)``; fails afterwards for outside requests and complaints."""
    made: list[Visit] = []

    def open_page(width: int = 1440, height: int = 900, name: str = "ada") -> Visit:
        page = browser.new_context(viewport={"width": width, "height": height}).new_page()
        visit = Visit(page)
        page.on("request", lambda request: visit.hosts.add(request.url.split("/")[2] if "//" in request.url else ""))
        page.on("console", lambda m: visit.complaints.append(f"{m.text} {m.location}") if m.type != "log" else None)
        page.on("pageerror", lambda error: visit.complaints.append(str(error)))
        page.goto(scene.url)
        page.fill("#name", name)
        page.click("button.primary")
        page.wait_for_selector("body[data-ready] #object")
        made.append(visit)
        return visit

    yield open_page
    for visit in made:
        visit.page.context.close()
        assert visit.hosts <= {scene.url.split("/")[2], ""}, f"the page asked {visit.hosts}"
        assert visit.complaints == []

"""Work of the cycle that no cycle waits for: measuring the quality of the data, and asking servers of map layers."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from typing import Any

from control import quality
from control.quality import QualityKeeper
from core.quality import Quality
from core.snapshot import SeriesFrames
from gis.live import LiveLayers

LOG = logging.getLogger("line")


class QualityTurns:
    """The quality of the data as it was last measured; `band` is the usual band as it stands."""

    def __init__(self, keeper: QualityKeeper, band: Callable[[], SeriesFrames]) -> None:
        self.keeper = keeper
        self.newest: Quality | None = None
        self.running: Future[Quality] | None = None
        self._band = band
        self._measured_at: datetime | None = None
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="quality")

    def measure(self, now: datetime) -> Quality:
        """Measured at once, in the thread of whoever asks."""
        self.newest = self.keeper.turn(now, self._band())
        return self.newest

    def turn(self, now: datetime) -> None:
        """Every quarter of an hour (every cycle while past days are missing), in a thread of its own."""
        if self.running is not None and self.running.done():
            failed, self.running = self.running.exception(), None
            if failed is not None:  # a defect here must not end the watch
                LOG.error("data quality could not be measured; the last figures stand", exc_info=failed)
        due = self._measured_at is None or self.keeper.catching_up or now - self._measured_at >= quality.EVERY
        if due and self.running is None:
            self._measured_at = now
            self.running = self._pool.submit(self.measure, now)

    def stop(self) -> None:
        """Wait for what is being measured: it reads the store, which closes next."""
        self._pool.shutdown(wait=True, cancel_futures=True)


class LayerTurns:
    """Live layers, asked when their time has come."""

    def __init__(self, layers: LiveLayers) -> None:
        self.running: dict[str, Future[Any]] = {}
        self._layers = layers
        self._pool = ThreadPoolExecutor(max_workers=2, thread_name_prefix="layers")

    def turn(self, now: datetime) -> None:
        """Ask every server whose time has come and that is not being asked already."""
        for key in self._layers.due(now):
            running = self.running.get(key)
            if running is not None and not running.done():
                continue
            if running is not None and running.exception() is not None:  # a defect here must not end the watch
                LOG.error("the live layer %s could not be kept", key, exc_info=running.exception())
            self.running[key] = self._pool.submit(self._layers.turn, key, now)

    def stop(self) -> None:
        """Wait for nobody."""
        self._pool.shutdown(wait=False, cancel_futures=True)

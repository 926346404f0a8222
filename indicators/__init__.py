"""Indicators: one file, one figure of the city. Observations in, observations out, and nothing else touched.

A file that does not start with an underscore is an indicator: it carries its record INDICATOR and compute(window).
"""

from __future__ import annotations

import importlib
from functools import lru_cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Protocol, cast

import pandas as pd

from core.catalogue import Catalogue, Indicator, load_properties
from core.errors import ConfigError
from core.window import Window


class IndicatorModule(Protocol):
    """What every file of this room offers."""

    INDICATOR: Indicator

    @staticmethod
    def compute(window: Window) -> pd.DataFrame:
        """Results in the one frame for since < time <= until."""


@lru_cache(maxsize=1)
def discover() -> dict[str, IndicatorModule]:
    """Every indicator by key, found by looking into the folder. Raises ConfigError when a file is not one."""
    found: dict[str, IndicatorModule] = {}
    for path in sorted(Path(__file__).parent.glob("[!_]*.py")):
        module = importlib.import_module(f"{__name__}.{path.stem}")
        record = getattr(module, "INDICATOR", None)
        if not isinstance(record, Indicator) or not callable(getattr(module, "compute", None)):
            raise ConfigError(
                f"indicators/{path.name}: it needs INDICATOR and compute(); name it _{path.name} if it is a shared part"
            )
        if record.key != path.stem:
            raise ConfigError(f"indicators/{path.name}: its key is {record.key}; file and key must be the same word")
        found[record.key] = cast(IndicatorModule, module)
    return found


def catalogue() -> Catalogue:
    """Everything that is observed (data/catalogue) and everything that is computed here."""
    return Catalogue((*load_properties(), *(module.INDICATOR for module in discover().values())))


def ordered() -> list[IndicatorModule]:
    """The indicators in an order in which each finds its needs computed. Raises ConfigError on a circle."""
    modules = discover()
    maker = {key: key for key in modules}
    maker |= {part.key: key for key, module in modules.items() for part in module.INDICATOR.companions}
    needs = {key: {maker[need] for need in module.INDICATOR.needs if need in maker} for key, module in modules.items()}
    try:
        return [modules[key] for key in TopologicalSorter(needs).static_order()]
    except CycleError as error:
        raise ConfigError(f"indicators: these need each other in a circle: {' -> '.join(error.args[1])}") from error

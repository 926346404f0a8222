"""Tells people and other systems about alerts: e-mail, webhook, Alertmanager, and a hook for SMS and Zalo gateways.

`plan` says who must be told of what (pure), `Courier` sends it, `load_routes` reads config/<city>/notices.toml.
"""

from __future__ import annotations

from notices.courier import Courier
from notices.planning import plan
from notices.routes import Routes, load_routes

__all__ = ["Courier", "Routes", "load_routes", "plan"]

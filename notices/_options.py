"""Options of a channel in notices.toml, checked when loaded. Secrets stand there only as names of settings."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from core.errors import ConfigError
from core.toml_files import take

LOOPBACK = ("127.0.0.1", "::1", "localhost")


def refuse_unknown(table: Mapping[str, Any], known: Collection[str], where: str) -> None:
    """ConfigError that names the unknown keys and the known ones."""
    if unknown := sorted(set(table) - set(known)):
        raise ConfigError(f"{where}: unknown key {', '.join(unknown)}; known are {', '.join(sorted(known))}")


def secret(options: Mapping[str, Any], name: str, environ: Mapping[str, str], where: str) -> str:
    """The value of the environment variable whose NAME is the option; empty where the option is not given."""
    variable = take(options, name, str, where, "")
    if not variable:
        return ""
    value = environ.get(variable, "").strip()
    if not value:
        raise ConfigError(f"{where}: {name} = {variable!r}, but the environment holds no such variable: set it")
    if not value.isprintable() or not value.isascii():
        raise ConfigError(f"{where}: the environment variable {variable} holds characters that cannot be sent")
    return value


def url(options: Mapping[str, Any], environ: Mapping[str, str], where: str, *, guarded: bool) -> str:
    """The option `url`, or the variable named by `url_env` for addresses that are secrets themselves.

    With `guarded` a secret travels along, so the way must be https, or stay on this machine.
    """
    if ("url" in options) == ("url_env" in options):
        raise ConfigError(f"{where}: give either url or url_env")
    found = take(options, "url", str, where, "") or secret(options, "url_env", environ, where)
    try:
        parts = urlsplit(found)
        parts.port  # noqa: B018 - reading it checks it
    except ValueError as error:
        raise ConfigError(f"{where}: url is not an address of the form https://host/path") from error
    if parts.scheme not in ("http", "https") or not parts.hostname or not found.isascii() or not found.isprintable():
        raise ConfigError(f"{where}: url is not an address of the form https://host/path")
    if parts.username or parts.password:
        raise ConfigError(f"{where}: url holds a password; put the whole address into a variable and name it: url_env")
    if guarded and parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise ConfigError(f"{where}: the secret would travel in the clear: use https")
    return found


def ca_file(options: Mapping[str, Any], where: str) -> str:
    """Path of the certificates of the organisation's own authority, or empty."""
    path = take(options, "ca_file", str, where, "")
    if path and not Path(path).is_file():
        raise ConfigError(f"{where}: ca_file {path} is not there")
    return str(path)


def seconds(options: Mapping[str, Any], name: str, where: str, default: float) -> float:
    """A time-out in seconds, from 1 to 60: a channel must be able to give up."""
    value = float(take(options, name, (int, float), where, default))
    if not 1 <= value <= 60:
        raise ConfigError(f"{where}: {name} must lie between 1 and 60, not {value:g}")
    return value

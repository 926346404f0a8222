"""How this server is opened: whether an identity provider is configured, and where it may listen without one."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import streamlit as st
from google.protobuf.message import DecodeError
from streamlit.proto.BackMsg_pb2 import BackMsg

from core.errors import ConfigError, InputError
from core.toml_files import read_toml, take

LOG = logging.getLogger("login")
CALLBACK = "/oauth2callback"
SHORTEST_SECRET = 32
NEEDED = ("redirect_uri", "cookie_secret", "client_id", "client_secret", "server_metadata_url")
WHERE = "secrets.toml: [auth]"
NO_PROMPT = (
    "%s: client_kwargs names no prompt, so Streamlit sends prompt=select_account, which a strict provider refuses; "
    'write client_kwargs = { prompt = "login", scope = "openid profile email" }'
)
NO_TLS = "%s: redirect_uri is not https: sign-ins travel in the clear; put a proxy with TLS before this server"


@dataclass(frozen=True, slots=True)
class Login:
    """An identity provider is configured, and this is where it sends people back to."""

    redirect_uri: str

    @property
    def secure(self) -> bool:
        """True when people come over https."""
        return urlsplit(self.redirect_uri).scheme == "https"


def configured() -> Login | None:
    """The login of Streamlit's secrets (`.streamlit/secrets.toml`, or the files of STREAMLIT_SECRETS_FILES).

    None when no file has an [auth]. Raises ConfigError for one that cannot work: an unreadable or half-filled file
    must never open the house as if there were no login.
    """
    auth: Mapping[str, Any] = {}
    for path in [Path(name) for name in st.get_option("secrets.files")]:
        if path.is_file():
            auth = take(read_toml(path), "auth", dict, path.name, auth)
    return read_login(auth) if auth else None


def read_login(auth: Mapping[str, Any]) -> Login:
    """Check an [auth] table. Raises ConfigError; says in the log what a strict provider would refuse."""
    for name in NEEDED:
        if not take(auth, name, str, WHERE).strip():
            raise ConfigError(f"{WHERE}: {name} is empty")
    if len(auth["cookie_secret"]) < SHORTEST_SECRET:
        raise ConfigError(f"{WHERE}: cookie_secret has fewer than {SHORTEST_SECRET} letters: whoever guesses it is in")
    login = Login(auth["redirect_uri"])
    address = urlsplit(login.redirect_uri)
    if address.scheme not in ("http", "https") or not address.path.endswith(CALLBACK):
        raise ConfigError(f"{WHERE}: redirect_uri must be this server's address and end with {CALLBACK}")
    missing = [name for name in ("authlib", "httpx") if find_spec(name) is None]
    if missing:
        raise ConfigError(f"{WHERE}: a login needs {' and '.join(missing)}: pip install -r requirements.txt")
    if not take(auth, "client_kwargs", dict, WHERE, {}).get("prompt"):
        LOG.warning(NO_PROMPT, WHERE)
    if not login.secure and not is_loopback(address.hostname or ""):
        LOG.warning(NO_TLS, WHERE)
    return login


def check_address(address: str | None, login: Login | None) -> None:
    """Raises InputError when the server would be open to others although nobody has to sign in."""
    if login is None and not is_loopback(address or ""):
        shown = address or "every address of this machine"
        raise InputError(
            f"server.address: {shown} is open to others and no login is configured: write [auth] into "
            ".streamlit/secrets.toml (docs/people.md), or listen on 127.0.0.1"
        )


def is_loopback(host: str) -> bool:
    """True for localhost and the addresses of this machine alone; other names are not believed."""
    if host.casefold() == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def is_deed(message: bytes) -> bool:
    """True for what a person did in the browser; False for a screen that refreshes itself, and for signs of life."""
    try:
        sent = BackMsg.FromString(message)
    except DecodeError:
        return False
    return sent.WhichOneof("type") == "rerun_script" and not sent.rerun_script.is_auto_rerun

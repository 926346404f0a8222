"""What a house installs: the files of deploy/ are well-formed, agree with each other and with the programme."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from api.live import PATH
from tests.browser.conftest import ROOT

DEPLOY = ROOT / "deploy"
UNITS = sorted(DEPLOY.glob("*.service"))
SCRIPTS = sorted(DEPLOY.glob("*.sh"))


def test_every_file_is_told_of_in_the_operations() -> None:
    told = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    names = sorted(path.name for path in DEPLOY.iterdir())
    assert len(names) >= 8
    assert [name for name in names if name not in told] == []


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_can_be_read_by_a_plain_shell_and_run(script: Path) -> None:
    assert subprocess.run(["sh", "-n", script], check=False).returncode == 0
    assert script.stat().st_mode & 0o111
    asked = subprocess.run(["sh", script], capture_output=True, text=True, check=False)
    assert asked.returncode == 2, "without an argument it says what it needs, and does nothing"
    assert "error: give the" in asked.stderr


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_a_unit_starts_what_is_there(unit: Path) -> None:
    command = re.search(r"^ExecStart=/opt/city/(\S+)", unit.read_text(encoding="utf-8"), re.MULTILINE)
    assert command is not None
    assert command[1] == ".venv/bin/streamlit" or (ROOT / command[1]).is_file()


def test_both_kiosks_read_one_list_of_flags() -> None:
    lines = (DEPLOY / "kiosk.flags").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if not re.fullmatch(r"--[a-z-]+(=\S+)?|# .+", line)] == []
    flags = {line.partition("=")[0] for line in lines if line.startswith("--")}
    assert {"--kiosk", "--autoplay-policy", "--disable-pinch", "--disable-background-networking"} <= flags
    for script in ("kiosk-debian.sh", "kiosk-windows.ps1"):
        text = (DEPLOY / script).read_text(encoding="utf-8")
        assert "kiosk.flags" in text
        assert "MAP * ~NOTFOUND, EXCLUDE" in text
        assert "/api/health" in text


def test_the_policies_are_a_table_of_switches() -> None:
    policies = json.loads((DEPLOY / "chromium-policies.json").read_text(encoding="utf-8"))
    assert policies["MetricsReportingEnabled"] is False
    assert policies["AutofillAddressEnabled"] is False


def test_the_proxy_keeps_host_and_client_and_lets_websockets_through() -> None:
    text = (DEPLOY / "nginx.conf").read_text(encoding="utf-8")
    for header in (
        "Host $http_host",
        "X-Forwarded-For $proxy_add_x_forwarded_for",
        "Upgrade $http_upgrade",
        "Connection $connection_upgrade",
    ):
        assert f"proxy_set_header {header};" in text
    assert PATH in text
    logged = re.search(r"^log_format city (.*);$", text, re.MULTILINE)
    assert logged is not None
    assert not {"$request", "$args", "$request_uri"} & set(re.findall(r"\$\w+", logged[1])), (
        "a token stands in the query"
    )


@pytest.mark.skipif(shutil.which("nginx") is None, reason="no nginx on this machine: apt-get install nginx")
def test_nginx_takes_the_file(tmp_path: Path) -> None:
    made = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=ioc.example.gov.vn"]
    files = ["-keyout", tmp_path / "key.pem", "-out", tmp_path / "fullchain.pem"]
    subprocess.run(["openssl", *made, *files], check=True, capture_output=True)
    text = (DEPLOY / "nginx.conf").read_text(encoding="utf-8")
    city = text.replace("/etc/ssl/city", str(tmp_path)).replace("/var/log/nginx", str(tmp_path))
    whole = f"pid {tmp_path}/pid;\nerror_log {tmp_path}/error.log;\nevents {{}}\nhttp {{\n{city}\n}}\n"
    (tmp_path / "nginx.conf").write_text(whole, encoding="utf-8")
    command = ["nginx", "-t", "-c", tmp_path / "nginx.conf"]
    tried = subprocess.run(command, capture_output=True, text=True, check=False)
    # Who may not open the ports of the web can still read the file.
    assert "syntax is ok" in tried.stderr, tried.stderr


def test_a_container_gets_no_secret_no_data_and_no_history() -> None:
    left_out = (ROOT / ".containerignore").read_text(encoding="utf-8").splitlines()
    assert {".git", ".venv", ".streamlit/secrets.toml", "data/*.duckdb*"} <= set(left_out)
    assert (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() == left_out
    text = (ROOT / "Containerfile").read_text(encoding="utf-8")
    assert re.search(r"^USER city$", text, re.MULTILINE)
    assert "server.address" not in text, "how far it listens is decided where it is published"

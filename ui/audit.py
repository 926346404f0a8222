"""The audit log for the auditor: who did what, when and from where; whether the chain is whole; and its export."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st

from core.access import check
from core.ledger import RESULTS
from store.audit import audit_cef, audit_csv
from ui import panel, people, render, server
from ui.frame import Screen

FIRST_DAYS = 7
MOST_SHOWN = 500
FORMATS: dict[str, tuple[Callable[[pd.DataFrame], str], str, str]] = {
    "csv": (audit_csv, "csv", "text/csv"),
    "cef": (audit_cef, "log", "text/plain"),
}


def log(screen: Screen) -> None:
    """The whole page below the strip. Only for whoever may read the log; reading it is an entry of its own."""
    check(screen.person, "read_audit")
    people.opened(screen.person, "read_audit")
    _chain(screen)
    since, until = _days(screen)
    rows = server.start().store.read_audit(since, until, limit=None)
    _table(screen, _filtered(screen, rows))
    _export(screen, since, until)


@st.cache_data(max_entries=4, show_spinner=False)
def _findings(entry: int, digest: str, store: str) -> list[str]:
    """What is wrong with the chain; walked anew for every new head."""
    return server.start().store.verify_audit()


def _chain(screen: Screen) -> None:
    line = server.start()
    entry, digest = line.store.audit_head()
    findings = _findings(entry, digest, f"{line.city.key}-{id(line)}")
    if not findings:
        st.text(screen.t("audit.whole", n=entry))
        st.caption(f"{entry}:{digest}")
        return
    with st.container(key="audit_broken"):
        st.text(screen.t("audit.broken", n=len(findings)))
        st.text(screen.t("audit.broken_how"))
        for finding in findings:
            st.text(finding)


def _days(screen: Screen) -> tuple[datetime, datetime]:
    """The chosen days of the city, as moments: from the first one's midnight to the midnight after the last."""
    zone = screen.line.city.zone
    today = screen.line.clock.now().astimezone(zone).date()
    with st.container(key="audit_days", horizontal=True, gap="small"):
        first = _day(screen.t("audit.from_day"), today - timedelta(days=FIRST_DAYS - 1), "audit_from")
        last = _day(screen.t("audit.to_day"), today, "audit_to")
    begin, end = min(first, last), max(first, last)
    midnight = datetime.min.time()
    return (
        datetime.combine(begin, midnight, zone),
        datetime.combine(end + timedelta(days=1), midnight, zone),
    )


def _day(label: str, default: date, key: str) -> date:
    chosen = st.date_input(label, default, format="DD/MM/YYYY", key=key, width=180)
    return chosen if isinstance(chosen, date) else default


def _filtered(screen: Screen, rows: pd.DataFrame) -> pd.DataFrame:
    t = screen.t
    with st.container(key="audit_filters", horizontal=True, gap="small"):
        account = st.text_input(t("audit.account"), key="audit_account", max_chars=200)
        actions = ["", *sorted(set(rows["action"].astype("str")))]
        action = st.selectbox(
            t("audit.action"), actions, format_func=lambda name: name or t("audit.any"), key="audit_action"
        )
        result = st.selectbox(
            t("audit.result"),
            ["", *RESULTS],
            format_func=lambda name: t(f"audit.{name}") if name else t("audit.any"),
            key="audit_result",
        )
    wanted = account.strip().casefold()
    if wanted:
        rows = rows[rows["account"].astype("str").str.casefold().str.contains(wanted, regex=False)]
    if action:
        rows = rows[rows["action"] == action]
    return rows[rows["result"] == result] if result else rows


def _table(screen: Screen, rows: pd.DataFrame) -> None:
    t = screen.t
    if rows.empty:
        st.text(t("audit.none"))
        return
    newest = rows.head(MOST_SHOWN)
    st.text(t("audit.shown", n=len(rows), most=len(newest)))
    shown = [_row(row, screen.line.city.zone) for row in newest.to_dict("records")]
    # No st.dataframe: its own download button would let the log out unseen, and unguarded against formulas.
    panel.panel("audit_rows", {"audit": render.html("audit.html", screen.snapshot, screen.language, rows=shown)})


def _row(row: dict[Hashable, Any], zone: ZoneInfo) -> dict[str, Any]:
    address, port = str(row["source_address"]), row["source_port"]
    return {
        **{str(name): value for name, value in row.items()},
        "time": f"{row['happened_at'].astimezone(zone):%d/%m/%Y %H:%M:%S}",
        "source": address if pd.isna(port) else f"{address}:{port}",
    }


def _export(screen: Screen, since: datetime, until: datetime) -> None:
    t = screen.t
    with st.popover(t("audit.export")):
        st.text(t("audit.export_how"))
        st.button(t("audit.make_csv"), key="audit_make_csv", on_click=_make, args=(screen, "csv", since, until))
        st.button(t("audit.make_cef"), key="audit_make_cef", on_click=_make, args=(screen, "cef", since, until))
        made: Any = st.session_state.get("audit_made")
        if made is not None:
            name, text, mime = made
            st.download_button(t("audit.take", name=name), text, file_name=name, mime=mime, key="audit_take")


def _make(screen: Screen, kind: str, since: datetime, until: datetime) -> None:
    """Write the export into the log first, then make it, so that it holds its own entry."""
    write, ending, mime = FORMATS[kind]
    person = screen.person
    check(person, "export_audit")
    people.tell(person, "export_audit", f"{since.isoformat()} – {until.isoformat()} {kind}")
    zone = screen.line.city.zone
    rows = server.start().store.read_audit(since, until, limit=None)
    name = f"audit-{since.astimezone(zone):%Y%m%d}-{(until - timedelta(seconds=1)).astimezone(zone):%Y%m%d}.{ending}"
    st.session_state["audit_made"] = (name, write(rows), mime)

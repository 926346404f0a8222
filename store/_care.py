"""Care of the file in SQL: how much it holds, and whether it contradicts itself. Functions on a cursor."""

from __future__ import annotations

import duckdb

from store._file import one

_COUNTED = (
    "observations",
    "revisions",
    "series",
    "sites",
    "set_aside",
    "alerts",
    "journal",
    "notices",
    "audit",
    "deliveries",
    "survey_answers",
    "rating_counts",
    "usage_days",
    "cases",
    "plan_tasks",
    "decisions",
    "maturity_answers",
    "open_figures",
)


def counts(cursor: duckdb.DuckDBPyConnection) -> dict[str, float | int | str]:
    """Rows per table, the oldest and newest observation (ISO 8601 in UTC, empty without one), the schema's version."""
    rows = one(cursor.execute(f"SELECT {', '.join(f'(SELECT count(*) FROM {table})' for table in _COUNTED)}"))
    oldest, newest = one(cursor.execute("SELECT min(time), max(time) FROM observations"))
    (version,) = one(cursor.execute("SELECT max(version) FROM schema_version"))
    found: dict[str, float | int | str] = dict(zip(_COUNTED, rows, strict=True))
    found["oldest"] = "" if oldest is None else f"{oldest.isoformat()}Z"
    found["newest"] = "" if newest is None else f"{newest.isoformat()}Z"
    found["schema_version"] = version
    return found


def findings(cursor: duckdb.DuckDBPyConnection, latest: str, area_hours: str) -> list[str]:
    """What does not fit together, with how often, in words; empty for a sound file.

    `latest` and `area_hours` are the queries from which the serve tables of these names are filled.
    """
    questions = {
        "series is given twice": """SELECT 1 FROM series
            GROUP BY site_id, observed_property, source HAVING count(*) > 1""",
        "series number is given twice": "SELECT 1 FROM series GROUP BY series_id HAVING count(*) > 1",
        "observation is stored twice": "SELECT 1 FROM observations GROUP BY series_id, time HAVING count(*) > 1",
        "observation has no series": "SELECT 1 FROM observations ANTI JOIN series USING (series_id)",
        "revision has no observation that replaced it": """SELECT 1 FROM revisions r ANTI JOIN observations o
            ON r.series_id = o.series_id AND r.time = o.time AND r.superseded_at <= o.received_at""",
        "row of `latest` differs from the observations": f"""SELECT 1
            FROM ({latest}) o FULL JOIN latest l USING (series_id)
            WHERE (o.time, o.value, o.quality, o.received_at)
                IS DISTINCT FROM (l.time, l.value, l.quality, l.received_at)""",
        "row of `latest` is there twice": "SELECT 1 FROM latest GROUP BY series_id HAVING count(*) > 1",
        "row of `area_hourly` differs from the observations": f"""SELECT 1
            FROM ({area_hours}) o FULL JOIN area_hourly a USING (observed_property, area, hour)
            WHERE (o.n, o.low, o.high) IS DISTINCT FROM (a.n, a.low, a.high)
            OR abs(o.total - a.total) > 1e-9 * greatest(abs(o.low), abs(o.high)) * o.n""",
        "row of `area_hourly` is there twice": """SELECT 1 FROM area_hourly
            GROUP BY observed_property, area, hour HAVING count(*) > 1""",
        "alert is there twice": "SELECT 1 FROM alerts GROUP BY rule, site_id HAVING count(*) > 1",
        "journal entry is there twice": "SELECT 1 FROM journal GROUP BY entry HAVING count(*) > 1",
        "situation is there twice": "SELECT 1 FROM situations GROUP BY id HAVING count(*) > 1",
        "step is there twice": """SELECT 1 FROM playbook_steps
            GROUP BY rule, site_id, began_at, step HAVING count(*) > 1""",
        "handover is there twice": "SELECT 1 FROM handovers GROUP BY id HAVING count(*) > 1",
        "notice is there twice": "SELECT 1 FROM notices GROUP BY id HAVING count(*) > 1",
        "case is there twice": "SELECT 1 FROM cases GROUP BY source, case_id HAVING count(*) > 1",
        "delivered file differs from its hash": "SELECT 1 FROM deliveries WHERE sha256(body) <> sha256",
        "survey link is given twice": "SELECT 1 FROM survey_links GROUP BY key_id HAVING count(*) > 1",
        "answer belongs to no link": "SELECT 1 FROM survey_answers ANTI JOIN survey_links USING (key_id)",
        "answer tells more than its hour": """SELECT 1 FROM survey_answers
            WHERE answered_at <> date_trunc('hour', answered_at) OR points NOT BETWEEN 1 AND 5""",
        "delivery has versions missing or given twice": """SELECT 1 FROM deliveries GROUP BY form, unit, period_end
            HAVING count(*) <> max(version) OR count(DISTINCT version) <> count(*)""",
        "task has versions missing or given twice": """SELECT 1 FROM plan_tasks GROUP BY task
            HAVING count(*) <> max(version) OR count(DISTINCT version) <> count(*)""",
        "decision is there twice": "SELECT 1 FROM decisions GROUP BY id HAVING count(*) > 1",
        "decision has no task that it names": """SELECT 1 FROM decisions d
            WHERE d.task <> '' AND d.task NOT IN (SELECT task FROM plan_tasks WHERE decision = d.id)""",
        "answer of a criterion has versions missing or given twice": """SELECT 1 FROM maturity_answers
            GROUP BY criterion HAVING count(*) <> max(version) OR count(DISTINCT version) <> count(*)""",
        "published period overlaps another": """SELECT 1 FROM open_figures a JOIN open_figures b
            ON a.since < b.until AND b.since < a.until AND (a.since, a.until) < (b.since, b.until)""",
        "published period is there twice": "SELECT 1 FROM open_figures GROUP BY since, until HAVING count(*) > 1",
    }
    told = []
    for words, sql in questions.items():
        (count,) = one(cursor.execute(f"SELECT count(*) FROM ({sql})"))
        if count:
            told.append(f"{count} x {words}")
    return told

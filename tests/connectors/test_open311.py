"""Open311: reports of citizens become counts and hours; no word of a citizen leaves fetch."""

import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
import requests

from connectors import FetchRequest, Payload, open311, session
from core.errors import ConfigError, InputError, SourceChanged, SourceRefused

RECORDINGS = Path(__file__).parent.parent / "recordings" / "open311"
SITES = pd.DataFrame(
    {"kind": ["city", "area", "area", "office", "area"], "latitude": [10.5, 10.51, 10.7, 10.5, float("nan")],
     "longitude": [106.5, 106.5, 106.7, 106.5, float("nan")]},
    index=pd.Index(["thanh_lam", "phuong_1", "phuong_2", "mot_cua", "nowhere"], name="site_id"),
)  # fmt: skip
UNTIL = datetime(2026, 6, 1, 8, tzinfo=UTC)


def table(payload):
    frame = open311.parse(payload)
    rows = zip(frame["observed_property"], frame["time"], frame["site_id"], frame["value"], strict=True)
    return {(key, moment.strftime("%H:%M"), site_id): value for key, moment, site_id, value in rows}


def recorded(name="requests.json", **context):
    return Payload(body=(RECORDINGS / name).read_bytes(), name=name, context=context)


def with_city(**context):
    return recorded(sites=SITES, city_site="thanh_lam", until=UNTIL, **context)


def reports(*records, **context):
    return Payload(body=json.dumps(records).encode(), name="reports.json", context=context)


def report(**edits):
    return {"service_request_id": "x", "status": "open", "requested_datetime": "2026-06-01T00:00:00Z", **edits}


def test_a_morning_of_reports_as_counts_and_hours():
    assert table(with_city()) == {
        ("reports_received", "00:00", "phuong_1"): 1,  # 07:00+07:00, on two pages, counted once
        ("reports_received_flooding", "00:00", "phuong_1"): 1,  # «Điểm ngập»
        ("reports_received", "00:00", "thanh_lam"): 1,  # 0,0 is unknown: the city
        ("reports_received", "01:00", "phuong_1"): 1,
        ("reports_closed", "03:00", "phuong_1"): 2,
        ("report_resolution", "03:00", "phuong_1"): 2.5,  # mean of 3 h and 2 h
        ("reports_due", "02:00", "phuong_1"): 1,
        ("reports_due_met", "02:00", "phuong_1"): 0,  # closed at 03:00, promised for 02:00
        ("reports_due", "05:00", "phuong_1"): 1,
        ("reports_due_met", "05:00", "phuong_1"): 1,
        ("reports_received", "04:00", "thanh_lam"): 1,  # closed before it was opened: received, and no more
    }


def test_a_promise_for_next_week_is_not_due_yet():
    assert not [key for key in table(with_city()) if key[0] == "reports_due" and key[1] == "00:00"]
    bare = reports(report(expected_datetime="2026-06-02T00:00:00Z", updated_datetime="2026-06-01T05:00:00Z"))
    assert set(open311.parse(bare)["observed_property"]) == {"reports_received"}  # nothing newer is in the file


def test_xml_and_json_say_the_same():
    assert table(recorded("requests.xml")) == {
        ("reports_received", "00:00", "open311"): 1,
        ("reports_received_flooding", "00:00", "open311"): 1,
        ("reports_closed", "03:00", "open311"): 1,
        ("report_resolution", "03:00", "open311"): 3.0,
    }


def test_a_report_goes_to_the_nearest_ward_within_5_km_and_else_to_the_city():
    near, far = {"lat": "10,52", "long": 106.5}, {"lat": 10.6, "long": 106.6}
    places = [near, far, {"lat": None, "long": None}, {"lat": "0", "long": 0.0}, {"lat": 370.51, "long": 106.5}]
    payload = reports(
        *[report(service_request_id=number, **place) for number, place in enumerate(places, start=1)],
        sites=SITES, city_site="thanh_lam", until=UNTIL,
    )  # fmt: skip
    assert table(payload) == {
        ("reports_received", "00:00", "phuong_1"): 1,
        ("reports_received", "00:00", "thanh_lam"): 4,
    }


def test_flooding_is_known_by_its_name_in_either_unicode_form_or_by_the_codes_of_the_operator():
    decomposed = "Nga\u0323\u0302p u\u0301ng"
    payload = reports(
        report(service_request_id=1, service_name=decomposed),
        report(service_request_id=2, service_name="Thoát nước", service_code=17),
        report(service_request_id=3, service_name="Rác", description="sau trận ngập"),
        options={"flooding_codes": ["17"]},
    )
    assert table(payload)["reports_received_flooding", "00:00", "open311"] == 2


def test_the_latest_state_of_a_report_counts_and_reports_without_any_id_all_count():
    closed = report(status="closed", updated_datetime="2026-06-01T02:00:00Z")
    older = report(updated_datetime="2026-06-01T01:00:00Z")
    nameless = report(service_request_id=None)
    for records in ((closed, older, nameless, nameless), (nameless, older, nameless, closed)):
        found = table(reports(*records))
        assert found["reports_received", "00:00", "open311"] == 3
        assert found["reports_closed", "02:00", "open311"] == 1


def test_a_token_is_an_identity_of_its_own():
    token = report(service_request_id=None, token="7")
    assert table(reports(token, token, report(service_request_id="7")))["reports_received", "00:00", "open311"] == 2


def test_closing_without_a_time_or_before_the_opening_gives_no_duration():
    assert set(table(reports(report(status="closed", updated_datetime=None)))) == {
        ("reports_received", "00:00", "open311")
    }
    early = report(status="closed", updated_datetime="2026-05-31T23:59:59Z", expected_datetime="2026-05-31T23:00:00Z")
    assert set(table(reports(early))) == {("reports_received", "00:00", "open311")}


def test_a_time_without_offset_needs_a_zone():
    naive = report(requested_datetime="2026-06-01T07:00:00")
    with pytest.raises(InputError, match="--zone"):
        open311.parse(reports(naive))
    assert ("reports_received", "00:00", "open311") in table(reports(naive, zone=ZoneInfo("Asia/Ho_Chi_Minh")))


@pytest.mark.parametrize(
    ("body", "error", "words"),
    [
        (b'[{"code": 400, "description": "jurisdiction_id was not provided"}]', SourceRefused, "jurisdiction_id"),
        (b"<errors><error><code>404</code><description>NOPE</description></error></errors>", SourceRefused, "NOPE"),
        (b'{"service_code": "A", "attributes": []}', SourceChanged, "services"),
        (b"<services><service><service_code>A</service_code></service></services>", SourceChanged, "services"),
        (b"<service_definition><service_code>A</service_code></service_definition>", SourceChanged, "services"),
        (b'[{"service_request_id": "1", "service_notice": ""}]', SourceChanged, "requested_datetime"),
        (b"<html><body>Sign in</body></html>", SourceChanged, "html"),
        (b"<html><body>Sign in<br></html>", SourceChanged, "HTML"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><service_requests>&b;</service_requests>', SourceChanged, "unsafe"),
        (b"[1, 2]", SourceChanged, "list of requests"),
    ],
)
def test_replies_that_hold_no_reports_say_what_they_are(body, error, words):
    with pytest.raises(error, match=words):
        open311.parse(Payload(body=body, name="reply"))


@pytest.mark.parametrize("body", [b"[]", b"<service_requests/>", b"<service_requests></service_requests>\n"])
def test_no_report_in_the_period_is_a_valid_answer(body):
    assert open311.parse(Payload(body=body)).empty


class Server(requests.adapters.BaseAdapter):
    """150 days with one report a day, in pages of 20; refuses more than 90 days; ignores `page` when `stuck`."""

    def __init__(self, stuck=False, xml=False):
        super().__init__()
        self.stuck, self.xml, self.asked = stuck, xml, []

    def send(self, request, **_):
        query = {name: each[0] for name, each in parse_qs(urlsplit(request.url).query).items()}
        self.asked.append((request.url, query))
        start, end = datetime.fromisoformat(query["start_date"]), datetime.fromisoformat(query["end_date"])
        reply = requests.Response()
        reply.status_code, reply.url, reply.request = (
            (400 if end - start > timedelta(days=90) else 200),
            request.url,
            request,
        )
        days = [UNTIL - timedelta(days=number) for number in range(1, 151)]
        found = [day for day in days if start <= day <= end and (day.day % 2 == 0) == (query["status"] == "open")]
        page = 1 if self.stuck else int(query["page"])
        body = "".join(self.record(day, query["status"]) for day in found[20 * (page - 1) : 20 * page])
        text = f"<service_requests>{body}</service_requests>" if self.xml else f"[{body.rstrip(',')}]"
        reply.raw = io.BytesIO(text.encode())
        return reply

    def record(self, day, status):
        if self.xml:
            fields = (
                f"<requested_datetime>{day.isoformat()}</requested_datetime><description>Nguyen Van A</description>"
            )
            return (
                f"<request><service_request_id>{day:%j}</service_request_id><status>{status}</status>{fields}</request>"
            )
        fields = {"requested_datetime": day.isoformat(), "description": "Nguyen Van A, 0900", "address": "12 pho Cho"}
        return json.dumps({"service_request_id": f"{day:%j}", "status": status, **fields}) + ","

    def close(self):
        pass


def ask(server, days=150, secret=None, **options):
    http = session()
    http.pace.sleep = lambda seconds: None
    http.mount("https://", server)
    request = FetchRequest(
        source="hotline", since=UNTIL - timedelta(days=days), until=UNTIL, sites=SITES, city_site="thanh_lam",
        zone=ZoneInfo("Asia/Ho_Chi_Minh"), options={"base_url": "https://c311.example/v2/", **options}, secret=secret,
    )  # fmt: skip
    return open311.fetch(http, request)


@pytest.mark.parametrize("xml", [False, True])
def test_half_a_year_is_asked_in_parts_of_90_days_both_states_and_every_page_and_no_person_comes_along(xml):
    server = Server(xml=xml)
    options = {"format": "xml" if xml else "json", "jurisdiction_id": "tl", "service_codes": ["N1", "C"]}
    (payload,) = ask(server, secret="k3y", **options)
    frame = open311.parse(payload)
    assert frame["value"].sum() == 150
    assert set(frame["site_id"]) == {"thanh_lam"}
    assert set(frame["source"]) == {"hotline"}
    assert b"Nguyen" not in payload.body
    assert b"pho Cho" not in payload.body
    address, query = server.asked[0]
    assert address.startswith("https://c311.example/v2/requests." + options["format"])
    assert query["jurisdiction_id"] == "tl"
    assert query["service_code"] == "N1,C"
    assert query["api_key"] == "k3y"
    assert "k3y" not in payload.name


def test_a_server_that_ignores_the_page_is_asked_twice_and_not_for_ever():
    server = Server(stuck=True)
    (payload,) = ask(server, days=1, look_back_days=90)
    assert len(server.asked) == 4
    assert open311.parse(payload)["value"].sum() == 40


def test_a_report_that_closes_now_was_opened_long_ago():
    server = Server()
    ask(server, days=1)
    assert server.asked[0][1]["start_date"] == "2026-03-03T08:00:00Z"  # 90 days before


def test_wrong_options_are_named():
    with pytest.raises(ConfigError, match="csv"):
        ask(Server(), format="csv")
    with pytest.raises(ConfigError, match="base_url"):
        ask(Server(), base_url="")

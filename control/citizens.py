"""The voice of citizens: links of the one question, answers, imported ratings, and the report that the page shows.

A citizen's answer is no deed of the house: nobody is named in it and no audit entry is written for it. Making and
revoking links and importing ratings are deeds of people, through the gate. The report covers whole days up to the last
midnight, so that nobody can watch a number rise by the one answer that a neighbour just gave.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

import pandas as pd

from alerts.deeds import Deed
from alerts.texts import actor_name
from analysis import satisfaction, service_picture
from analysis.satisfaction import Registers, Share, Unit
from analysis.service_picture import Service, Wait
from analysis.small_cells import K, Safe
from control.gate import Gate
from control.studies import Tell
from core import survey
from core.access import Person
from core.clock import Clock
from core.config import City
from core.errors import InputError
from core.observations import USABLE
from core.ratings import POINT_COLUMNS, RatingCount, RatingFile
from core.scrub import scrub
from core.survey import Answer, IssuedLink, Link
from store.base import Store

SPAN = timedelta(days=30)
EVERY = timedelta(minutes=10)
MOST_REASONS = 12
MOST_FILE_BYTES = 2 * 2**20
SURVEY = "survey"  # stands before the office in what the audit log calls the object
Simulated = Callable[[datetime, datetime], pd.DataFrame]
ReadTable = Callable[[str, bytes], list[RatingCount]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why somebody gave these points, in words without personal data."""

    day: datetime
    service: str
    office: str
    points: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Satisfaction, interest and use of whole days; of the offices in some areas, or of all."""

    since: datetime
    until: datetime  # the last midnight
    whole: Share
    offices: tuple[Unit, ...]
    services: tuple[Unit, ...]
    table: Safe  # answers by service and office, as far as they may be shown
    registers: Registers
    ceiling: bool
    portal_n: int  # answers that a portal or a file counted
    survey_n: int  # answers by this house's own links
    reasons: tuple[Reason, ...]
    pictures: tuple[Service, ...]  # of the whole city: a portal does not know wards
    city_satisfaction: Share
    waits: tuple[Wait, ...]
    measured_until: datetime | None  # the newest day of which the portal told


class Citizens:
    """One per line. Thread-safe: it keeps nothing but its key."""

    def __init__(
        self,
        city: City,
        store: Store,
        clock: Clock,
        gate: Gate,
        *,
        read_table: ReadTable,
        simulated: Simulated | None = None,
    ) -> None:
        """`read_table` reads a file of ratings; `simulated` gives those of a city that does not exist."""
        self._city = city
        self._store = store
        self._clock = clock
        self._gate = gate
        self._read_table = read_table
        self._simulated = simulated
        self._key: bytes | None = None

    @property
    def services(self) -> tuple[str, ...]:
        """site_ids of the services that the city names in sites.toml."""
        return self._of_kind("service")

    def offices(self, areas: frozenset[str] | None) -> tuple[str, ...]:
        """site_ids of the one-stop offices, all or those in some areas."""
        return tuple(one for one in self._of_kind("office") if areas is None or self._city.area_of(one) in areas)

    def _of_kind(self, kind: str) -> tuple[str, ...]:
        return tuple(str(site_id) for site_id in self._city.sites.index[self._city.sites["kind"] == kind])

    # -- links ------------------------------------------------------------------------------------------------------

    def make_link(self, person: Person, service: str, office: str, channel: str) -> str:
        """A new link's token. Raises Denied, or InputError for a service, office or channel that is not there."""
        made: list[str] = []

        def make() -> str:
            if service not in self.services or office not in self.offices(None) or channel not in survey.CHANNELS:
                raise InputError("Không có dịch vụ, nơi tiếp nhận hoặc kênh này; hãy chọn lại trong danh sách.")
            who, now = actor_name(person.name), self._clock.now()
            key_id = survey.new_key_id()
            issued = IssuedLink(
                key_id=key_id, service=service, office=office, channel=channel, issued_on=now, made_by=who
            )
            self._store.write_survey_link(issued)
            made.append(self.token(issued))
            return f"{service} {channel} {key_id}"

        self._gate.pass_by(person, Deed(action="make_survey_link", keys=((SURVEY, office),)), make)
        return made[0]

    def revoke_link(self, person: Person, key_id: str) -> None:
        """From now on nobody answers by this link. Raises Denied, or InputError where there is none."""
        office = next((one.office for one in self._store.read_survey_links() if one.key_id == key_id), "")

        def revoke() -> str:
            if not self._store.revoke_survey_link(key_id, self._clock.now(), actor_name(person.name)):
                raise InputError(f"Không có đường dẫn {key_id} nào đang mở.")
            return key_id

        self._gate.pass_by(person, Deed(action="revoke_survey_link", keys=((SURVEY, office),)), revoke)

    def links(self, areas: frozenset[str] | None) -> list[IssuedLink]:
        """The links of the offices in some areas, newest first."""
        seen = set(self.offices(areas))
        return [one for one in self._store.read_survey_links() if one.office in seen]

    def token(self, link: IssuedLink) -> str:
        """The signed token of a link in the list."""
        day = link.issued_on.astimezone(self._city.zone).date()
        plain = Link(key_id=link.key_id, service=link.service, office=link.office, channel=link.channel, issued_on=day)
        return survey.sign(plain, self._signing_key())

    def opened(self, token: str) -> Link | None:
        """The link of a token, or None when it is not ours, unknown here, or revoked."""
        link = survey.read(token, self._signing_key())
        if link is None:
            return None
        known = (one for one in self._store.read_survey_links() if one.key_id == link.key_id)
        open_link = next((one for one in known if one.revoked_at is None), None)
        same = open_link is not None and (open_link.service, open_link.office, open_link.channel) == (
            link.service,
            link.office,
            link.channel,
        )
        return link if same else None

    def _signing_key(self) -> bytes:
        if self._key is None:
            self._key = survey.signing_key(self._city.store_path)
        return self._key

    def answer(self, link: Link, points: int, reason: str) -> None:
        """Keep one answer: the full hour, the points, and the reason without what names a person."""
        if points not in (1, 2, 3, 4, 5):
            raise InputError("Hãy chọn một trong năm mức.")
        hour = self._clock.now().astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        self._store.write_survey_answer(
            Answer(
                answered_at=hour,
                service=link.service,
                office=link.office,
                channel=link.channel,
                points=points,
                reason=scrub(reason),
                key_id=link.key_id,
            )
        )

    # -- ratings of others ------------------------------------------------------------------------------------------

    def import_ratings(self, person: Person, name: str, body: bytes) -> list[RatingCount]:
        """Take in a file of ratings by service and office. Raises Denied, or InputError that names the cells."""
        taken: list[RatingCount] = []

        def take_in() -> str:
            if len(body) > MOST_FILE_BYTES:
                raise InputError(f"{name}: lớn hơn {MOST_FILE_BYTES // 2**20} MiB; hãy chia thành nhiều tệp.")
            counts = self._read_table(name, body)
            digest = hashlib.sha256(body).hexdigest()
            file = RatingFile(
                file_name=name,
                sha256=digest,
                imported_at=self._clock.now(),
                imported_by=actor_name(person.name),
                account=person.account,
            )
            self._store.write_ratings(counts, file)
            taken.extend(counts)
            return f"{name}: {len(counts)} dòng, sha256 {digest}"

        self._gate.pass_by(person, Deed(action="import_ratings"), take_in)
        return taken

    # -- the report -------------------------------------------------------------------------------------------------

    def report(self, areas: frozenset[str] | None, tell: Tell) -> Report:
        """The report of the SPAN before the last midnight. Takes a moment: it belongs into the studies."""
        local = self._clock.now().astimezone(self._city.zone)
        until = datetime.combine(local.date(), time(), self._city.zone).astimezone(UTC)
        since = until - SPAN
        portal, own = self._portal(since, until), self._store.read_survey_answers(since, until)
        tell(0.3)
        every = pd.concat([portal, own], ignore_index=True)
        every = every.astype(dict.fromkeys([*POINT_COLUMNS, "asked"], "int64"))
        offices = self.offices(areas)
        seen = every[every["office"].isin(list(offices))]
        units = satisfaction.units(seen, "office")
        rows = self._store.read_observations(
            (*service_picture.MEASURES, service_picture.WAIT, "results_accepted", "files_resolved"), since, until
        )
        rows = rows[rows["quality"].isin(USABLE) & rows["value"].notna()]
        tell(0.7)
        measured = rows[rows["observed_property"].isin(service_picture.MEASURES)]
        sums = measured.groupby(["site_id", "observed_property"])["value"].sum().reset_index()
        at_office = rows[rows["site_id"].isin(list(offices))]
        whole = satisfaction.share_of(seen)
        return Report(
            since=since,
            until=until,
            whole=whole,
            offices=units,
            services=satisfaction.units(seen, "service"),
            table=satisfaction.safe_table(seen),
            registers=Registers(
                processed=_sum(at_office, "files_resolved"),
                accepted=_sum(at_office, "results_accepted"),
                satisfied=whole.good,
                rated=whole.n,
            ),
            ceiling=satisfaction.at_the_ceiling(units),
            portal_n=_answers(portal, offices),
            survey_n=_answers(own, offices),
            reasons=self._reasons(since, until, seen),
            pictures=service_picture.services(
                {
                    (str(row["site_id"]), str(row["observed_property"])): float(row["value"])
                    for row in sums.to_dict("records")
                },
                every,
                self.services,
            ),
            city_satisfaction=satisfaction.share_of(every),
            waits=service_picture.waits(at_office[at_office["observed_property"] == service_picture.WAIT]),
            measured_until=measured["time"].max().to_pydatetime() if len(measured) else None,
        )

    def _portal(self, since: datetime, until: datetime) -> pd.DataFrame:
        found = self._store.read_ratings(since, until)
        if self._simulated is None:
            return found
        return pd.concat([found, self._simulated(since, until)], ignore_index=True)

    def _reasons(self, since: datetime, until: datetime, seen: pd.DataFrame) -> tuple[Reason, ...]:
        """The newest words, of those services at offices of which at least K people answered."""
        n = seen.assign(n=seen[list(POINT_COLUMNS)].sum(axis=1)).groupby(["service", "office"])["n"].sum()
        crowd = set(n.index[n >= K])
        rows = self._store.read_survey_reasons(since, until)
        told = [
            Reason(
                day=row["time"].to_pydatetime(),
                service=row["service"],
                office=row["office"],
                points=int(row["points"]),
                text=row["reason"],
            )
            for row in rows.to_dict("records")
            if (row["service"], row["office"]) in crowd
        ]
        return tuple(told[:MOST_REASONS])


def _sum(rows: pd.DataFrame, name: str) -> int | None:
    own = rows[rows["observed_property"] == name]
    return round(float(own["value"].sum())) if len(own) else None


def _answers(rows: pd.DataFrame, offices: tuple[str, ...]) -> int:
    return int(rows.loc[rows["office"].isin(list(offices)), list(POINT_COLUMNS)].sum().sum())

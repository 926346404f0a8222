"""The spreadsheet desk behind the screen: read a file for one form, unit and period, say what is wrong cell by cell,
show what it would change, and take it in as the next version.

A file is taken whole or not at all. What was delivered is never overwritten: each version keeps its bytes, its name
and its reason, and a value that the newest version no longer holds becomes missing. Words for people are Vietnamese,
like the cell errors of the reader.
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import PurePath
from typing import Protocol

import pandas as pd

from alerts.deeds import Deed
from alerts.texts import actor_name, plain_text
from control.gate import Gate, Parcel
from core import forms, observations
from core.access import Denied, Person
from core.catalogue import Catalogue
from core.clock import Clock
from core.config import City
from core.errors import InputError
from core.formats import number
from core.forms import Delivery, Difference, Form, Period
from store.base import Store, Written

DELIVER, READ = "deliver_file", "read_delivery"
PROBLEMS_MAX = 200
NAME_MAX = 120
REASON_LEAST = 5  # «sửa» explains nothing
HISTORY = timedelta(days=400)


class Reading(Protocol):
    """What the reader of spreadsheets found: the one frame with `cell`, problems by cell, columns left out, notes,
    and cells of a CSV that Excel would compute.
    """

    @property
    def rows(self) -> pd.DataFrame: ...
    @property
    def problems(self) -> tuple[str, ...]: ...
    @property
    def left_out(self) -> Mapping[str, str]: ...
    @property
    def notes(self) -> tuple[str, ...]: ...
    @property
    def formulas(self) -> tuple[str, ...]: ...


Reader = Callable[[str, bytes, str, str], Reading]  # file name, body, unit, source; raises InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """A file as the desk sees it before it counts."""

    form: Form
    unit: str
    period: Period
    file_name: str
    sha256: str
    rows: pd.DataFrame  # the one frame and `cell`; empty when nothing could be read
    problems: tuple[str, ...]  # each with the address of its cell; the file is refused while there is one
    notes: tuple[str, ...]  # worth knowing, no reason to refuse
    changes: tuple[Difference, ...]  # beside what stands
    newest: Delivery | None  # the version that it would replace
    belongs: tuple[str, Period] | None = None  # the other unit or period of this form that the whole file is about

    @property
    def version(self) -> int:
        """The number that it would get."""
        return 1 if self.newest is None else self.newest.version + 1

    @property
    def same_file(self) -> bool:
        """True when it is byte for byte what was delivered last."""
        return self.newest is not None and self.newest.sha256 == self.sha256

    def count(self, kind: str) -> int:
        """How many values are new, changed, gone or same."""
        return sum(one.kind == kind for one in self.changes)


class Intake:
    """The desk of one city. Reading changes nothing; `deliver` goes through the gate."""

    def __init__(
        self,
        city: City,
        store: Store,
        clock: Clock,
        gate: Gate,
        catalogue: Catalogue,
        known: Sequence[Form],
        reader: Reader,
    ) -> None:
        self.forms = tuple(known)
        self._city = city
        self._store = store
        self._clock = clock
        self._gate = gate
        self._catalogue = catalogue
        self._reader = reader

    def form(self, key: str) -> Form:
        """A form by its key. Raises InputError."""
        found = next((form for form in self.forms if form.key == key), None)
        if found is None:
            raise InputError(f"Không có mẫu báo cáo {key}.")
        return found

    def units(self, form: Form, person: Person) -> tuple[str, ...]:
        """The units of a form that lie in the person's areas."""
        if person.areas is None:
            return form.units
        return tuple(unit for unit in form.units if self._city.area_of(unit) in person.areas)

    def history(self, form: Form, units: Iterable[str]) -> list[Delivery]:
        """Versions of a form, newest period first, newest version first."""
        return self._store.read_deliveries(self._clock.now() - HISTORY, [form.key], list(units))

    # -- reading ----------------------------------------------------------------------------------------------------

    def examine(self, form: Form, unit: str, period: Period, file_name: str, body: bytes) -> Examined:
        """Read a file for one unit and period. What is wrong stands in `problems`; raises InputError only for a unit
        or period that is not of this form.
        """
        self._check_place(form, unit, period)
        name = _plain_name(file_name)
        rows = observations.empty().assign(cell=pd.Series([], dtype="str"))
        problems: list[str] = []
        notes: list[str] = []
        try:
            reading = self._reader(name, body, unit, form.source)
        except InputError as error:
            problems = list(getattr(error, "problems", [str(error)]))
        else:
            rows, problems = reading.rows, list(reading.problems)
            problems += self._misplaced(form, unit, period, name, rows)
            problems += self._implausible(form, unit, period, name, rows)
            if not problems:  # a cell that could not be read is no missing column
                problems = self._absent(form, name, rows)
            problems += [
                f"tệp {name}, {cell}: ô bắt đầu như một công thức, tệp này được trao lại nguyên vẹn cho người khác mở; "
                "hãy bỏ dấu ở đầu ô"
                for cell in reading.formulas[:PROBLEMS_MAX]
            ]
            notes += [*reading.notes, *self._notes(form, unit, rows, reading.left_out.values())]
        own = rows[rows["site_id"] == unit]
        return Examined(
            form=form,
            unit=unit,
            period=period,
            file_name=name,
            sha256=hashlib.sha256(body).hexdigest(),
            rows=rows,
            problems=_bounded(problems, name),
            notes=tuple(notes),
            changes=() if problems else tuple(forms.differences(self._standing(form, unit, period), own)),
            newest=self._newest(form, unit, period),
            belongs=self._belongs(form, unit, period, rows) if problems else None,
        )

    def _belongs(self, form: Form, unit: str, period: Period, rows: pd.DataFrame) -> tuple[str, Period] | None:
        """The one other place of this form that every row of a file is about, or None."""
        zone = self._city.zone
        places = {
            (str(site_id), forms.period_of(form, forms.last_day(end.to_pydatetime().astimezone(zone))))
            for site_id, end in zip(rows["site_id"], rows["time"], strict=True)
        }
        if len(places) != 1 or (unit, period) in places:
            return None
        (place,) = places
        try:
            self._check_place(form, *place)
        except InputError:
            return None
        reasons = set(forms.misplaced(form, *place, rows, zone))
        return None if reasons & {"unit", "period"} else place

    def _check_place(self, form: Form, unit: str, period: Period) -> None:
        if unit not in form.units:
            raise InputError(f"{unit} không phải là đơn vị của mẫu «{form.title_vi}».")
        zone = self._city.zone
        newest = forms.recent(form, self._clock.now(), zone, 1)
        if forms.period_of(form, period.first) != period or not newest or period > newest[0]:
            raise InputError(f"Kỳ {period.label} chưa kết thúc hoặc không phải là kỳ của mẫu «{form.title_vi}».")
        if form.since is not None and period.until <= form.since:
            raise InputError(f"Mẫu «{form.title_vi}» chỉ thu từ ngày {form.since:%d/%m/%Y}.")

    def _misplaced(self, form: Form, unit: str, period: Period, name: str, rows: pd.DataFrame) -> list[str]:
        """Values of another unit, indicator or period, each by its cell."""
        wrong = forms.misplaced(form, unit, period, rows, self._city.zone)
        found = []
        for row in rows.assign(reason=wrong)[wrong != ""].head(PROBLEMS_MAX + 1).to_dict("records"):
            reason = row["reason"]
            where = f"tệp {name}, {row['cell']}"
            if reason == "unit":
                other, own = self._named(row["site_id"]), self._named(unit)
                found.append(
                    f"{where}: là số của {other}, còn đang nộp cho {own}; hãy bỏ hàng này hoặc chọn lại đơn vị"
                )
            elif reason == "property":
                item = self._catalogue.get(row["observed_property"])
                shown = item.name_vi if item else row["observed_property"]
                found.append(f"{where}: “{shown}” không thuộc mẫu «{form.title_vi}»; hãy bỏ cột này")
            else:
                at = row["time"].to_pydatetime().astimezone(self._city.zone)
                found.append(
                    f"{where}: thời gian đọc được là đến {at:%H:%M %d/%m/%Y}, ngoài kỳ {period.label} đang nộp; "
                    "hãy sửa thời gian hoặc chọn lại kỳ"
                )
        return found

    def _implausible(self, form: Form, unit: str, period: Period, name: str, rows: pd.DataFrame) -> list[str]:
        """Values that the store would set aside, and values that are given twice, each by its cell."""
        here = rows[forms.misplaced(form, unit, period, rows, self._city.zone) == ""]
        _, bad = observations.validate(here, self._catalogue, set(self._city.sites.index), self._clock.now())
        found = []
        for row in bad.head(PROBLEMS_MAX + 1).to_dict("records"):
            item, where = self._catalogue[row["observed_property"]], f"tệp {name}, {row['cell']}"
            if row["reason"] == "same_row_twice":
                same = here[(here[observations.IDENTITY] == [row[one] for one in observations.IDENTITY]).all(axis=1)]
                cells = " và ".join(same["cell"])
                found.append(f"tệp {name}, {cells}: “{item.name_vi}” ghi hai lần cho cùng đơn vị và thời gian")
            elif row["reason"] == "time_in_the_future":
                found.append(f"{where}: thời gian nằm ở tương lai")
            else:
                shown = number(row["value"], max(item.decimals, 2), "vi")
                found.append(
                    f"{where}: {item.name_vi} {shown} nằm ngoài khoảng hợp lý "
                    f"{number(item.low, item.decimals, 'vi')} đến {number(item.high, item.decimals, 'vi')}"
                )
        return found

    def _absent(self, form: Form, name: str, rows: pd.DataFrame) -> list[str]:
        """Columns of the form that the file does not have; a blank cell is an answer, a missing column is none."""
        if rows.empty:
            return [f"tệp {name}: chưa có giá trị nào được điền"]
        there = set(rows["observed_property"])
        lacking = [self._catalogue[key].name_vi for key in form.properties if key not in there]
        return [f"tệp {name}: thiếu cột “{shown}”" for shown in lacking]

    def _notes(self, form: Form, unit: str, rows: pd.DataFrame, left_out: Iterable[str]) -> list[str]:
        notes = [f"{words[:1].upper()}{words[1:]}." for words in left_out]
        newest = self._store.latest(form.properties)
        others = newest[(newest["site_id"] == unit) & (newest["source"] != form.source)]
        recent = others[others["time"] > self._clock.now() - 2 * form.every]
        for source in sorted(set(recent["source"])):
            keys = sorted(set(recent.loc[recent["source"] == source, "observed_property"]))
            names = ", ".join(self._catalogue[key].name_vi for key in keys)
            notes.append(
                f"Nguồn «{self._city.site_name(source, 'vi')}» cũng đang gửi {names} của đơn vị này; "
                "cả hai sẽ cùng được tính."
            )
        return notes

    def _standing(self, form: Form, unit: str, period: Period) -> pd.DataFrame:
        """What the newest version left in the store."""
        zone = self._city.zone
        rows = self._store.read_observations(form.properties, period.begin_at(zone), period.end_at(zone), [unit])
        return rows[rows["source"] == form.source].drop(columns="received_at")

    def _newest(self, form: Form, unit: str, period: Period) -> Delivery | None:
        end = period.end_at(self._city.zone)
        found = self._store.read_deliveries(end - timedelta(microseconds=1), [form.key], [unit])
        return max((one for one in found if one.period_end == end), key=lambda one: one.version, default=None)

    def _named(self, site_id: str) -> str:
        return f"{self._city.site_name(site_id, 'vi')} ({site_id})"

    # -- delivering -------------------------------------------------------------------------------------------------

    def deliver(self, person: Person, seen: Examined, body: bytes, reason: str = "") -> tuple[Delivery, Written]:
        """Take in what the person saw, signed with their name. The file is read again here: a screen proves nothing.

        Raises Denied (role, area), or InputError: no name, a problem in the file, no reason for a replacement, or a
        version that somebody else delivered meanwhile.
        """
        form, unit, period = seen.form, seen.unit, seen.period
        why = plain_text(reason)
        deed = Deed(action=DELIVER, keys=((form.key, unit),), text=why)
        made: list[Delivery] = []

        def make(now: datetime) -> Parcel:
            name = actor_name(person.name)
            found = self.examine(form, unit, period, seen.file_name, body)
            if found.sha256 != seen.sha256 or found.version != seen.version:
                raise InputError("Tệp hoặc bản đang có đã đổi sau khi xem trước; hãy xem lại khác biệt rồi nộp lại.")
            if found.problems:
                more = f" (và {len(found.problems) - 1} lỗi khác)" if len(found.problems) > 1 else ""
                raise InputError(f"{found.problems[0]}{more}")
            if found.same_file:
                raise InputError(f"Tệp này giống hệt bản {found.version - 1} đã nộp; không có gì để thay.")
            if found.newest is not None and len(why) < REASON_LEAST:
                raise InputError("Bản này thay một bản đã nộp: hãy ghi lý do thay.")
            parcel = self._parcel(found, body, person, name, why, now)
            made.append(parcel.delivery)
            return parcel

        written = self._gate.deliver(person, deed, make)
        return made[-1], written

    def _parcel(self, found: Examined, body: bytes, person: Person, name: str, reason: str, now: datetime) -> Parcel:
        form, unit = found.form, found.unit
        coming = found.rows
        delivery = Delivery(
            form=form.key,
            unit=unit,
            period_end=found.period.end_at(self._city.zone),
            version=found.version,
            file_name=found.file_name,
            sha256=found.sha256,
            file_bytes=len(body),
            row_count=len(coming),
            missing=int(coming["value"].isna().sum()),
            delivered_at=now,
            delivered_by=name,
            account=person.account,
            reason=reason,
        )
        return Parcel(
            delivery=delivery,
            body=body,
            rows=self.rows_to_write(found),
            thing=f"{form.key}:{unit} {found.period.first:%Y-%m-%d} v{delivery.version}",
            before="" if found.newest is None else _told(found.newest, {}),
            after=_told(delivery, Counter(one.kind for one in found.changes)),
        )

    def rows_to_write(self, found: Examined) -> pd.DataFrame:
        """The rows of a delivery: what the file holds, and as missing what stands and comes no more."""
        gone = [
            {
                "time": one.time,
                "site_id": found.unit,
                "observed_property": one.observed_property,
                "value": float("nan"),
            }
            for one in found.changes
            if one.kind == "gone"
        ]
        coming = found.rows.loc[:, list(observations.COLUMNS)]
        if not gone:
            return coming
        return pd.concat([coming, observations.frame(gone, source=found.form.source)], ignore_index=True)

    def file_of(self, person: Person, delivery: Delivery) -> bytes:
        """The file of a version, written down as handed out. Raises Denied, InputError."""
        found: list[bytes] = []

        def hand_out() -> str:
            found.append(self.body(delivery))
            return f"v{delivery.version} {delivery.sha256[:12]}"

        self._gate.pass_by(person, Deed(action=READ, keys=((delivery.form, delivery.unit),)), hand_out)
        return found[0]

    def body(self, delivery: Delivery) -> bytes:
        """The file of a version for this server's own use (to read it again)."""
        return self._store.delivered_body(delivery.form, delivery.unit, delivery.period_end, delivery.version)


def words_of(error: InputError, language: str) -> str:
    """What a refusal says to the person."""
    return error.words(language) if isinstance(error, Denied) else str(error)


def _told(delivery: Delivery, changes: Mapping[str, int]) -> str:
    facts = {
        "version": delivery.version,
        "file": delivery.file_name,
        "sha256": delivery.sha256,
        "rows": delivery.row_count,
        "missing": delivery.missing,
        "by": delivery.delivered_by,
        **({"changes": dict(sorted(changes.items()))} if changes else {}),
    }
    return json.dumps(facts, ensure_ascii=False, sort_keys=True)


def _plain_name(name: str) -> str:
    """The last part of a file name, on one line: browsers of old systems send a whole path."""
    last = unicodedata.normalize("NFC", PurePath(name.replace("\\", "/")).name)
    seen = "".join(mark for mark in last if not unicodedata.category(mark).startswith("C"))
    return " ".join(seen.split())[-NAME_MAX:] or "khong_ten"


def _bounded(problems: Sequence[str], name: str) -> tuple[str, ...]:
    kept = tuple(dict.fromkeys(problems))
    if len(kept) <= PROBLEMS_MAX:
        return kept
    return (*kept[:PROBLEMS_MAX], f"tệp {name}: còn {len(kept) - PROBLEMS_MAX} lỗi khác")

"""QĐ 766: six groups that must add up, periods as offices write them, and units by their names."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from openpyxl import Workbook

from connectors import Payload, dvc_766, session
from core.catalogue import load_properties
from core.errors import ConfigError, InputError, SourceChanged, SourceError, SourceRefused
from tests.connectors.asking import HANOI, Answers, asking, request_for

HEAD = "Kỳ;Đơn vị;Công khai, minh bạch;Tiến độ giải quyết;Dịch vụ công trực tuyến;Thanh toán trực tuyến;Số hóa hồ sơ;"
HEAD += "Mức độ hài lòng;Tổng điểm"
BAC_NINH = "15,82;19,45;8,53;10;21,17;17,86;92,83"  # as published: the groups add up
SITES = pd.DataFrame(
    [
        {"site_id": "24010", "name_vi": "Phường An Hòa", "name_en": "An Hoa", "kind": "area", "area": "24010"},
        {"site_id": "24020", "name_vi": "Xã Bình Minh", "name_en": "Binh Minh", "kind": "area", "area": "24020"},
    ]
).set_index("site_id", drop=False)


def parsed(body: str | bytes, name: str = "bang.csv", **context: Any) -> pd.DataFrame:
    return dvc_766.parse(Payload(body=body.encode() if isinstance(body, str) else body, name=name, context=context))


def table(*rows: str) -> str:
    return "\n".join([HEAD, *rows]) + "\n"


def of(frame: pd.DataFrame, key: str) -> list[float]:
    return frame.loc[frame["observed_property"] == key, "value"].tolist()


def test_the_published_scores_of_one_province() -> None:
    frame = parsed(table(f"Tháng 9/2026;An Hòa;{BAC_NINH}"))
    assert of(frame, "dvc766_total") == [92.83]
    groups = dict(zip(frame["observed_property"], frame["value"], strict=True))
    del groups["dvc766_total"]
    assert groups == {
        "dvc766_transparency": 15.82, "dvc766_timeliness": 19.45, "dvc766_online": 8.53, "dvc766_payment": 10,
        "dvc766_digitisation": 21.17, "dvc766_satisfaction": 17.86,
    }  # fmt: skip


def test_the_catalogue_knows_every_group_with_its_maximum() -> None:
    known = {item.key: item for item in load_properties()}
    assert {key: maximum for key, (maximum, _, _) in dvc_766.GROUPS.items()} == {
        key: known[key].high for key in dvc_766.GROUPS
    }
    assert sum(maximum for maximum, _, _ in dvc_766.GROUPS.values()) == known["dvc766_total"].high == 100


@pytest.mark.parametrize(
    ("label", "end"),
    [
        ("Tháng 9/2026", "2026-09-30"), ("tháng 09 năm 2026", "2026-09-30"), ("9/2026", "2026-09-30"),
        ("Quý III/2026", "2026-09-30"), ("Quý 3 năm 2026", "2026-09-30"), ("9 tháng 2026", "2026-09-30"),
        ("9 tháng đầu năm 2026", "2026-09-30"), ("9 tháng năm 2026", "2026-09-30"), ("9 tháng/2026", "2026-09-30"),
        ("6 tháng đầu năm 2026", "2026-06-30"), ("12 tháng 2026", "2026-12-31"), ("Năm 2026", "2026-12-31"),
        ("15/9/2026", "2026-09-15"), ("Quý IV/2026", "2026-12-31"),
    ],
)  # fmt: skip
def test_a_period_ends_at_midnight_after_its_last_day(label: str, end: str) -> None:
    frame = parsed(table(f"{label};An Hòa;{BAC_NINH}"), zone=HANOI)
    assert set(frame["time"].dt.tz_convert(HANOI)) == {pd.Timestamp(end, tz=HANOI) + pd.Timedelta(days=1)}


@pytest.mark.parametrize(
    ("title", "end"),
    [
        ("KẾT QUẢ 9 THÁNG NĂM 2026", "2026-09-30"),  # not the end of the year
        ("Kết quả tháng 9 năm 2026", "2026-09-30"),
        ("Quý III/2026", "2026-09-30"),
    ],
)
def test_a_title_may_tell_the_period_and_the_option_where_nothing_does(title: str, end: str) -> None:
    plain = table(f"An Hòa;{BAC_NINH}").replace("Kỳ;", "")
    expected = pd.Timestamp(end, tz=HANOI) + pd.Timedelta(days=1)
    assert set(parsed(f"{title};;\n;;\n{plain}", zone=HANOI)["time"]) == {expected}
    assert set(parsed(plain, zone=HANOI, options={"period": title.split(" QUẢ ")[-1].split(" quả ")[-1]})["time"]) == {
        expected
    }
    with pytest.raises(InputError, match="không rõ kỳ"):
        parsed(plain)


@pytest.mark.parametrize(("total", "ok"), [("92,88", True), ("92,78", True), ("92,89", False), ("92,77", False)])
def test_the_groups_must_add_up_to_the_total_within_five_hundredths(total: str, ok: bool) -> None:
    body = table(f"Tháng 9/2026;An Hòa;{BAC_NINH.replace('92,83', total)}")
    if ok:
        assert of(parsed(body), "dvc766_total") == [float(total.replace(",", "."))]
        return
    with pytest.raises(InputError, match=rf"hàng 2: “An Hòa” có tổng {total} .* là 92,83"):
        parsed(body)


def test_a_bad_row_is_told_by_its_cell_and_the_others_are_kept() -> None:
    frame = parsed(
        table(
            "Tháng 9/2026;Xã A;18,5;19;8;10;21;17;93,5",  # over the maximum of 18
            "Tháng 9/2026;Xã B;1582;19,45;8,53;10;21,17;17,86;92,83",  # the comma was lost
            "Tháng 9/2026;Xã C;15,82;19,45;8,53;10;21,17;90%;92,83",
            "Tháng 9/2026;Xã D;15,82;1a;8,53;10;21,17;17,86;92,83",
            "Tháng 13/2026;Xã E;15,82;19,45;8,53;10;21,17;17,86;92,83",
            "Tháng 9/2026;Xã F;-1;19,45;8,53;10;21,17;17,86;92,83",
            f"Tháng 9/2026;An Hòa;{BAC_NINH}",
        )
    )
    assert set(frame["site_id"]) == {"An Hòa"}
    told = frame.attrs["problems"]
    for place, words in zip(
        ["ô C2", "ô C3", "ô H4", "ô D5", "ô A6", "ô C7"],
        ["18,5", "1582", "phần trăm", "1a", "Tháng 13/2026", "-1"],
        strict=True,
    ):
        assert any(place in one and words in one for one in told), (place, told)


def test_a_blank_group_is_missing_and_never_0() -> None:
    frame = parsed(table("Tháng 9/2026;Xã A;17,1;18,9;-;9,25;20,5;16;81,75", "Tháng 9/2026;Xã B;17;18;;9;20;16;85"))
    assert frame.loc[frame["observed_property"] == "dvc766_online", "quality"].tolist() == ["missing", "missing"]
    with pytest.raises(InputError, match="hàng 2"):  # 80 given, and at most 12 for the blank one
        parsed(table("Tháng 9/2026;Xã B;17;18;;9;20;16;92,1"))


def test_a_total_that_nobody_published_is_not_made_up() -> None:
    frame = parsed(table(f"Tháng 9/2026;Xã A;{BAC_NINH.replace('92,83', '')}"))
    assert frame.loc[frame["observed_property"] == "dvc766_total", "quality"].tolist() == ["missing"]
    with pytest.raises(InputError, match="thiếu cột “Tổng điểm”"):
        parsed(table(f"Tháng 9/2026;Xã A;{BAC_NINH}").replace(";Tổng điểm", ";Xếp hạng"))


def test_the_five_groups_of_the_decision_cannot_be_divided() -> None:
    head = "Đơn vị;Công khai, minh bạch (18);Tiến độ giải quyết (20);Dịch vụ công trực tuyến (22);Số hóa hồ sơ (22);"
    with pytest.raises(InputError, match="thiếu cột “Thanh toán trực tuyến”"):
        parsed(f"{head}Mức độ hài lòng (18);Tổng điểm\nA;15;19;20;20;17;91\n")
    wrong = table(f"Tháng 9/2026;Xã A;{BAC_NINH}").replace("giải quyết", "giải quyết (/30)")
    with pytest.raises(InputError, match="ô D1: “Tiến độ giải quyết” ghi tối đa 30 điểm, bộ chỉ số này là 20"):
        parsed(wrong)


def test_two_kinds_of_period_that_end_together_are_told() -> None:
    frame = parsed(
        table(f"Tháng 9/2026;Xã A;{BAC_NINH}", f"9 tháng 2026;Xã A;{BAC_NINH}", f"Quý II/2026;Xã A;{BAC_NINH}")
    )
    assert len(frame) == 14
    assert "hàng 3: “Xã A” đã có điểm cùng kỳ ở tệp bang.csv, hàng 2" in frame.attrs["problems"][0]


def test_units_go_by_their_names_as_offices_write_them() -> None:
    rows = [
        f"Tháng 9/2026;{name};{BAC_NINH}"
        for name in ("UBND P. An Hoà", "Sở Y tế", "XÃ BÌNH MINH", "Bình Minhh", "Tổng")
    ]
    frame = parsed(table(*rows), sites=SITES, options={"sites": {"Sở Y tế": "so_y_te"}})
    assert list(dict.fromkeys(frame["site_id"])) == ["24010", "so_y_te", "24020"]
    (problem,) = frame.attrs["problems"]  # a sum of all units is none
    assert "ô B5" in problem
    assert "Xã Bình Minh" in problem


def test_a_workbook_with_merged_and_stacked_heads_a_numbered_row_averages_and_a_signature() -> None:
    book = Workbook()
    sheet = book.active
    sheet.title = "T9"
    lines: list[list[Any]] = [
        ["ĐIỂM PHỤC VỤ NGƯỜI DÂN, DOANH NGHIỆP THÁNG 9/2026"],
        ["STT", "Đơn vị", "Điểm thành phần", None, None, None, None, None, "Tổng điểm"],
        [None, None, *(f"{name} ({maximum:g})" for maximum, name, _ in dvc_766.GROUPS.values())],
        ["(1)", "(2)", *(f"({number})" for number in range(3, 10))],
        [1, "Phường An Hòa", 15.82, 19.45, 8.53, 10, 21.17, 17.86, 92.83],
        [2, "Xã Bình Minh", None, None, None, None, None, None, None],
        [None, "Trung bình", 15.82, 19.45, 8.53, 10, 21.17, 17.86, 95],
        [None, "Điểm tối đa", 18, 20, 12, 10, 22, 18, 100],
        [None, "Người lập biểu", None, None, None, None, "Ngày 3/10/2026"],
    ]
    for line in lines:
        sheet.append(line)
    for area in ("A1:I1", "A2:A3", "B2:B3", "C2:H2", "I2:I3"):
        sheet.merge_cells(area)
    stream = io.BytesIO()
    book.save(stream)
    frame = parsed(stream.getvalue(), "t9.xlsx", sites=SITES, zone=HANOI)
    assert set(frame["site_id"]) == {"24010"}
    assert set(frame["time"]) == {pd.Timestamp("2026-10-01", tz=HANOI)}
    assert frame.attrs["problems"] == []


UNIT = {"name": "Xã A", "scores": {"transparency": 15.82, "timeliness": "19,45", "online": 8.53}, "payment": 10}
UNIT |= {"Số hóa hồ sơ": 21.17, "Mức độ hài lòng": 17.86, "total": 92.83}


@pytest.mark.parametrize(
    "document", [[{**UNIT, "period": "Tháng 9/2026"}], {"period": "Tháng 9/2026", "data": {"items": [UNIT]}}]
)
def test_json_in_the_shapes_that_addresses_give(document: Any) -> None:
    frame = parsed(json.dumps(document), "scores")
    assert of(frame, "dvc766_total") == [92.83]
    assert of(frame, "dvc766_timeliness") == [19.45]


def test_json_with_its_place_told_and_json_that_holds_no_scores() -> None:
    document = {"a": [1], "b": {"c": [{**UNIT, "period": "Quý III/2026"}]}}
    assert len(parsed(json.dumps(document), options={"records": "/b/c"})) == 7
    with pytest.raises(SourceChanged, match="records"):
        parsed(json.dumps(document), options={"records": "/b/d"})
    with pytest.raises(SourceChanged, match="list of units"):
        parsed(json.dumps(document))
    with pytest.raises(SourceRefused, match="no right"):
        parsed('{"error": "no right"}')
    assert parsed('{"data": []}').empty
    with pytest.raises(InputError, match="không thấy bảng điểm"):
        parsed('[{"a": 1}]')
    with pytest.raises((SourceError, InputError)):
        parsed(json.dumps([{**UNIT, "period": "Tháng 9/2026", "payment": 10**400}]))


@pytest.mark.parametrize("options", [{}, {"base_url": "https://dvc.example/s", "folder": "x"}])
def test_a_source_is_a_folder_or_an_address(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="folder or base_url"):
        dvc_766.fetch(session(), request_for("dvc", options))
    with pytest.raises(ConfigError, match="kỳ"):
        parsed(table(), options={"period": "soon"})


def test_files_and_replies_become_payloads(tmp_path: Path) -> None:
    (tmp_path / "t9.csv").write_text(table(f"Tháng 9/2026;An Hòa;{BAC_NINH}"), encoding="utf-8")
    (tmp_path / "notes.docx").write_bytes(b"x")
    (tmp_path / "t8.json").write_text("[]")
    found = dvc_766.fetch(session(), request_for("dvc", {"folder": str(tmp_path)}, sites=SITES))
    assert [payload.name for payload in found] == ["t8.json", "t9.csv"]
    assert set(dvc_766.parse(found[1])["site_id"]) == {"24010"}
    http = asking(Answers(lambda _: [{**UNIT, "period": "Tháng 9/2026", "name": "Bình Minh"}]))
    (payload,) = dvc_766.fetch(http, request_for("dvc", {"base_url": "https://dvc.example/s"}, sites=SITES))
    assert set(dvc_766.parse(payload)["site_id"]) == {"24020"}
    assert set(dvc_766.parse(payload)["source"]) == {"dvc"}


def test_a_title_above_the_table_counts_more_than_the_option() -> None:
    head = HEAD.removeprefix("Kỳ;")
    body = f"Kết quả tháng 9/2026\n{head}\nAn Hòa;{BAC_NINH}\n"
    frame = parsed(body, zone=HANOI, options={"period": "Tháng 3/2026"})
    assert set(frame["time"].dt.tz_convert(HANOI)) == {pd.Timestamp("2026-10-01", tz=HANOI)}


def test_a_row_for_all_counts_where_somebody_gave_it_a_site_and_is_no_unit_elsewhere() -> None:
    body = table(f"Tháng 9/2026;An Hòa;{BAC_NINH}", f"Tháng 9/2026;Toàn tỉnh;{BAC_NINH}")
    assert set(parsed(body)["site_id"]) == {"An Hòa"}
    assert set(parsed(body, options={"sites": {"Toàn tỉnh": "province"}})["site_id"]) == {"An Hòa", "province"}


def test_a_head_may_explain_itself_at_length() -> None:
    why = (
        "(tối đa 20 điểm, tính theo hồ sơ trả trước hạn và đúng hạn trên tổng số hồ sơ đã giải quyết trong kỳ báo cáo)"
    )
    body = table(f"Tháng 9/2026;An Hòa;{BAC_NINH}").replace("Tiến độ giải quyết", f"Tiến độ giải quyết {why}")
    assert of(parsed(body), "dvc766_timeliness") == [19.45]


def test_a_small_table_above_is_not_taken_for_the_scores() -> None:
    body = f"Đơn vị;Thanh toán trực tuyến\nghi chú;;\n;;\n;;\n{table(f'Tháng 9/2026;An Hòa;{BAC_NINH}')}"
    assert of(parsed(body), "dvc766_total") == [92.83]


def test_of_very_many_wrong_rows_the_first_are_told_and_the_good_one_is_taken() -> None:
    wrong = [f"Tháng 9/2026;Phường {number};19;19,45;8,53;10;21,17;17,86;96,01" for number in range(250)]
    frame = parsed(table(*wrong, f"Tháng 9/2026;An Hòa;{BAC_NINH}"))
    assert of(frame, "dvc766_total") == [92.83]
    assert len(frame.attrs["problems"]) == dvc_766.PROBLEMS_MAX

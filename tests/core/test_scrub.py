"""What names a person leaves a citizen's words; everything that only describes the visit stays."""

from __future__ import annotations

import pytest

from core.scrub import GONE, MOST_LETTERS, scrub


@pytest.mark.parametrize(
    "secret",
    [
        "0912 345 678", "0912345678", "+84 912.345.678", "(024) 3825-1234", "0912-345-678", "0 9 1 2 3 4 5 6 7 8",
        "０９１２３４５６７８", "0912\u200b345\u200b678", "001086012345", "012 345 678", "001 086 012 345",
        "lan.nguyen@example.vn", "lan (at) example (dot) vn", "29A-123.45", "98B1-12345", "30F 123 45", "29-LD 123.45",
        "C1234567", "https://zalo.me/0912345678", "facebook.com/lan.nguyen.90",
    ],
)  # fmt: skip
def test_what_names_a_person_goes(secret: str) -> None:
    said = scrub(f"Cán bộ hẹn {secret} rồi không gọi")
    assert GONE in said
    assert not any(part in said for part in (secret, "345", "12345", "example", "lan.nguyen"))
    assert said.startswith("Cán bộ hẹn")
    assert said.endswith("rồi không gọi")


@pytest.mark.parametrize(
    "kept",
    [
        "Chờ từ 8:30 đến 10:15 ngày 15/09/2026",
        "Nộp 3 lần, mất 250.000 đồng và 45 phút",
        "Thủ tục theo Nghị định 118/2025/NĐ-CP",
        "Phòng 203, bàn số 12, tầng 2",
        "Hồ sơ hẹn 20/11/2026 14:30 mà chưa có",
    ],
)
def test_what_describes_the_visit_stays(kept: str) -> None:
    assert scrub(kept) == kept


def test_words_become_one_line_without_control_letters_and_are_cut() -> None:
    assert scrub(" chậm\r\n\tquá \x00\u202e ") == "chậm quá"
    assert len(scrub("ờ" * 2000)) == MOST_LETTERS
    assert scrub("") == ""
    assert scrub("o\u031b\u0300") == "ờ", "composed letters, whatever the keyboard sends"

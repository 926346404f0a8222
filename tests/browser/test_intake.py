"""A department's file on its whole way in a real browser: template, slip, signature, replacement, and back again."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import PATIENCE_MS, House, Viewer
from tests.browser.test_axe import grave
from tests.browser.test_every_screen import OVERFLOWING, TOO_WIDE, complete, picture

Window = Callable[..., Viewer]
UNIT, NAME = "office_02", "Một cửa Yên Hòa"
SIZES = [(1366, 768), (1920, 1080), (3840, 2160), (390, 844)]
SCORES = (81.5, 15, 18, 11, 9, 20, 16)
SHOWN_BY_THE_BUTTON = """(e) => getComputedStyle(e.querySelector("button p"), "::after").content"""


@pytest.fixture
def page(house: House, window: Window) -> Page:
    expect.set_options(timeout=PATIENCE_MS)
    viewer = window(house.server, SIZES[0])
    page = viewer.open("/intake")
    complete(page, "intake")
    page.wait_for_selector(".intake-matrix")
    return page


def cell(page: Page, place: int = 0, unit: str = UNIT) -> Locator:
    """One cell of a unit's row of the matrix; 0 is the newest period."""
    return page.locator(f'.intake-cell button[data-unit="{unit}"]').nth(place)


def only(found: Locator) -> Locator:
    """That one, when a run of the page has taken away the widgets of the run before."""
    expect(found).to_have_count(1)
    return found


def template(page: Page, folder: Path) -> bytes:
    with page.expect_download() as coming:
        only(page.get_by_role("button", name="Tải mẫu trống (XLSX)")).click()
    coming.value.save_as(folder / "mau.xlsx")
    return (folder / "mau.xlsx").read_bytes()


def drop(page: Page, empty: bytes, *values: object) -> None:
    book = openpyxl.load_workbook(io.BytesIO(empty))
    for column, value in enumerate(values, start=4):
        book.worksheets[0].cell(6, column).value = value  # type: ignore[assignment]
    stream = io.BytesIO()
    book.save(stream)
    sheet = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    inputs = only(page.locator('[class*="st-key-intake_drop_"] input[type=file]'))
    inputs.set_input_files({"name": "diem_thang.xlsx", "mimeType": sheet, "buffer": stream.getvalue()})


def sign(page: Page, version: int, reason: str = "") -> None:
    name = only(page.locator(".st-key-intake_actor input"))
    if not name.input_value():
        name.fill("Trần Quốc Bảo")
        name.press("Tab")
    if reason:
        why = only(page.locator(".st-key-intake_reason input"))
        why.fill(reason)
        why.press("Tab")
    only(page.get_by_role("button", name=f"Ký nộp bản {version}")).click()
    expect(page.locator(".st-key-notice_done")).to_contain_text(f"Đã nhận bản {version} của {NAME}")


def test_a_cell_is_chosen_with_the_keyboard_and_kept_by_reload_and_back(page: Page) -> None:
    cell(page, 1, "office_01").click()
    expect(cell(page, 1, "office_01")).to_have_attribute("aria-current", "true")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    expect(cell(page)).to_have_attribute("aria-current", "true")
    expect(page.locator(".st-key-intake_choice")).to_contain_text("Đơn vị")
    address = page.url
    assert f"unit={UNIT}" in address
    page.reload()
    expect(cell(page)).to_have_attribute("aria-current", "true")
    page.go_back()
    expect(cell(page, 1, "office_01")).to_have_attribute("aria-current", "true")
    page.locator('.intake-row[data-form="staff_gauge"]').first.click()
    expect(page.locator(".intake-matrix h2")).to_contain_text("Mực nước đọc tại thước")


def test_a_file_that_is_too_large_is_told_in_vietnamese(page: Page) -> None:
    inputs = only(page.locator('[class*="st-key-intake_drop_"] input[type=file]'))
    inputs.set_input_files({"name": "to.xlsx", "mimeType": "x/y", "buffer": b"x" * (21 * 2**20)})
    chip = page.locator('[data-testid="stFileChip"][aria-invalid="true"]')
    expect(chip).to_be_visible()
    assert "tệp lớn hơn 20 MB" in chip.evaluate('(e) => getComputedStyle(e, "::after").content')


def test_a_file_on_its_whole_way(page: Page, tmp_path: Path) -> None:
    cell(page).click()
    expect(cell(page)).to_have_attribute("aria-current", "true")
    assert "Chọn tệp, hoặc thả vào đây" in page.locator('[data-testid="stFileUploaderDropzone"]').evaluate(
        SHOWN_BY_THE_BUTTON
    )
    expect(page.get_by_text("Drag and drop")).to_be_hidden()
    empty = template(page, tmp_path)
    drop(page, empty, 81.5, 99, "mười")
    expect(page.locator('[data-testid="stCode"]')).to_contain_text("ô F6: “mười” không phải là số")
    assert grave(page) == []
    picture(page, SIZES[0], "intake-problems")
    only(page.locator('[data-testid="stFileChipDeleteBtn"] button')).click()
    expect(page.locator('[data-testid="stCode"]')).to_be_hidden()

    drop(page, empty, *SCORES)
    expect(page.get_by_text("Bản đầu tiên của kỳ này.")).to_be_visible()
    for size in SIZES:
        page.set_viewport_size({"width": size[0], "height": size[1]})
        page.wait_for_function("(width) => innerWidth === width", arg=size[0])
        picture(page, size, "intake-preview")
        assert page.evaluate(TOO_WIDE) == [], size
        assert page.evaluate(OVERFLOWING) == [], size
    page.set_viewport_size({"width": SIZES[0][0], "height": SIZES[0][1]})
    assert grave(page) == []
    sign(page, 1)
    expect(cell(page)).to_contain_text("v1")
    assert f"unit={UNIT}" in page.url

    drop(page, empty, 85.5, *SCORES[1:])
    expect(page.get_by_text("Sẽ thành bản 2, thay bản 1.")).to_be_visible()
    sign(page, 2, "cộng sót 4 điểm")
    expect(cell(page)).to_contain_text("v2")
    only(page.locator('.st-key-intake_versions input[role="combobox"]')).click()
    page.get_by_role("option", name="Bản 1").click()
    page.get_by_role("button", name="Nộp lại bản này").click()
    expect(page.get_by_text("Sẽ thành bản 3, thay bản 2.")).to_be_visible()
    sign(page, 3, "bản đầu đúng")
    expect(cell(page)).to_contain_text("v3")
    expect(page.locator('[data-part="history"] tbody tr')).to_have_count(3)
    assert grave(page) == []
    picture(page, SIZES[0], "intake-history")

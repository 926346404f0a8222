"""A folder for a new city: what an office hands over becomes a checked configuration, and a mistake leaves nothing."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from alerts.rules import load_rules
from core.__main__ import main
from core.config import ROOT, load_city
from core.errors import InputError
from core.new_city import new_city, read_wards
from indicators import catalogue

WARDS = "Mã;Tên;Vĩ độ;Kinh độ\n7774;Tự Lạn;21,297;106,085\n07777;Phường Việt Yên;21,272;106,099\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A fresh checkout, as far as a new city needs one."""
    shutil.copytree(ROOT / "config" / "bac_giang", tmp_path / "config" / "bac_giang")
    return tmp_path


def test_an_office_table_becomes_wards() -> None:
    first, second = read_wards(WARDS.encode("utf-8-sig"), "wards.csv")
    assert (first.code, first.name, first.name_en) == ("07774", "Tự Lạn", "Tu Lan"), "a spreadsheet eats the zero"
    assert (first.latitude, first.longitude) == (21.297, 106.085)
    assert (second.name, second.kind) == ("Việt Yên", "phuong")


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("", "empty"),
        ("a;b\n1;2\n", "no code and no name column"),
        ("Mã;Tên\n", "no ward"),
        ("Mã;Tên\nVY;Việt Yên\n", "row 2: code 'VY'"),
        ("Mã;Tên\n7777;Việt Yên\n07777;Nếnh\n", "07777 is given twice"),
        ('Mã,Tên\n7777,"Việt ""Yên"""\n', "quotation marks"),
        ('Mã,Tên\n7777,"Nếnh\n[evil]"\n', "row 2: name .*on one line"),
        ("Mã;Tên;Vĩ độ;Kinh độ\n7777;Việt Yên;106,1;21,2\n", "swapped"),
        ("Mã;Tên;Vĩ độ;Kinh độ\n7777;Việt Yên;21,2;\n", "or neither"),
        ("Mã;Tên;Vĩ độ;Kinh độ\n7777;Việt Yên;đây;106\n", "no number of degrees"),
        ("Mã;Tên;Loại\n7777;Việt Yên;huyện\n", "not one of phường, xã"),
    ],
)
def test_a_wrong_table_is_told_with_its_row(table: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read_wards(table.encode(), "wards.csv")


def test_a_table_in_an_old_encoding_says_how_to_save_it() -> None:
    with pytest.raises(InputError, match="CSV UTF-8"):
        read_wards("Mã;Tên\n7777;Nếnh\n".encode("cp1258", "replace") + b"\xff", "wards.csv")


def test_the_folder_loads_and_its_rule_is_on(root: Path) -> None:
    made = new_city("viet_yen", "Việt Yên (thí điểm)", read_wards(WARDS.encode(), "wards.csv"), root=root)
    city = load_city("viet_yen", root)
    assert list(city.areas.index) == ["07774", "07777"]
    assert city.site_name("07777", "vi") == "Phường Việt Yên", "the ward is not the whole that bears its name"
    assert city.city_site == "viet_yen"
    assert not city.simulated
    assert made.drop.is_dir()
    rules = {rule.key: rule for rule in load_rules(city.folder / "alerts", catalogue(), city.sites)}
    assert rules["files_overdue"].on
    assert all("<<<" not in str(path) for path in made.files)
    assert "$" not in (city.folder / "sources.toml").read_text(encoding="utf-8")


def test_what_is_there_is_never_written_over(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = root / "wards.csv"
    table.write_text(WARDS, encoding="utf-8")
    before = (root / "config" / "bac_giang" / "areas.toml").read_bytes()
    arguments = ["new-city", "bac_giang", "--name", "Khác", "--wards", str(table)]
    assert main(arguments, root) == 2
    assert "error: config/bac_giang is there already" in capsys.readouterr().err
    assert (root / "config" / "bac_giang" / "areas.toml").read_bytes() == before


@pytest.mark.parametrize(
    ("key", "name", "table", "said"),
    [
        ("Việt Yên", "Việt Yên", WARDS, "small letters"),
        ("../out", "Việt Yên", WARDS, "small letters"),
        ("viet_yen", 'Việt "Yên"', WARDS, "quotation marks"),
        ("viet_yen", "Việt Yên\r[x]", WARDS, "on one line"),
        ("viet_yen", "Việt Yên", "Mã;Tên\n7777;Nếnh\n", "coordinates"),
    ],
)
def test_after_a_mistake_nothing_is_left(
    key: str, name: str, table: str, said: str, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = root / "wards.csv"
    path.write_text(table, encoding="utf-8")
    assert main(["new-city", key, "--name", name, "--wards", str(path)], root) == 2
    assert said in capsys.readouterr().err
    assert [one.name for one in (root / "config").iterdir()] == ["bac_giang"]


def test_a_missing_table_is_one_sentence(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["new-city", "x_y", "--name", "X", "--wards", str(root / "none.csv")], root) == 2
    assert capsys.readouterr().err.startswith("error: ")

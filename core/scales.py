"""Legal scales: classes that a law or decision names, each with the value where it begins and where that is written.

A rule of kind `scale` names a class and never a number, so that a changed decision is changed here once. A bound is a
number, or the attribute of the site that holds it where the law gives every station its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from core.config import ROOT
from core.toml_files import read_toml


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaleClass:
    """One class. `begins` is the lowest value that belongs to it [unit of the scale], or the name of an attribute."""

    key: str
    name_vi: str
    name_en: str
    begins: float | str

    def name(self, language: str) -> str:
        """Name of the class in `vi` or `en`."""
        return self.name_en if language == "en" else self.name_vi


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Classes from mild to severe; below the first one nothing is named. A higher value is worse."""

    key: str
    reference: str  # the text that defines the classes
    properties: tuple[str, ...]  # observed properties that the scale is made for
    classes: tuple[ScaleClass, ...]

    def of(self, key: str) -> ScaleClass | None:
        """The class of that key."""
        return next((one for one in self.classes if one.key == key), None)

    def at(self, value: float, attributes: Mapping[str, float] | None = None) -> ScaleClass | None:
        """The class that a value belongs to; a class whose attribute the site lacks is passed over."""
        reached = None
        for one in self.classes:
            begins = (attributes or {}).get(one.begins) if isinstance(one.begins, str) else one.begins
            if begins is not None and value >= begins:
                reached = one
        return reached


# Every station has water levels of its own for the three classes; sites.toml holds them.
RIVER = Scale(
    key="river",
    reference="QĐ 05/2020/QĐ-TTg, có hiệu lực từ 20/3/2020: cấp báo động lũ của từng trạm thủy văn",
    properties=("river_level",),
    classes=(
        ScaleClass(key="I", name_vi="Báo động I", name_en="Alarm I", begins="alarm_1_m"),
        ScaleClass(key="II", name_vi="Báo động II", name_en="Alarm II", begins="alarm_2_m"),
        ScaleClass(key="III", name_vi="Báo động III", name_en="Alarm III", begins="alarm_3_m"),
    ),
)


@lru_cache(maxsize=1)
def scales() -> dict[str, Scale]:
    """All scales by key. Classes of VN_AQI are whole points (51 begins «Trung bình»): the index is rounded first."""
    levels = read_toml(ROOT / "data" / "legal" / "vn_aqi_levels.toml")["level"]
    vn_aqi = Scale(
        key="vn_aqi",
        reference="QĐ 1459/QĐ-TCMT ngày 12/11/2019, Bảng 1",
        properties=("vn_aqi", "vn_aqi_daily"),
        classes=tuple(
            ScaleClass(key=one["key"], name_vi=one["name_vi"], name_en=one["name_en"], begins=float(one["low"]))
            for one in levels
        ),
    )
    return {scale.key: scale for scale in (vn_aqi, RIVER)}

"""Legal scales stand in one place, and say the same as the arithmetic of the index."""

from __future__ import annotations

import pytest

from core.scales import scales
from indicators._vn_aqi_table import INDEX
from indicators.vn_aqi import levels


def test_the_classes_of_vn_aqi_are_those_of_the_decision():
    classes = scales()["vn_aqi"].classes
    assert [one.begins for one in classes] == [0, *(node + 1 for node in INDEX[1:6])]
    assert [(one.key, one.name("vi")) for one in classes] == [(one.key, one.name("vi")) for one in levels()]
    assert "QĐ 1459/QĐ-TCMT" in scales()["vn_aqi"].reference


@pytest.mark.parametrize(
    ("value", "name"), [(0, "Good"), (50, "Good"), (51, "Moderate"), (150, "Poor"), (500, "Hazardous")]
)
def test_which_class_a_value_belongs_to(value, name):
    assert scales()["vn_aqi"].at(value).name("en") == name


def test_river_alarms_are_those_of_the_station():
    river = scales()["river"]
    station = {"alarm_1_m": 4.3, "alarm_2_m": 5.3}
    assert river.at(4.29, station) is None
    assert river.at(4.3, station).key == "I"
    assert river.at(9.0, station).key == "II", "this station has no third class"
    assert river.at(9.0) is None
    assert river.of("IV") is None
    assert "QĐ 05/2020/QĐ-TTg" in river.reference

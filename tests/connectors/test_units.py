"""The table of units: every spelling that sources use leads to the catalogue's unit, by the arithmetic of physics."""

import pytest

from connectors._units import canonical, catalogue_units, convert
from core.errors import SourceChanged


@pytest.mark.parametrize(
    "spelling", ["µg/m³", "μg/m³", "ug/m3", "µg/Nm³", "μg m⁻³", "ug/m^3", "Micrograms per cubic meter"]
)
def test_a_microgram_is_a_microgram_however_it_is_spelt(spelling):
    assert canonical(spelling) == "ug/m3"


@pytest.mark.parametrize(
    ("spelling", "code"),
    [
        ("°C", "Cel"),
        ("ºC", "Cel"),
        ("℃", "Cel"),
        ("C", "Cel"),
        ("%", "%"),
        ("", "1"),
        ("wmo code", "1"),
        ("m³/s", "m3/s"),
        ("dBA", "dB(A)"),
        ("kn", "[kn_i]"),
        ("mp/h", "[mi_i]/h"),
        ("inch", "[in_i]"),
        ("xe/giờ", "{vehicle}/h"),
    ],
)
def test_spellings_of_the_world_lead_to_ucum(spelling, code):
    assert canonical(spelling) == code


@pytest.mark.parametrize(
    ("value", "unit", "to", "result"),
    [
        (36, "km/h", "m/s", 10.0),
        (10, "mph", "m/s", 4.4704),
        (100, "kn", "km/h", 185.2),
        (212, "°F", "Cel", 100.0),
        (273.15, "K", "Cel", 0.0),
        (1, "inch", "mm", 25.4),
        (10, "ft", "m", 3.048),
        (0.5, "mg/m³", "ug/m3", 500.0),
        (760, "mmHg", "hPa", 1013.24999984),
        (90, "min", "h", 1.5),
        (0.4, "m", "cm", 40.0),
        (1000, "l/s", "m3/s", 1.0),
    ],
)
def test_conversions_give_the_numbers_of_the_tables(value, unit, to, result):
    assert convert(value, unit, to) == pytest.approx(result)


@pytest.mark.parametrize(("gas", "factor"), [("no2", 1.88), ("o3", 1.96), ("so2", 2.62), ("co", 1.145)])
def test_ppb_become_micrograms_at_25_degrees(gas, factor):
    assert convert(10, "ppb", "ug/m3", gas) == pytest.approx(10 * factor)
    assert convert(0.01, "ppm", "ug/m3", gas) == pytest.approx(10 * factor)


def test_ppb_of_dust_is_nonsense():
    with pytest.raises(SourceChanged, match="molar mass"):
        convert(10, "ppb", "ug/m3", "pm25")


@pytest.mark.parametrize("unit", ["undefined", "dB", "mg/kg", "furlong"])
def test_an_unknown_unit_is_named_and_never_guessed(unit):
    with pytest.raises(SourceChanged, match=unit):
        convert(1, unit, "ug/m3")


def test_a_number_without_unit_is_no_percentage_and_a_rain_rate_is_no_rainfall():
    with pytest.raises(SourceChanged):
        convert(0.85, "", "%")
    with pytest.raises(SourceChanged):
        convert(5, "mm/h", "mm")


def test_every_unit_of_the_catalogue_is_known_and_is_its_own_canonical_spelling():
    assert catalogue_units()
    for key, unit in catalogue_units().items():
        assert canonical(unit) == unit, key

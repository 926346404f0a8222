"""One table of units: every spelling that sources use, and the way to the UCUM unit of the catalogue.

Gas mixing ratios become mass concentrations at 25 °C and 760 mmHg (molar mass / 24.45), the state that VN_AQI and
QCVN 05:2023 mean by «Nm³». A number without a unit («1») never becomes a percentage: 0.85 and 85 look alike.
"""

from __future__ import annotations

import unicodedata
from functools import cache

from core.catalogue import load_properties
from core.errors import SourceChanged

# ug/m3 per ppb at 25 °C and 760 mmHg
MASS_PER_PPB = {"no2": 1.88, "o3": 1.96, "so2": 2.62, "co": 1.145}

# UCUM code: (dimension, factor to the dimension's base unit, offset, spellings after _folded())
_UNITS: dict[str, tuple[str, float, float, str]] = {
    "ug/m3": (
        "mass concentration", 1.0, 0.0,
        "ug/nm3 ugm-3 ug.m-3 ug/cubicmeter ug/cubicmetre mcg/m3 micrograms/m3 microgram/m3 "
        "microgrampercubicmetre microgrampercubicmeter microgramspercubicmetre microgramspercubicmeter",
    ),
    "mg/m3": ("mass concentration", 1000.0, 0.0, "mg/nm3 mgm-3 mg.m-3 milligrampercubicmetre milligrampercubicmeter"),
    "ng/m3": ("mass concentration", 0.001, 0.0, "ng/nm3 ngm-3 ng.m-3"),
    "mg/L": ("mass concentration", 1e6, 0.0, "mgl-1 mg.l-1 milligramperlitre milligramperliter"),
    "ug/L": ("mass concentration", 1000.0, 0.0, "ugl-1 ug.l-1 microgramperlitre microgramperliter"),
    "uS/cm": ("conductivity", 1.0, 0.0, "us/cm uscm-1"),
    "mS/cm": ("conductivity", 1000.0, 0.0, "ms/cm mscm-1"),
    "S/m": ("conductivity", 10000.0, 0.0, "s/m sm-1"),
    "{NTU}": ("turbidity", 1.0, 0.0, "ntu {ntu} fnu ftu"),
    "[pH]": ("acidity", 1.0, 0.0, "[ph] ph"),
    "[ppb]": ("mixing ratio", 1.0, 0.0, "ppb ppbv partsperbillion"),
    "[ppm]": ("mixing ratio", 1000.0, 0.0, "ppm ppmv partspermillion"),
    "Cel": ("temperature", 1.0, 0.0, "cel °c c degc celsius degreecelsius degreescelsius độc doc"),
    "[degF]": ("temperature", 5 / 9, -160 / 9, "[degf] °f f degf fahrenheit degreefahrenheit degreesfahrenheit"),
    "K": ("temperature", 1.0, -273.15, "k kelvin"),
    "m/s": ("speed", 1.0, 0.0, "ms-1 m.s-1 m/sec mps meterspersecond metrespersecond meterpersecond metrepersecond"),
    "km/h": ("speed", 1 / 3.6, 0.0, "kmh kmph kph kmh-1 km/hour km/giờ kilometersperhour kilometresperhour"),
    "[mi_i]/h": ("speed", 0.44704, 0.0, "[mi_i]/h mph mp/h mi/h milesperhour"),
    "[kn_i]": ("speed", 1852 / 3600, 0.0, "[kn_i] kn kt kts knot knots"),
    "[ft_i]/s": ("speed", 0.3048, 0.0, "[ft_i]/s ft/s fps"),
    "mm": ("length", 0.001, 0.0, "millimetre millimeter millimetres millimeters"),
    "cm": ("length", 0.01, 0.0, "centimetre centimeter centimetres centimeters"),
    "m": ("length", 1.0, 0.0, "metre meter metres meters mét"),
    "km": ("length", 1000.0, 0.0, "kilometre kilometer kilometres kilometers"),
    "[in_i]": ("length", 0.0254, 0.0, "[in_i] in inch inches"),
    "[ft_i]": ("length", 0.3048, 0.0, "[ft_i] ft foot feet"),
    "hPa": ("pressure", 1.0, 0.0, "hpa mbar mb millibar hectopascal"),
    "Pa": ("pressure", 0.01, 0.0, "pa pascal"),
    "kPa": ("pressure", 10.0, 0.0, "kpa kilopascal"),
    "mm[Hg]": ("pressure", 1.333223684, 0.0, "mm[hg] mmhg"),
    "[in_i'Hg]": ("pressure", 33.8638866667, 0.0, "[in_i'hg] inhg"),
    "m3/s": ("discharge", 1.0, 0.0, "m3s-1 m3.s-1 cumec cumecs cubicmetrepersecond cubicmeterpersecond"),
    "L/s": ("discharge", 0.001, 0.0, "l/s lít/s"),
    "[cft_i]/s": ("discharge", 0.028316846592, 0.0, "[cft_i]/s ft3/s cfs"),
    "s": ("time", 1.0, 0.0, "sec second seconds giây"),
    "min": ("time", 60.0, 0.0, "minute minutes phút"),
    "h": ("time", 3600.0, 0.0, "hr hour hours giờ"),
    "d": ("time", 86400.0, 0.0, "day days ngày"),
    "{vehicle}/h": ("traffic flow", 1.0, 0.0, "vehicle/h vehicles/h veh/h vph xe/h xe/giờ"),
    "dB(A)": ("sound level", 1.0, 0.0, "db(a) dba db[a]"),
    "%": ("percentage", 1.0, 0.0, "percent pct phầntrăm"),
    "1": ("number", 1.0, 0.0, "- dimensionless unitless index wmocode count {count} tin hồsơ vụ lượt"),
}  # fmt: skip


def _folded(unit: str) -> str:
    """A spelling without its accidents: µ and μ, ³ and ^3, ℃, case and blanks."""
    text = unicodedata.normalize("NFKC", unit.replace("º", "°")).casefold()  # the ordinal º would fold to «o»
    for old, new in (("μ", "u"), ("^", ""), ("\N{MINUS SIGN}", "-")):
        text = text.replace(old, new)
    return "".join(text.split())


_SPELLINGS: dict[str, str] = {"": "1"}
for _code, _entry in _UNITS.items():
    for _variant in (_folded(_code), *_entry[3].split()):
        _SPELLINGS[_variant] = _code


def canonical(unit: str) -> str:
    """The UCUM code of a unit's spelling («μg/m³» -> «ug/m3», «°C» -> «Cel», «» -> «1»).

    Raises SourceChanged for a unit that the table does not know, such as Open-Meteo's «undefined».
    """
    try:
        return _SPELLINGS[_folded(unit)]
    except KeyError:
        raise SourceChanged(f"the unit {unit!r} is unknown: add it to the table in connectors/_units.py") from None


def convert(value: float, unit: str, to: str, pollutant: str | None = None) -> float:
    """`value` given in `unit` (any known spelling) as a number in `to` (UCUM code of the catalogue).

    `pollutant` is the catalogue key (no2, o3, so2, co) that ppb or ppm needs to become ug/m3.
    Raises SourceChanged for an unknown unit, or when the two do not measure the same thing.
    """
    have, want = canonical(unit), canonical(to)
    if have == want:
        return value
    dimension, factor, offset, _ = _UNITS[have]
    wanted_dimension, wanted_factor, wanted_offset, _ = _UNITS[want]
    base = value * factor + offset
    if dimension == "mixing ratio" and wanted_dimension == "mass concentration":
        if pollutant not in MASS_PER_PPB:
            raise SourceChanged(f"{unit} of {pollutant or 'an unnamed gas'} cannot become {to}: molar mass unknown")
        base, dimension = base * MASS_PER_PPB[pollutant], wanted_dimension
    if dimension != wanted_dimension:
        raise SourceChanged(f"the unit {unit!r} is a {dimension}, but {to} (a {wanted_dimension}) is needed")
    return round((base - wanted_offset) / wanted_factor, 9)  # no 25.400000000000002 mm


@cache
def catalogue_units() -> dict[str, str]:
    """UCUM unit of every observed property of data/catalogue, by key."""
    return {item.key: item.unit for item in load_properties()}

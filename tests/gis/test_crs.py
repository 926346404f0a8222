"""VN-2000 to WGS 84: the check points, the signs of the rotations, zones by name, and what the guards say."""

from __future__ import annotations

import math
import re

import pytest
from pyproj import CRS, Geod, Transformer
from shapely.geometry import Point

from gis import crs
from gis.faults import Fault
from gis.layers import from_geojson
from gis.provinces import FORMER, PROVINCES
from gis.read import Feature
from tests.gis.files import BAC_NINH, VN, bytes_of, prj_of

CHECK_POINTS = [  # longitude, latitude, zone, easting, northing
    (106.1946, 21.2731, "9214", 416226.772, 2353402.453),
    (106.1946, 21.2731, "9209", 571883.674, 2353345.981),
    (106.0763, 21.1861, "9214", 403893.580, 2343837.098),
    (106.0763, 21.1861, "9209", 559642.292, 2343664.579),
]
EARTH = Geod(ellps="WGS84")


def at(x: float, y: float) -> list[Feature]:
    return [Feature(Point(x, y), {})]


@pytest.mark.parametrize(("longitude", "latitude", "zone", "east", "north"), CHECK_POINTS)
def test_check_points_hold_to_a_centimetre(
    longitude: float, latitude: float, zone: str, east: float, north: float
) -> None:
    assert crs.from_wgs84(longitude, latitude, zone) == pytest.approx((east, north), abs=0.01)
    back = crs.to_wgs84(east, north, zone)
    assert EARTH.inv(*back, longitude, latitude)[2] < 0.01


def test_the_signs_of_the_rotations_are_not_those_of_towgs84() -> None:
    """Code that copies EPSG's signs into +towgs84 is three quarters of a metre off: enough for a wrong parcel."""
    plane = "+proj=tmerc +lon_0=107 +k=0.9999 +x_0=500000 +ellps=WGS84 +units=m +no_defs"
    values = "-191.90441429,-39.30318279,-111.45032835,{0}0.00928836,{1}0.01975479,{0}0.00427372,0.252906278"

    def there(first: str, second: str) -> tuple[float, float]:
        source = CRS.from_proj4(f"{plane} +towgs84={values.format(first, second)}")
        return Transformer.from_crs(source, CRS.from_epsg(4326), always_xy=True).transform(416226.772, 2353402.453)

    ours = crs.to_wgs84(416226.772, 2353402.453, "9214")
    assert EARTH.inv(*ours, *there("", "-"))[2] < 0.01
    assert 0.5 < EARTH.inv(*ours, *there("-", ""))[2] < 1.0


def test_every_zone_agrees_with_the_epsg_tables() -> None:
    assert len(crs.ZONES) == 18
    for code, zone in crs.GRIDS.items():
        system = CRS.from_epsg(int(code))
        found, _ = crs.declared(f"EPSG:{code}")
        assert found is not None
        assert found.key == code
        parameters = {one.name: one.value for one in system.coordinate_operation.params}
        assert parameters["Longitude of natural origin"] == zone.meridian
        assert parameters["Scale factor at natural origin"] == zone.scale


@pytest.mark.parametrize("text", ["9209", "EPSG:9209", "105°30", "105.5", "105,5", "105 30", "105°30′"])
def test_a_zone_goes_by_its_code_or_its_central_meridian(text: str) -> None:
    assert crs.grid(text).epsg == "9209"


def test_an_unknown_zone_or_province_is_told_with_those_that_exist() -> None:
    with pytest.raises(Fault, match="9214"):
        crs.grid("106.1")
    with pytest.raises(Fault, match="24 Bắc Ninh"):
        crs.locate(at(106.0, 21.0), province="27")
    assert len(PROVINCES) == 34
    assert {zone for one in PROVINCES.values() for zone in one.zones} <= set(crs.ZONES)


def test_each_of_the_63_former_provinces_went_into_one_of_the_34() -> None:
    went = [name for one in PROVINCES.values() for name in one.former]
    assert (len(FORMER), sorted(went)) == (63, sorted(FORMER))
    assert PROVINCES["24"].zones == ("9214", "9209"), (
        "107°00′ was set for the new one; Bắc Ninh was surveyed in 105°30′"
    )
    assert PROVINCES["25"].zones == ("9208", "5897", "9211")
    assert PROVINCES["33"].zones == ("9209",), "Hưng Yên and Thái Bình have one zone"


def test_codes_and_names_are_those_of_the_published_list() -> None:
    seed = bytes_of(VN / "after_2025_provinces_seed.sql").decode()
    listed = dict(re.findall(r"\('(\d\d)', '([^']+)'\)", seed))
    own = {code: one.name for code, one in PROVINCES.items()}
    assert {code: name.removeprefix("Tỉnh ").removeprefix("Thành phố ") for code, name in listed.items()} == {
        code: name.removeprefix("Thành phố ") for code, name in own.items()
    }


def test_the_box_of_bac_ninh_holds_its_published_outline() -> None:
    shape_of = from_geojson(bytes_of(VN / "after_2025_bac_ninh_province.geojson"))[0].geometry
    west, south, east, north = PROVINCES["24"].box or (0, 0, 0, 0)
    found = shape_of.bounds
    room = (found[0] - west, found[1] - south, east - found[2], north - found[3])
    assert all(0.04 <= edge <= 0.06 for edge in room)


@pytest.mark.parametrize("zone", ["9214", "9209", "3405", "5899"])
def test_the_prj_of_an_esri_programme_is_understood(zone: str) -> None:
    system, notes = crs.declared(prj_of(zone))
    assert system is not None
    assert (system.key, notes) == (zone, ())


def test_a_prj_that_calls_its_vn2000_wgs84_is_read_as_vn2000_and_says_so() -> None:
    """Many offices have drawn in a home-made projection with the right meridian and scale on the wrong datum."""
    wkt = prj_of("9214").replace(CRS.from_epsg(9214).geodetic_crs.datum.name.replace("-", "_"), "D_WGS_1984")
    home_made = CRS.from_proj4("+proj=tmerc +lon_0=107 +k=0.9999 +x_0=500000 +datum=WGS84").to_wkt("WKT1_ESRI")
    for text in (home_made, wkt):
        system, _ = crs.declared(text)
        assert system is not None
        assert system.key == "9214"
    assert "WGS 84" in crs.declared(home_made)[1][0].vi
    utm = crs.declared("EPSG:32648")[0]
    assert utm is not None
    assert utm.key == "other", "a real UTM zone of WGS 84 stays what it is"


@pytest.mark.parametrize(
    "text", ["EPSG:4326", "urn:ogc:def:crs:OGC:1.3:CRS84", "http://www.opengis.net/def/crs/EPSG/0/4326", "WGS 84"]
)
def test_wgs84_has_many_names(text: str) -> None:
    system, _ = crs.declared(text)
    assert system is not None
    assert system.key == "4326"


def test_degrees_of_vn2000_are_moved_by_two_hundred_metres() -> None:
    found = crs.locate(at(106.1946, 21.2731), "EPSG:4756", box=BAC_NINH)
    point = found.features[0].geometry
    assert 200 < EARTH.inv(106.1946, 21.2731, point.x, point.y)[2] < 250


def test_the_zone_of_the_province_is_taken_where_the_file_is_silent_and_that_is_told() -> None:
    found = crs.locate(at(416226.772, 2353402.453), province="24")
    assert found.system.key == "9214"
    assert "Bắc Ninh" in found.notes[0].vi
    assert (found.features[0].geometry.x, found.features[0].geometry.y) == pytest.approx((106.1946, 21.2731), abs=1e-6)


def test_turned_axes_are_named_and_the_remedy_works() -> None:
    found = crs.locate(at(2353402.453, 416226.772), province="24")
    assert found.features == ()
    assert "có vẻ trục X, Y bị đổi chỗ" in found.problems[0].vi
    (remedy,) = [one for one in found.remedies if one.zone == ""]
    mended = crs.locate(at(2353402.453, 416226.772), province="24", swap=remedy.swap)
    assert mended.features[0].geometry.x == pytest.approx(106.1946, abs=1e-6)


def test_turned_degrees_are_named_too() -> None:
    found = crs.locate(at(21.2731, 106.1946), "EPSG:4326", province="24")
    assert "có vẻ trục X, Y bị đổi chỗ" in found.problems[0].vi


def test_the_wrong_zone_is_named() -> None:
    """Read as 107°00′ a file of the zone 105°30′ lies 155 km to the east, in the sea: the guard says which."""
    found = crs.locate(at(571883.674, 2353345.981), "EPSG:9214", province="24")
    assert "có vẻ là múi 105°30′" in found.problems[0].vi
    assert found.remedies[0].zone == "9209"
    assert "zone 105°30′" in found.problems[0].en
    mended = crs.locate(at(571883.674, 2353345.981), "EPSG:9214", province="24", zone="9209")
    assert not mended.problems
    assert "được đọc theo lựa chọn" in mended.notes[0].vi


def test_what_lies_nowhere_is_refused_without_a_guess() -> None:
    found = crs.locate(at(1.0, 2.0), "EPSG:9214", province="24")
    assert found.remedies == ()
    assert "hỏi đơn vị giao tệp" in found.problems[0].vi


def test_metres_of_an_unknown_system_are_not_guessed_but_what_fits_is_told() -> None:
    found = crs.locate(at(416226.772, 2353402.453), box=BAC_NINH)
    assert found.features == ()
    assert "hãy chọn múi VN-2000" in found.problems[0].vi
    assert "9214" in {one.zone for one in found.remedies}


def test_one_stray_point_in_two_hundred_does_not_condemn_a_layer_but_two_in_a_hundred_do() -> None:
    good = [Feature(Point(106.1 + n / 1000, 21.2), {}) for n in range(199)]
    assert not crs.locate([*good, *at(110.0, 10.0)], "EPSG:4326", province="24").problems
    assert crs.locate([*good[:98], *at(110.0, 10.0), *at(110.0, 10.0)], "EPSG:4326", province="24").problems


def test_a_point_that_cannot_be_transformed_lies_outside_instead_of_failing() -> None:
    found = crs.locate(at(1e12, 1e12), "EPSG:9214", province="24")
    assert found.problems
    assert not found.features
    assert math.isinf(found.box[0]) or found.problems

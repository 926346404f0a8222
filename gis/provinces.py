"""The 34 provinces since 1 July 2025 with the VN-2000 zones that their files may carry.

Codes and names: QĐ 19/2025/QĐ-TTg. The first zone is tried first. For Bắc Ninh (24) it is the one of TT
24/2025/TT-BNNMT; for the others it is that of the former province which gave the new one its name or code, and after
it come the zones of the others that were merged, because cadastral files keep the zone in which they were surveyed
(TT 25/2014/TT-BTNMT, phụ lục 2). So a file without a word about its system is never taken silently: the reading must
lie in the box, and the page names the zone that was used. `box` is [degrees WGS 84] west, south, east, north; only
where the published outline was at hand, with 0.05° around it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Province:
    """A province with the codes of its zones, likeliest first."""

    name: str
    zones: tuple[str, ...]
    box: tuple[float, float, float, float] | None = None


PROVINCES = {
    "01": Province("Hà Nội", ("5897",)),
    "04": Province("Cao Bằng", ("9210",)),
    "08": Province("Tuyên Quang", ("9211", "9209")),
    "11": Province("Điện Biên", ("9205",)),
    "12": Province("Lai Châu", ("9205",)),
    "14": Province("Sơn La", ("9206",)),
    "15": Province("Lào Cai", ("9208",)),
    "19": Province("Thái Nguyên", ("9213",)),
    "20": Province("Lạng Sơn", ("9215",)),
    "22": Province("Quảng Ninh", ("5899",)),
    "24": Province("Bắc Ninh", ("9214", "9209"), (105.83, 20.92, 107.08, 21.68)),
    "25": Province("Phú Thọ", ("9208", "5897", "9211")),
    "31": Province("Hải Phòng", ("9210", "9209")),
    "33": Province("Hưng Yên", ("9209",)),
    "37": Province("Ninh Bình", ("5897", "9209")),
    "38": Province("Thanh Hóa", ("5897",)),
    "40": Province("Nghệ An", ("9208",)),
    "42": Province("Hà Tĩnh", ("9209",)),
    "44": Province("Quảng Trị", ("9212", "9211")),
    "46": Province("Huế", ("9214",)),
    "48": Province("Đà Nẵng", ("5899",)),
    "51": Province("Quảng Ngãi", ("5898", "9216")),
    "52": Province("Gia Lai", ("9218", "9217")),
    "56": Province("Khánh Hòa", ("9217",)),
    "66": Province("Đắk Lắk", ("9218",)),
    "68": Province("Lâm Đồng", ("5899", "9218")),
    "75": Province("Đồng Nai", ("5899", "9212")),
    "79": Province("Thành phố Hồ Chí Minh", ("9210", "5899")),
    "80": Province("Tây Ninh", ("9209", "9210")),
    "82": Province("Đồng Tháp", ("5897", "9210")),
    "86": Province("Vĩnh Long", ("9209", "9210")),
    "91": Province("An Giang", ("9208", "9207")),
    "92": Province("Cần Thơ", ("5897", "9209")),
    "96": Province("Cà Mau", ("9207", "5897")),
}

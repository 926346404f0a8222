"""The 34 provinces since 1 July 2025, the 63 before them, and the VN-2000 zones that their files may carry.

Codes and names: QĐ 19/2025/QĐ-TTg; who was merged: the resolutions on the provinces of 12 June 2025 (NQ
202/2025/QH15). The zone of each former province is that of TT 25/2014/TT-BTNMT, phụ lục 2 (the same as TT
973/2001/TT-TCĐC with the provinces divided since); cadastral files keep the zone in which they were surveyed. For new
provinces the zone is known here only for Bắc Ninh (TT 24/2025/TT-BNNMT), so the likeliest is that of the former
province which gave the new one its name. A file without a word about its system is never taken silently: the reading
must lie in the box, and the page names the zone that was used.

`box` is [degrees WGS 84] west, south, east, north; only where the published outline was at hand, with 0.05° around it.
"""

from __future__ import annotations

from dataclasses import dataclass

FORMER = {
    "Hà Nội": "5897", "Hà Giang": "9209", "Cao Bằng": "9210", "Bắc Kạn": "9213", "Tuyên Quang": "9211",
    "Lào Cai": "9208", "Điện Biên": "9205", "Lai Châu": "9205", "Sơn La": "9206", "Yên Bái": "9208",
    "Hòa Bình": "9211", "Thái Nguyên": "9213", "Lạng Sơn": "9215", "Quảng Ninh": "5899", "Bắc Giang": "9214",
    "Phú Thọ": "9208", "Vĩnh Phúc": "5897", "Bắc Ninh": "9209", "Hải Dương": "9209", "Hải Phòng": "9210",
    "Hưng Yên": "9209", "Thái Bình": "9209", "Hà Nam": "5897", "Nam Định": "9209", "Ninh Bình": "5897",
    "Thanh Hóa": "5897", "Nghệ An": "9208", "Hà Tĩnh": "9209", "Quảng Bình": "9211", "Quảng Trị": "9212",
    "Thừa Thiên Huế": "9214", "Đà Nẵng": "5899", "Quảng Nam": "5899", "Quảng Ngãi": "5898", "Bình Định": "9217",
    "Phú Yên": "9218", "Khánh Hòa": "9217", "Ninh Thuận": "9217", "Bình Thuận": "9218", "Kon Tum": "9216",
    "Gia Lai": "9218", "Đắk Lắk": "9218", "Đắk Nông": "9218", "Lâm Đồng": "5899", "Bình Phước": "9212",
    "Tây Ninh": "9209", "Bình Dương": "9210", "Đồng Nai": "5899", "Bà Rịa - Vũng Tàu": "5899",
    "Thành phố Hồ Chí Minh": "9210", "Long An": "9210", "Tiền Giang": "9210", "Bến Tre": "9210", "Trà Vinh": "9209",
    "Vĩnh Long": "9209", "Đồng Tháp": "5897", "An Giang": "9208", "Kiên Giang": "9207", "Cần Thơ": "5897",
    "Hậu Giang": "5897", "Sóc Trăng": "9209", "Bạc Liêu": "5897", "Cà Mau": "9207",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Province:
    """A province: the former ones that it is made of, the likeliest first, and its own zone where one was set."""

    name: str
    former: tuple[str, ...]
    own: str = ""
    box: tuple[float, float, float, float] | None = None

    @property
    def zones(self) -> tuple[str, ...]:
        """The codes of its zones, likeliest first."""
        return tuple(dict.fromkeys((*([self.own] if self.own else []), *(FORMER[name] for name in self.former))))


def _same(name: str) -> Province:
    """A province that is as it was."""
    return Province(name, (name,))


PROVINCES = {
    "01": _same("Hà Nội"),
    "04": _same("Cao Bằng"),
    "08": Province("Tuyên Quang", ("Tuyên Quang", "Hà Giang")),
    "11": _same("Điện Biên"),
    "12": _same("Lai Châu"),
    "14": _same("Sơn La"),
    "15": Province("Lào Cai", ("Lào Cai", "Yên Bái")),
    "19": Province("Thái Nguyên", ("Thái Nguyên", "Bắc Kạn")),
    "20": _same("Lạng Sơn"),
    "22": _same("Quảng Ninh"),
    "24": Province("Bắc Ninh", ("Bắc Giang", "Bắc Ninh"), "9214", (105.83, 20.92, 107.08, 21.68)),
    "25": Province("Phú Thọ", ("Phú Thọ", "Vĩnh Phúc", "Hòa Bình")),
    "31": Province("Hải Phòng", ("Hải Phòng", "Hải Dương")),
    "33": Province("Hưng Yên", ("Hưng Yên", "Thái Bình")),
    "37": Province("Ninh Bình", ("Ninh Bình", "Hà Nam", "Nam Định")),
    "38": _same("Thanh Hóa"),
    "40": _same("Nghệ An"),
    "42": _same("Hà Tĩnh"),
    "44": Province("Quảng Trị", ("Quảng Trị", "Quảng Bình")),
    "46": Province("Huế", ("Thừa Thiên Huế",)),
    "48": Province("Đà Nẵng", ("Đà Nẵng", "Quảng Nam")),
    "51": Province("Quảng Ngãi", ("Quảng Ngãi", "Kon Tum")),
    "52": Province("Gia Lai", ("Gia Lai", "Bình Định")),
    "56": Province("Khánh Hòa", ("Khánh Hòa", "Ninh Thuận")),
    "66": Province("Đắk Lắk", ("Đắk Lắk", "Phú Yên")),
    "68": Province("Lâm Đồng", ("Lâm Đồng", "Đắk Nông", "Bình Thuận")),
    "75": Province("Đồng Nai", ("Đồng Nai", "Bình Phước")),
    "79": Province("Thành phố Hồ Chí Minh", ("Thành phố Hồ Chí Minh", "Bình Dương", "Bà Rịa - Vũng Tàu")),
    "80": Province("Tây Ninh", ("Tây Ninh", "Long An")),
    "82": Province("Đồng Tháp", ("Đồng Tháp", "Tiền Giang")),
    "86": Province("Vĩnh Long", ("Vĩnh Long", "Bến Tre", "Trà Vinh")),
    "91": Province("An Giang", ("An Giang", "Kiên Giang")),
    "92": Province("Cần Thơ", ("Cần Thơ", "Sóc Trăng", "Hậu Giang")),
    "96": Province("Cà Mau", ("Cà Mau", "Bạc Liêu")),
}

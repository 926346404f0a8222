"""From a file to a layer that may be kept: read, placed, judged. What a person sees before they say yes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import shapely

from gis import crs
from gis.crs import Box, Located, Said
from gis.faults import Fault
from gis.read import Feature, MapFile, read


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A file as it would be kept. With `problems` it cannot be; `notes` are what a person should know."""

    file: MapFile
    located: Located
    geometries: tuple[tuple[str, int], ...]  # «Polygon» -> how many
    columns: tuple[str, ...]
    notes: tuple[Said, ...]

    @property
    def problems(self) -> tuple[Said, ...]:
        """What must be mended first."""
        return self.located.problems

    @property
    def features(self) -> tuple[Feature, ...]:
        """The features in WGS 84. Raises Fault while something is wrong with them."""
        if self.problems:
            raise Fault(f"{self.file.name}: {self.problems[0].vi}", f"{self.file.name}: {self.problems[0].en}")
        return self.located.features


def draft(
    body: bytes,
    name: str,
    *,
    zone: str = "",
    province: str = "",
    box: Box | None = None,
    swap: bool = False,
    layer: str = "",
) -> Draft:
    """Read and place a file. Raises Fault for what cannot be read at all."""
    found = read(body, name, layer)
    located = crs.locate(found.features, found.system, zone=zone, province=province, box=box, swap=swap)
    notes = list(located.notes)
    if found.without_shape:
        n = found.without_shape
        notes.append(Said(f"{n} dòng không có hình bị bỏ qua.", f"{n} rows without a shape are left out."))
    if found.links:
        notes.append(
            Said("Liên kết trong KML (NetworkLink) không được mở.", "Links in the KML (NetworkLink) are not followed.")
        )
    if found.letters:
        notes.append(
            Said(
                f"Chữ trong bảng của tệp gõ bằng bảng mã {found.letters}, không phải Unicode, nên tên hiện sai dấu: "
                "hãy chuyển mã bảng sang Unicode (UTF-8) rồi nhập lại.",
                f"The file's table was typed in {found.letters}, which is no Unicode, so names look wrong: convert the "
                "table to Unicode (UTF-8) and import it again.",
            )
        )
    mended, count = _mended(located.features)
    if count:
        notes.append(
            Said(
                f"{count} vùng có đường biên tự cắt đã được sửa; hãy kiểm tra trên bản đồ.",
                f"{count} areas whose outline crosses itself were mended; look at them on the map.",
            )
        )
        located = Located(
            features=mended, system=located.system, swapped=located.swapped, box=located.box, notes=located.notes
        )
    kinds = Counter(one.geometry.geom_type for one in found.features)
    columns = dict.fromkeys(name for one in found.features[:100] for name in one.properties)
    return Draft(
        file=found, located=located, geometries=tuple(sorted(kinds.items())), columns=tuple(columns), notes=tuple(notes)
    )


def _mended(features: tuple[Feature, ...]) -> tuple[tuple[Feature, ...], int]:
    """Areas whose outline crosses itself, made valid; joins and areas would be wrong with them."""
    found, count = [], 0
    for one in features:
        if one.geometry.geom_type.endswith("Polygon") and not one.geometry.is_valid:
            whole = shapely.make_valid(one.geometry)
            areas = [part for part in shapely.get_parts(whole) if part.geom_type.endswith("Polygon")]
            if areas:
                found.append(Feature(shapely.union_all(areas), one.properties))
                count += 1
                continue
        found.append(one)
    return tuple(found), count

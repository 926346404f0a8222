"""Geography in one room: layers from any office's file, Vietnamese grids to WGS 84, wards through time, joins. Pure.

    gis.read      bytes of GeoJSON, Shapefile (zip), GeoPackage, KML -> features as they stand in the file
    gis.crs       VN-2000 and others -> WGS 84 degrees, with guards against turned axes and the wrong zone
    gis.layers    a layer with owner, licence and dates; the shelf on which the layers of a city are kept
    gis.wards     wards with days of validity, and figures carried across a reform
    gis.join      points to wards, what lies within so many metres, lengths and areas

Decision: docs/adr/0012-gis-room.md. Geometries are shapely's; longitude comes before latitude everywhere.
"""

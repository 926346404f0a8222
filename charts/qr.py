"""QR codes as SVG, for paper and for the screen: text in, picture out (segno, ISO/IEC 18004)."""

from __future__ import annotations

import io

import segno

QUIET = 4  # modules of white around the code, as the standard asks for


def svg(text: str) -> str:
    """The text as a QR code, error correction M: a scratched poster is still read. Always black on white."""
    stream = io.BytesIO()
    segno.make(text, error="m", micro=False).save(
        stream, kind="svg", border=QUIET, dark="#000", light="#fff", xmldecl=False, svgns=True, nl=False, omitsize=True
    )
    return stream.getvalue().decode("utf-8")

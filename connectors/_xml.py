"""XML from outside: no entities, no document type, and no deeper than an honest server nests it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Final
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse

from connectors._reply import reading
from core.errors import SourceChanged

DEPTH_MAX: Final = 100


def events(body: bytes) -> Iterator[tuple[str, Element]]:
    """(start | end, element) in the order of the text, so that a large one need never be kept whole.

    Raises SourceChanged for broken, unsafe and too deeply nested XML, and for HTML.
    """
    depth = 0
    try:
        for event, element in iterparse(io.BytesIO(body), events=("start", "end"), forbid_dtd=True):
            depth += 1 if event == "start" else -1
            if depth > DEPTH_MAX:
                raise SourceChanged(f"XML that is nested deeper than {DEPTH_MAX} levels")
            yield event, element
    except (ParseError, DefusedXmlException, LookupError) as error:
        raise SourceChanged("broken or unsafe XML, or an HTML page") from error
    except ValueError as error:
        raise SourceChanged("XML in an encoding that cannot be read: UTF-8 is promised") from error


def xml_tree(body: bytes, name: str) -> Element:
    """The root of a whole XML text. Raises SourceChanged as `events` does, with the name of the reply."""
    with reading(name):
        _, root = next(each := events(body))
        for _ in each:
            pass  # the root grows while it is read
    return root

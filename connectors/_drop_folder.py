"""The files of a drop folder as payloads: finished ones only, in the order of their names."""

from __future__ import annotations

import logging
from collections.abc import Collection
from pathlib import Path

from connectors._contract import FetchRequest, Payload
from connectors._sheet_files import FILE_BYTES_MAX
from connectors._vietnamese_text import composed
from core.errors import InputError, SourceUnavailable

ROOT = Path(__file__).resolve().parent.parent
log = logging.getLogger(__name__)


def payloads_of_folder(request: FetchRequest, suffixes: Collection[str], what: str) -> list[Payload]:
    """Every finished file of the option `folder` (relative to the repository's root) with one of the suffixes.

    A file that cannot be opened or is too large still comes, so that parse() can name it and the others go on: its
    context says why in `unreadable`. `what` names the files for messages. Raises SourceUnavailable when the folder is
    missing, InputError when the option is.
    """
    named = request.options.get("folder")
    if not isinstance(named, str) or not named.strip():
        raise InputError(f"sources.toml, nguồn {request.source}: thiếu [source.options] folder, thư mục chứa {what}")
    folder = ROOT / named  # an absolute path stays as it is
    if not folder.is_dir():
        raise SourceUnavailable(f"chưa có thư mục {named}; hãy tạo thư mục này rồi chép {what} vào đó")
    context = {"source": request.source, "sites": request.sites, "zone": request.zone, "options": request.options}
    payloads = []
    for path in sorted(folder.iterdir()):
        if path.name.startswith(("~$", ".")) or not path.is_file():  # lock files of Excel, hidden files
            continue
        if path.suffix.lower() not in suffixes:  # also .tmp and .part of a copy that is not finished
            log.info("%s: %s is no table file and is left alone", request.source, path.name)
            continue
        body, unreadable = b"", ""
        try:
            with path.open("rb") as stream:
                body = stream.read(FILE_BYTES_MAX + 1)
        except OSError as error:
            unreadable = error.strerror or type(error).__name__
        payloads.append(Payload(body=body, name=composed(path.name), context={**context, "unreadable": unreadable}))
    return payloads


def check_readable(payload: Payload, where: str) -> None:
    """Raise InputError for a file that could not be opened."""
    if payload.context.get("unreadable"):
        raise InputError(
            f"{where}: không mở được ({payload.context['unreadable']}); hãy đóng tệp và kiểm tra quyền đọc"
        )

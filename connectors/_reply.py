"""Replies of many shapes and many places: what does not fit becomes one sentence, and one refusal costs one place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pandas as pd

from connectors._contract import Payload
from connectors._rows import told_frame
from core.errors import InputError, SourceChanged, SourceRefused


@contextmanager
def reading(name: str) -> Iterator[None]:
    """Inside, errors need not name the reply, and a field of another shape is a SourceChanged."""
    try:
        yield
    except (InputError, SourceChanged, SourceRefused) as error:
        raise type(error)(f"{name}: {error}") from error
    except (LookupError, TypeError, AttributeError, ValueError, ArithmeticError) as error:
        raise SourceChanged(f"{name}: a field is missing or of another shape: {error!r}") from error


def objects(found: object, what: str) -> list[Mapping[str, Any]]:
    """A list of JSON objects; absent is empty. Raises SourceChanged that says what was promised."""
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise SourceChanged(f"`{what}` is not a list of objects")
    return found


def each_answer(asks: Iterable[Callable[[], list[Payload]]]) -> list[Payload]:
    """The payloads of all asks. One that is refused does not silence the others: it is told as a problem by one_frame.

    Raises SourceRefused when nobody answers, and any other SourceError at once.
    """
    payloads: list[Payload] = []
    refused: list[SourceRefused] = []
    for ask in asks:
        try:
            payloads += ask()
        except SourceRefused as error:
            refused.append(error)
    if refused and not payloads:
        raise refused[0]
    if refused:
        problems = tuple(str(error) for error in refused)
        payloads[-1] = replace(payloads[-1], context={**payloads[-1].context, "problems": problems})
    return payloads


def one_frame(rows: Sequence[Mapping[str, Any]], payload: Payload, key: str) -> pd.DataFrame:
    """Rows as the one frame under the name of the configured source (of a bare file: `key`), with the problems told."""
    frame = told_frame(rows, source=payload.context.get("source", key), name=payload.name)
    if problems := payload.context.get("problems"):
        frame.attrs["problems"] = list(problems)
    return frame

"""What can go wrong, in words that name what, where and what to do.

    HouseError
    ├── InputError            a file, row or argument that a person can mend
    │   ├── ConfigError       the same, in config/<city>/
    │   └── ToldInBoth        the same, with a sentence per language: it is said on a page
    ├── StoreError            the data file cannot be used
    │   └── StoreBusy         another process owns it
    └── SourceError           a source of data does not give what it should
        ├── SourceUnavailable it does not answer: wait and try again
        ├── SourceRefused     it answers «no»: mend the key, the address or the request
        └── SourceChanged     it answers something else: a developer must look

Every command line turns a HouseError into exit code 2 and one line on stderr; nothing else is caught there.
"""


class HouseError(Exception):
    """Anything that the house can explain in one sentence."""


class InputError(HouseError):
    """Input that a person can mend. The message names file, place and remedy."""


class ConfigError(InputError):
    """A wrong or missing setting in config/<city>/."""


class ToldInBoth(InputError):
    """What a person on a page can mend: a sentence per language, and `str` is the one of `tells`."""

    tells = "vi"

    def __init__(self, vietnamese: str, english: str) -> None:
        self._said = {"vi": vietnamese, "en": english}
        super().__init__(self.words(self.tells))

    def words(self, language: str) -> str:
        """The sentence in `vi` or `en`."""
        return self._said["en" if language == "en" else "vi"]


class StoreError(HouseError):
    """The store cannot be opened, read or written."""


class StoreBusy(StoreError):
    """Another process owns the store file."""


class SourceError(HouseError):
    """A source of data failed. The message never holds a secret or a full URL."""


class SourceUnavailable(SourceError):
    """No answer, a time-out, a 5xx or a 429. `retry_after_s` is the wait that the source asked for, if it did."""

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class SourceRefused(SourceError):
    """401, 403, 404 or an error body: asking again will not help until somebody mends the request."""


class SourceChanged(SourceError):
    """The reply is not what the interface promises (HTML for JSON, a missing field, an unknown unit)."""

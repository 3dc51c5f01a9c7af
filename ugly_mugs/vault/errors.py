"""What can go wrong with a key or a sealed thing; no message here ever holds a key or a text."""


class VaultError(Exception):
    """Something the vault refuses or cannot do."""


class CannotOpen(VaultError):
    """Wrong key, wrong place or changed bytes: one error, no detail, so that it teaches a thief nothing."""

    def __init__(self) -> None:
        super().__init__("This cannot be opened with this key at this place.")


class WrongPlace(VaultError):
    """A place to seal for that is not complete, for example a row that has no id yet."""


class TooLong(VaultError):
    """The text does not fit into the largest size allowed here; `limit` is the most it may hold, in bytes."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"Only {limit} bytes fit here.")
        self.limit = limit


class KeyFileProblem(VaultError):
    """A key file that is missing, readable by the wrong people or damaged; the message says what to do."""


class Busy(VaultError):
    """Too many sign-ins at this moment: nothing was tried, and the same request may be sent again."""

    def __init__(self) -> None:
        super().__init__("Too many sign-ins at this moment.")


class UnknownWord(VaultError):
    """A word that is not in the list; `position` counts from one, `suggestions` are at most three like it."""

    def __init__(self, word: str, position: int, suggestions: list[str]) -> None:
        super().__init__(f"Word {position} is not in the list.")
        self.word = word
        self.position = position
        self.suggestions = suggestions


class WrongLength(VaultError):
    """Too few or too many words (or, when only digits were typed, too few or too many digits)."""

    def __init__(self, *, expected: int, found: int, digits: bool = False) -> None:
        super().__init__(f"Expected {expected} {'digits' if digits else 'words'}, found {found}.")
        self.expected = expected
        self.found = found
        self.digits = digits


class SwappedKey(VaultError):
    """A public key in the database that this service never wrote there: nothing may be sealed to it."""

    def __init__(self) -> None:
        super().__init__("A public key in the database does not carry this service's mark.")

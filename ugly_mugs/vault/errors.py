"""Errors of the vault; no message holds a key or a sealed text."""


class VaultError(Exception):
    """Base of the vault's errors."""


class CannotOpen(VaultError):
    """Wrong key, wrong place or changed bytes: one error without detail, so that an attacker learns nothing from it."""

    def __init__(self) -> None:
        super().__init__("This cannot be opened with this key at this place.")


class WrongPlace(VaultError):
    """A `Where` that is not complete, for example because the row has no id yet."""


class TooLong(VaultError):
    """The text does not fit into the largest allowed size; `limit` is the maximum in bytes."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"Only {limit} bytes fit here.")
        self.limit = limit


class KeyFileProblem(VaultError):
    """A key file is missing, readable by the wrong users or damaged; the message says what to do."""


class Busy(VaultError):
    """Too many sign-ins at once: no passphrase was checked, and the same request may be sent again."""

    def __init__(self) -> None:
        super().__init__("Too many sign-ins at this moment.")


class UnknownWord(VaultError):
    """A word that is not in the list; `position` counts from one, `suggestions` holds up to three similar words."""

    def __init__(self, word: str, position: int, suggestions: list[str]) -> None:
        super().__init__(f"Word {position} is not in the list.")
        self.word = word
        self.position = position
        self.suggestions = suggestions


class WrongLength(VaultError):
    """Too few or too many words, or digits (`digits=True`) if only digits were typed."""

    def __init__(self, *, expected: int, found: int, digits: bool = False) -> None:
        super().__init__(f"Expected {expected} {'digits' if digits else 'words'}, found {found}.")
        self.expected = expected
        self.found = found
        self.digits = digits


class SwappedKey(VaultError):
    """The database holds a public key without this service's MAC: nothing may be sealed to it."""

    def __init__(self) -> None:
        super().__init__("A public key in the database does not carry this service's mark.")

"""Languages that no installation can offer yet: what happens once there is a second one."""

import pytest

from ugly_mugs.languages import LANGUAGES, Language

PORTUGUESE = Language("pt", "pt_PT", "Português", spares_accents=True)
ROMANIAN = Language("ro", "ro_RO", "Română", spares_accents=True)
WELSH = Language("cy", "cy_GB", "Cymraeg")


def add_languages(patch: pytest.MonkeyPatch, *languages: Language) -> None:
    """As a line for each in the list would; they have no catalogue, so the service's own words stay English."""
    for language in languages:
        patch.setitem(LANGUAGES, language.code, language)

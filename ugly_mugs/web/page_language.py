"""The language of the current page, and drawing a text in another one."""

from contextlib import AbstractContextManager

from flask_babel import force_locale, get_locale

from ugly_mugs.languages import LANGUAGES


def page_language() -> str:
    """The code of the language that the current page is in, such as `en`."""
    locale = str(get_locale())
    return next((code for code, language in LANGUAGES.items() if language.locale == locale), locale)


def in_language(code: str) -> AbstractContextManager[None]:
    """A context in which texts are drawn in this language, whatever the language of the current request."""
    locale = LANGUAGES[code].locale if code in LANGUAGES else code
    context: AbstractContextManager[None] = force_locale(locale)
    return context

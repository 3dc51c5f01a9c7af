"""The forms for joining, signing in, preferences and addresses."""

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext, lazy_gettext as _
from flask_babel.speaklater import LazyString
from marshmallow import Schema, ValidationError, post_load, validates_schema

from alerts.membership import choices as offered
from alerts.membership.consent_wordings import WORDINGS
from ugly_mugs.outbox.models import Channel
from ugly_mugs.text import identifiers
from ugly_mugs.text.identifiers import IdentifierKind, NotAnIdentifier
from ugly_mugs.web import form_fields as ask

REGIONS = _("Where do you work?")
SECTORS = _("What kind of work?")
SECTORS_HINT = _("You may leave this out. It helps us send you what concerns you.")
LEVEL = _("How much may a message say?")
WAKE = _("May we wake you for danger?")
LANGUAGE = _("In which language shall we write?")
ADULTS_ONLY = _("This service is for people of 18 and over. Please tick this if you are.")


class JoinSchema(Schema):
    token = ask.hidden()
    working_name = ask.line(
        _("A name for us to know you by"),
        longest=60,
        required=True,
        hint=_("A working name is fine. It is locked; only those who look at requests can read it."),
    )
    kind = ask.choice(_("Who are you?"), offered.KINDS, required=True)
    phone = ask.phone(
        _("Mobile number"), hint=_("A mobile of the UK, Ireland, Jersey, Guernsey or the Isle of Man.")
    )
    sms = ask.tick(WORDINGS[Channel.SMS].text)
    email = ask.email(_("E-mail address"))
    mail = ask.tick(WORDINGS[Channel.EMAIL].text)
    regions = ask.choices(REGIONS, offered.regions, required=True, hint=_("As many as you like."))
    sectors = ask.choices(SECTORS, offered.SECTORS, hint=SECTORS_HINT)
    language = ask.choice(LANGUAGE, offered.languages, widget="select")
    level = ask.choice(LEVEL, offered.LEVELS, required=True)
    wake = ask.yes_no(WAKE, required=True, hint=LazyString(offered.about_waking))
    adult = ask.YesNo(
        **ask.drawn(_("I am 18 or older."), "checkbox", required=True),
        error_messages={"required": ADULTS_ONLY},
    )

    @validates_schema(skip_on_field_errors=False)
    def can_be_reached(self, answers: Mapping[str, Any], **_kwargs: Any) -> None:
        problems: dict[str, list[str]] = {}
        if answers.get("phone"):
            _judge(problems, "phone", Channel.SMS, answers["phone"])
        elif answers.get("sms"):
            problems["phone"] = [
                gettext("You ticked texts. Please give a mobile number, or take the tick away.")
            ]
        if answers.get("email"):
            _judge(problems, "email", Channel.EMAIL, answers["email"])
        elif answers.get("mail"):
            problems["email"] = [
                gettext("You ticked e-mails. Please give an address, or take the tick away.")
            ]
        if not problems and not answers.get("phone") and not answers.get("email"):
            problems["phone"] = [gettext("Please give a mobile number, an e-mail address, or both.")]
        if answers.get("adult") is False:
            problems["adult"] = [str(ADULTS_ONLY)]
        if problems:
            raise ValidationError(problems)

    @post_load
    def normalise(self, answers: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
        phone, email = answers["phone"], answers["email"]
        return {
            **answers,
            "phone": identifiers.mobile(phone) if phone else None,
            "email": identifiers.email(email) if email else None,
        }


class SignInSchema(Schema):
    token = ask.hidden()
    address = ask.line(
        _("Your mobile number or e-mail address"),
        longest=254,
        required=True,
        hint=_("The one you gave when you joined. We send a code to it."),
    )

    @post_load
    def normalise(self, answers: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
        channel, address = read_address(answers["address"])
        return {**answers, "channel": channel, "address": address}


class CodeSchema(Schema):
    code = ask.line(
        _("The six digits we sent"),
        longest=20,
        required=True,
        inputmode="numeric",
        autocomplete="one-time-code",
    )


class AddressSchema(Schema):
    address = ask.line(_("New mobile number or e-mail address"), longest=254, required=True)

    @post_load
    def normalise(self, answers: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
        channel, address = read_address(answers["address"])
        return {**answers, "channel": channel, "address": address}


class PreferencesSchema(Schema):
    sms = ask.tick(WORDINGS[Channel.SMS].text)
    mail = ask.tick(WORDINGS[Channel.EMAIL].text)
    regions = ask.choices(REGIONS, offered.regions, required=True, hint=_("As many as you like."))
    sectors = ask.choices(SECTORS, offered.SECTORS, hint=SECTORS_HINT)
    language = ask.choice(LANGUAGE, offered.languages, widget="select")
    level = ask.choice(LEVEL, offered.LEVELS, required=True)
    wake = ask.yes_no(WAKE, required=True, hint=LazyString(offered.about_waking))


TICKS: Mapping[Channel, str] = {Channel.SMS: "sms", Channel.EMAIL: "mail"}
"""The form field of each channel's consent."""


def read_address(typed: str) -> tuple[Channel, str]:
    """The channel of an address, and the address normalised; raises ValidationError."""
    channel = Channel.EMAIL if "@" in typed else Channel.SMS
    problems: dict[str, list[str]] = {}
    written = _judge(problems, "address", channel, typed)
    if written is None:
        raise ValidationError(problems)
    return channel, written


def mask(channel: Channel, address: str) -> str:
    """The address partly hidden; enough for the person who typed it to notice a mistake."""
    kind = IdentifierKind.EMAIL if channel is Channel.EMAIL else IdentifierKind.PHONE
    return identifiers.mask(kind, address)


def _judge(problems: dict[str, list[str]], name: str, channel: Channel, typed: str) -> str | None:
    """The address normalised; None, with the reason added to `problems`, when it is not valid."""
    try:
        return identifiers.email(typed) if channel is Channel.EMAIL else identifiers.mobile(typed)
    except NotAnIdentifier as reason:
        problems[name] = [str(reason)]
        return None

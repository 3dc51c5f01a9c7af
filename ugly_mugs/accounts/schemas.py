"""The forms for staff: signing in, joining, inviting, and passphrases."""

from flask_babel import lazy_gettext as _
from marshmallow import Schema

from ugly_mugs.accounts.models import Role
from ugly_mugs.accounts.permissions import OFFERED_ROLES
from ugly_mugs.web import form_fields as ask

ROLE_NAMES = {
    Role.MODERATOR: (
        _("Moderator"),
        _("Reads reports, takes out what could point to somebody, drafts warnings"),
    ),
    Role.CASEWORKER: (_("Caseworker"), _("Reads reports and talks with the people who sent them")),
    Role.APPROVER: (_("Approver"), _("Lets a warning go out that somebody else has written")),
    Role.RELEASER: (_("Releaser"), _("Lets information go to the police, when that was asked for")),
    Role.MEMBER_ADMIN: (_("Member admin"), _("Decides who gets warnings")),
    Role.ADMINISTRATOR: (_("Administrator"), _("Invites people and sets things up; reads no report")),
    Role.AUDITOR: (_("Auditor"), _("Sees who did what; reads no report")),
    Role.ORGANISATION_WORKER: (_("Organisation worker"), _("Works at another organisation")),
}

ROLE_CHOICES = tuple((role.value, *ROLE_NAMES[role]) for role in OFFERED_ROLES)

CODE = _("Six digits from your authenticator")


class SignInSchema(Schema):
    token = ask.hidden()
    login = ask.line(_("Your name here"), longest=64, required=True, autocomplete="username")
    passphrase = ask.passphrase(_("Your passphrase"), required=True, autocomplete="current-password")
    code = ask.line(CODE, longest=20, required=True, inputmode="numeric", autocomplete="one-time-code")


class InvitationSchema(Schema):
    token = ask.hidden()
    invitation = ask.line(
        _("Your invitation code"),
        longest=60,
        required=True,
        hint=_("Four groups of four letters and digits."),
    )


class AuthenticatorSchema(Schema):
    token = ask.hidden()
    code = ask.line(CODE, longest=20, required=True, inputmode="numeric", autocomplete="one-time-code")


class FingerprintSchema(Schema):
    words = ask.line(_("The six words you heard"), longest=200, required=True)


class PassphraseSchema(Schema):
    passphrase = ask.passphrase(_("Your passphrase"), required=True, autocomplete="current-password")


class NewPassphraseSchema(Schema):
    passphrase = ask.passphrase(_("The new six words"), required=True, autocomplete="new-password")


class InviteSchema(Schema):
    login = ask.line(
        _("A name for signing in"), longest=64, required=True, hint=_("It need not be their real name.")
    )
    roles = ask.choices(_("What will they do?"), ROLE_CHOICES, required=True)

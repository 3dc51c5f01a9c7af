"""Alerts as a kind of output for reporting: the labels and links of reporting's pages."""

from flask import url_for
from flask_babel import lazy_gettext as _

from alerts.publishing.models import ALERT_OUTPUT
from reporting.record.consents import Consent
from reporting.record.models import OutputState
from reporting.record.output_kinds import CreateAction, DeskWords, OutputKindSpec, ReporterWords, Sentences
from ugly_mugs.accounts.permissions import Permission

_REPORTER = ReporterWords(
    heading=_("Warning others"),
    none_made=_("No warning has been written yet. Not every report becomes one."),
    not_allowed=_("You have not said yes to a warning, so none is made."),
    states={
        OutputState.PROPOSED: Sentences(
            _("A warning is being written. Two people have to agree on its words before it leaves."),
            held=_("A warning is being written. It waits: when its words are settled, you will see it here."),
        ),
        OutputState.APPROVED: Sentences(
            _("This warning is ready and leaves soon."),
            held=_("This warning is ready. It waits for you and will not leave before you let it go."),
            not_before=_("This warning is ready. It will not leave before %(day)s."),
        ),
        OutputState.RELEASED: Sentences(
            _("This warning is on its way. What has left cannot be called back."),
            held=_("You stopped this warning. What had left cannot be called back; nothing more leaves."),
        ),
        OutputState.ENDED: Sentences(_("This warning has ended.")),
        OutputState.WITHDRAWN: Sentences(
            _("This warning was taken back because you changed what you allow. Nothing more leaves.")
        ),
    },
    texts={
        "sms": _("As a text message"),
        "email": _("As an e-mail"),
        "page": _("On the page that members read"),
    },
    on_withdrawal=_(
        "A warning that is being made is stopped. One that is on its way ends, and members only see that it ended."
    ),
)

_DESK = DeskWords(
    heading=_("Alerts made from it"),
    title=_("Alert %(number)s"),
    states={
        OutputState.PROPOSED: Sentences(
            _("Being written."), held=_("Being written. The reporter will be asked first.")
        ),
        OutputState.APPROVED: Sentences(_("Approved."), held=_("Approved. It waits for the reporter.")),
        OutputState.RELEASED: Sentences(
            _("It has left."), held=_("Sent in part, then stopped by the reporter.")
        ),
        OutputState.ENDED: Sentences(_("Ended.")),
        OutputState.WITHDRAWN: Sentences(_("Taken back by the reporter.")),
    },
    next_step=_("An alert was made from it. When nothing is left to do here, settle the report."),
    settling_message=_(
        "Thank you for telling us. A warning was made from your report; you can see here how far it is. We have "
        "now finished with it. If something new comes up, add it here and we look again."
    ),
)

ALERT = OutputKindSpec(
    kind=ALERT_OUTPUT,
    rests_on=Consent.WARN_OTHERS,
    page_of=lambda alert_id: url_for("publishing.alert", alert_id=alert_id),
    permission=Permission.SEE_DRAFTS,
    reporter=_REPORTER,
    desk=_DESK,
    create_action=CreateAction(
        endpoint="publishing.new",
        permission=Permission.DRAFT,
        button=_("Write an alert"),
        hide_words=_(
            "Read it. Then hide the words that could point to the reporter, so that an alert can be made."
        ),
        if_unwanted=_("If no alert should come of it, settle or decline it at the end of this page."),
        ready=_("The text is settled. Now an alert can be written from it."),
    ),
)

"""What to do when the SMS provider says no: its error codes and HTTP answers as one action each.

Which code means which action is data (`ugly_mugs/data/twilio_codes.csv`), so a new one changes nothing here.
"""

import csv
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from importlib.resources import files


class Action(StrEnum):
    OPT_OUT = "opt_out"
    """The person wants no more: suppress the address, never send again."""
    BAD_ADDRESS = "bad_address"
    """Nothing reaches this address: mark it invalid and ask the member to prove it again."""
    LATER = "later"
    """Certainly not sent: safe to try again after a pause."""
    AGAIN_AFTER_ACCEPTANCE = "again_after_acceptance"
    """Accepted and then failed: one or two later attempts while the alert lives."""
    AMBIGUOUS = "ambiguous"
    """It may have gone: unknown, to be reconciled, never blindly sent again."""
    CONTENT = "content"
    """The words were refused: when many are, pause the alert and tell the moderators."""
    SENDER = "sender"
    """Our account or sender is at fault: open the channel's circuit, call the operator, keep rows queued."""
    FALL_BACK_TO_SMS = "fall_back_to_sms"
    """The other channel declined: send it as SMS."""
    EXPIRED = "expired"
    """Its time was over before it left; final and free."""
    FINAL = "final"
    """This attempt failed and nothing more is known: never send again by itself."""


@cache
def _table() -> Mapping[int, Action]:
    with (files("ugly_mugs") / "data" / "twilio_codes.csv").open(encoding="utf-8") as lines:
        return {int(row["code"]): Action(row["action"]) for row in csv.DictReader(lines)}


def action_for(code: int | None, http_status: int | None = None) -> Action:
    """The action for an error code, the HTTP status it came with, or both; neither: no answer came at all.

    A status callback has a code only. The status decides where it must: any 5xx is ambiguous whatever the
    body says, a 429 was never processed. A refusal (401, 403, 404) without any code is not about the message
    but about the account, the address of the API or something in between. An unknown code is final.
    """
    if code is None and http_status is None:
        return Action.AMBIGUOUS
    if http_status is not None and http_status >= 500:
        return Action.AMBIGUOUS
    if http_status == 429:
        return Action.LATER
    if code is None:
        return Action.SENDER if http_status in (401, 403, 404) else Action.FINAL
    return _table().get(code, Action.FINAL)

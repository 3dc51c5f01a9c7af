"""The SMS provider's error codes and HTTP statuses, each mapped to one action.

The codes are data (`ugly_mugs/data/twilio_codes.csv`), so a new code needs no change here.
"""

import csv
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from importlib.resources import files


class Action(StrEnum):
    OPT_OUT = "opt_out"
    """The person has opted out: suppress the address, never send again."""
    BAD_ADDRESS = "bad_address"
    """Nothing reaches this address: mark it invalid and ask the member to prove it again."""
    LATER = "later"
    """Certainly not sent: safe to try again after a pause."""
    AGAIN_AFTER_ACCEPTANCE = "again_after_acceptance"
    """Accepted and then failed: one or two later attempts before the message expires."""
    AMBIGUOUS = "ambiguous"
    """It may have been sent: unknown, to be reconciled, never sent again without proof."""
    CONTENT = "content"
    """The text was refused: pause the alert and tell the moderators."""
    SENDER = "sender"
    """Our account or sender is at fault: open the channel's circuit, log an error, keep rows queued."""
    FALL_BACK_TO_SMS = "fall_back_to_sms"
    """The other channel declined: send it as SMS."""
    EXPIRED = "expired"
    """It expired before it was sent; final and free of charge."""
    FINAL = "final"
    """This attempt failed and nothing more is known: never send again automatically."""


@cache
def _table() -> Mapping[int, Action]:
    with (files("ugly_mugs") / "data" / "twilio_codes.csv").open(encoding="utf-8") as lines:
        return {int(row["code"]): Action(row["action"]) for row in csv.DictReader(lines)}


def action_for(code: int | None, http_status: int | None = None) -> Action:
    """The action for an error code, the HTTP status it came with, or both; with neither, no answer came at all.

    A status callback has a code only. Some statuses decide alone: any 5xx is ambiguous whatever the body says, and
    a 429 was never processed. 401, 403 or 404 without a code concerns the account, the API address or a proxy, not
    the message. An unknown code is final.
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

"""Invented reports for the demo, filed by the same service as real ones."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from reporting.filing import batch_commit
from reporting.filing.submission import Submission, new_receipt
from reporting.record.consents import from_answers
from reporting.record.models import Source
from reporting.record.schemas import SECTIONS
from ugly_mugs.operations.demo import Scene

# Invented people; the numbers are from the range Ofcom reserves for drama.
REPORTS: Sequence[Mapping[str, Any]] = (
    {
        "happened": {
            "account": "He booked as Daniel and was friendly on the phone. At the flat he locked the door, put the "
            "key in his pocket and would not let me leave for an hour. I got out when the neighbour rang. "
            "My friend Wren waited at the corner. He said he has done this before.",
            "types": ["kept", "threats"],
            "still_going_on": "no",
        },
        "offenders": [
            {
                "relation": "client",
                "names": ["Daniel"],
                "phones": ["07700 900461"],
                "age": "30_34",
                "height": "tall",
                "hair": "short, dark",
                "accent": "northern",
                "vehicle": "grey estate car",
            }
        ],
        "place": {"place": "Leeds"},
        "when": {"roughly": "last weekend"},
        "warn_others": {"warn_others": True, "when": "asap"},
        "contact_me": {"contact_me": False},
        "about_you": {"working_names": ["Robin"], "phones": ["07700 900118"]},
    },
    {
        "happened": {
            "account": "He took the money back out of my bag when he thought I did not look, and ran. "
            "I only want others to know.",
            "types": ["robbery"],
        },
        "offenders": [{"relation": "client", "phones": ["07700 900467"], "clothing": "blue rain jacket"}],
        "place": {"place": "Bristol"},
        "warn_others": {"warn_others": True, "when": "after_seen"},
        "contact_me": {},
        "about_you": {"call_you": "Jay"},
    },
    {
        "happened": {
            "account": "He wrote many messages, wanted pictures, and never came. I do not want anything done, "
            "only to have said it.",
            "types": ["time_waster"],
        },
        "offenders": [{"emails": ["someone.else@example.org"]}],
        "place": {"place": "Cardiff"},
        "warn_others": {"warn_others": False},
        "contact_me": {},
        "about_you": {},
    },
)


def invent_reports(scene: Scene) -> None:
    """The oldest first, one each day before today; the visitor gets the receipt of each."""
    for days_ago, report in zip(range(len(REPORTS) - 1, -1, -1), REPORTS, strict=True):
        moment = scene.now - timedelta(days=days_ago, hours=2)
        consents = from_answers(report["warn_others"], report["contact_me"], language="en", day=moment.date())
        submission = Submission(
            receipt=new_receipt(scene.vault, scene.now),
            source=Source.REPORTER,
            sections={
                name: SECTIONS[name](many=name == "offenders").load(typed) for name, typed in report.items()
            },
            consents=consents,
            moment=moment,
        )
        scene.filed.append(batch_commit.file(submission, vault=scene.vault).report_id)
        scene.reports.append({"receipt": submission.receipt.words, "place": report["place"]["place"]})

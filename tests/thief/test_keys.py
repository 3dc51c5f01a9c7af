"""(e) What opens with which keys is exactly what `docs/threat-model.md` says, and nothing else."""

import json
import re
from uuid import UUID

import pytest

from tests.rules import columns
from tests.thief.haul import Haul, id_of
from tests.thief.keyring import Holding, columns_of, opened, rows_of, sealed_values
from tests.thief.scenes import Scene
from ugly_mugs.vault import Receipt, ServiceFile, ServiceVault, Where, WorkerFile, content
from ugly_mugs.vault.keys import keyfiles

# Nothing opens with the database alone. Each of the others opens this, and what those above it open.
SERVICE = {"alerts.contents", "alert_texts.text", "reports.facets", "staff.name", "staff.totp_secret"}
WORKER = {"addresses.handed", "addresses.sealed", "deliveries.body", "requests.sealed"}
REPORT = {
    "outputs.preview",
    "redactions.contents",
    "report_messages.text",
    "report_parts.sections",
    "reports.consents",
    "reports.head",
}
OWN_KEY = {"staff.private_key", "key_seals.sealed"}
DRAFTS = {"draft_keys.wrapped", "alerts.returned"}

# Under which keys, in the words of the threat model, lies what a thief of the disk can open, and of both disks.
OF_SERVICE = {"rest", "draft key, then rest"}
OF_WORKER = {"contacts", "dispatch key"}
# No page of today's writes these.
NEVER_WRITTEN = {"organisations.name"}


def service(scene: Scene) -> ServiceFile:
    return keyfiles.load_service(scene.stack.keys)


def worker(scene: Scene) -> WorkerFile:
    return keyfiles.load_worker(scene.stack.keys)


def passphrase(scene: Scene, place: int) -> tuple[str]:
    return (scene.walked.passphrases[scene.canaries.logins[place]],)


def report_of(scene: Scene, receipt: str) -> dict[str, object]:
    locator = ServiceVault(service(scene)).receipts.locator(Receipt.parse(receipt))
    return next(row for row in scene.haul.rows["reports"] if row["locator"] == locator)


def approved(haul: Haul) -> set[UUID]:
    return {id_of(row["id"]) for row in haul.rows["alerts"] if row["approval"] is not None}


class TestThieves:
    def test_the_database_opens_nothing(self, scene: Scene) -> None:
        assert opened(scene.haul, Holding()) == {}

    def test_the_service_file_opens_published_alerts_facets_and_the_staffs_names_and_second_factors(
        self, scene: Scene
    ) -> None:
        found = opened(scene.haul, Holding(service(scene)))

        assert columns_of(found) == SERVICE
        assert rows_of(found, "alerts.contents") == approved(scene.haul)
        texts = {id_of(row["id"]): id_of(row["alert_id"]) for row in scene.haul.rows["alert_texts"]}
        assert {texts[row] for row in rows_of(found, "alert_texts.text")} == approved(scene.haul)

    def test_the_workers_file_opens_addresses_and_what_waits_for_the_worker(self, scene: Scene) -> None:
        found = opened(scene.haul, Holding(service(scene), worker(scene)))

        assert columns_of(found) == SERVICE | WORKER
        inside = b" ".join(found.values()).decode("latin-1")
        assert all(phone in inside for phone in (scene.canaries.member_phone, scene.canaries.late_phone))

    def test_there_are_drafts_and_published_alerts_that_could_have_been_opened(self, scene: Scene) -> None:
        states = {row["state"] for row in scene.haul.rows["alerts"]}

        assert {"draft", "submitted", "live", "superseded"} <= states

    def test_the_columns_are_those_of_the_threat_model(self, scene: Scene) -> None:
        declared = re.findall(
            r"^\| `(\w+)` \| `(\w+)` \| sealed: (.+) \|$", columns.PAGE.read_text("utf-8"), re.M
        )
        page = {f"{table}.{column}": under for table, column, under in declared}

        assert {column for column, under in page.items() if under in OF_SERVICE} == SERVICE | NEVER_WRITTEN
        assert {column for column, under in page.items() if under in OF_WORKER} == WORKER
        assert columns_of(sealed_values(scene.haul)) == page.keys() - NEVER_WRITTEN


class TestPeople:
    def test_a_receipt_opens_exactly_its_report(self, scene: Scene) -> None:
        for receipt in (scene.walked.receipt, scene.walked.other_receipts[1]):
            found = opened(scene.haul, Holding(service(scene), receipts=(receipt,)))
            mine = id_of(report_of(scene, receipt)["id"])
            more = columns_of(found) - SERVICE

            assert {"reports.receipt_wrap", "reports.head", "report_parts.sections"} <= more
            assert more <= REPORT | {"reports.receipt_wrap"}
            assert rows_of(found, "reports.receipt_wrap", "reports.head", "reports.consents") == {mine}
            for table in ("outputs", "redactions", "report_messages", "report_parts"):
                rows = scene.haul.rows[table]
                of_mine = {id_of(row["id"]) for row in rows if id_of(row["report_id"]) == mine}
                assert {each.where.row for each in found if each.where.table == table} == of_mine

    def test_the_receipt_of_a_withdrawn_report_opens_nothing(self, scene: Scene) -> None:
        found = opened(scene.haul, Holding(service(scene), receipts=(scene.walked.other_receipts[0],)))

        assert columns_of(found) == SERVICE

    def test_a_moderators_passphrase_opens_every_report_and_every_draft(self, scene: Scene) -> None:
        found = opened(scene.haul, Holding(service(scene), passphrases=passphrase(scene, 0)))

        assert columns_of(found) == SERVICE | REPORT | OWN_KEY | DRAFTS | {"reports.desk_wrap"}
        there = {id_of(row["id"]) for row in scene.haul.rows["reports"] if row["desk_wrap"] is not None}
        assert rows_of(found, "reports.head") == there
        assert rows_of(found, "alerts.contents") == {id_of(row["id"]) for row in scene.haul.rows["alerts"]}
        assert any(scene.canaries.first.account.encode() in plain for plain in found.values())
        assert len(rows_of(found, "staff.private_key")) == len(rows_of(found, "key_seals.sealed")) == 1

    def test_a_member_admins_passphrase_opens_working_names_and_no_report(self, scene: Scene) -> None:
        found = opened(scene.haul, Holding(service(scene), passphrases=passphrase(scene, 2)))

        assert columns_of(found) == SERVICE | OWN_KEY | {"members.working_name"}
        names = {plain.decode() for each, plain in found.items() if each.column == "members.working_name"}
        assert names == {scene.canaries.member_name, scene.canaries.stopper_name, scene.canaries.late_name}

    def test_a_passphrase_or_a_receipt_opens_nothing_without_the_service_file(self, scene: Scene) -> None:
        holding = Holding(passphrases=passphrase(scene, 0), receipts=(scene.walked.receipt,))

        assert opened(scene.haul, holding) == {}

    def test_only_the_last_words_on_paper_open_the_epochs(self, scene: Scene) -> None:
        *used, last = scene.walked.recovery_words

        assert opened(scene.haul, Holding(recovery_words=tuple(used))) == {}
        found = opened(scene.haul, Holding(recovery_words=(last,)))
        assert columns_of(found) == REPORT | {"key_seals.sealed", "reports.desk_wrap", "members.working_name"}


class TestDefects:
    def test_a_content_key_wrapped_under_the_service_root_as_well_is_found(self, scene: Scene) -> None:
        vault, haul = ServiceVault(service(scene)), scene.haul.copy()
        mine = id_of(report_of(scene, scene.walked.receipt)["id"])
        row = next(each for each in haul.rows["reports"] if id_of(each["id"]) == mine)
        receipt = Receipt.parse(scene.walked.receipt)
        place = Where("reports", "receipt_wrap", mine)
        key = content.unwrap_with_receipt(vault.receipts, receipt, row["receipt_wrap"], place)
        row["desk_wrap"] = vault.seal_rest(key, Where("reports", "desk_wrap", mine), sizes=(64,))

        found = opened(haul, Holding(service(scene)))

        assert columns_of(found) == SERVICE | REPORT | {"reports.desk_wrap"}
        assert rows_of(found, "reports.head") == {mine}

    @pytest.mark.parametrize("written", [bytes.hex, lambda key: json.dumps({"key": key.hex()})])
    def test_a_key_written_down_inside_something_else_is_found(self, scene: Scene, written: object) -> None:
        vault, haul = ServiceVault(service(scene)), scene.haul.copy()
        assert callable(written)
        seed = worker(scene).dispatch_seed
        row = haul.rows["staff"][0]
        place = Where("staff", "name", id_of(row["id"]))
        row["name"] = vault.seal_rest(written(seed).encode(), place, sizes=(1_024,))

        assert columns_of(opened(haul, Holding(service(scene)))) == SERVICE | {
            "addresses.handed",
            "requests.sealed",
        }

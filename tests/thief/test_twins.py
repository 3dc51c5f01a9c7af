"""(c) Two installations in which the same was done with other words cannot be told apart."""

from tests.thief.haul import Haul, id_of
from tests.thief.scenes import Scene
from tests.thief.twins import CHANGED, HEAPS, differences
from ugly_mugs.vault import Where, symmetric


def told_apart(scene: Scene, twin: Scene, one: Haul, other: Haul) -> list[str]:
    heaps = HEAPS | CHANGED if scene.stack.kind == "postgresql" else HEAPS
    began, other_began = scene.walked.began, twin.walked.began
    return differences(one, other, began=began, other_began=other_began, heaps=heaps)


def test_two_journeys_with_other_words_leave_the_same_rows_sizes_and_order(scene: Scene, twin: Scene) -> None:
    assert scene.canaries != twin.canaries
    assert told_apart(scene, twin, scene.haul, twin.haul) == []


def test_a_text_sealed_without_padding_is_found(scene: Scene, twin: Scene) -> None:
    assert told_apart(scene, twin, unpadded(scene), unpadded(twin)) == ["report_parts.sections"]


def test_rows_in_an_order_that_depends_on_words_are_found(scene: Scene, twin: Scene) -> None:
    haul = scene.haul.copy()
    haul.rows["staff_roles"].reverse()

    assert told_apart(scene, twin, haul, twin.haul) == ["staff_roles: another order"]


def test_a_row_more_is_found(scene: Scene, twin: Scene) -> None:
    haul = scene.haul.copy()
    haul.rows["identifier_tags"].append(dict(haul.rows["identifier_tags"][0]))

    assert "identifier_tags.kind" in told_apart(scene, twin, haul, twin.haul)


def unpadded(scene: Scene) -> Haul:
    """One text of each sealed as long as it is."""
    haul = scene.haul.copy()
    row, plain = haul.rows["report_parts"][0], scene.canaries.first.account.encode()
    place = Where("report_parts", "sections", id_of(row["id"]))
    row["sections"] = symmetric.seal(symmetric.new_key(), plain, place, sizes=(4 + len(plain),))
    return haul

"""The report form: what it says before its first field, and what it never needs."""

from flask.testing import FlaskClient

from tests.benchmarks.filing import PAGE_BAR, weigh
from tests.make.pages import Drawn, plain_words
from tests.make.reporter import open_form


def before_the_form(client: FlaskClient) -> str:
    return plain_words(client.get("/report").text.partition("<form")[0])


def test_it_says_first_who_to_call_also_silently_and_by_text(client: FlaskClient) -> None:
    words = before_the_form(client)

    assert "not an emergency service" in words
    assert "999" in words
    assert "55" in words
    assert "text 999" in words


def test_it_says_first_when_somebody_is_at_the_desk(client: FlaskClient) -> None:
    assert "Monday to Friday, 10:00 to 18:00" in before_the_form(client)


def test_it_says_first_what_confidentiality_means_and_its_exceptions(client: FlaskClient) -> None:
    words = before_the_form(client)

    for exception in ("a child is at risk", "life is in danger", "a court orders"):
        assert exception in words


def test_it_says_first_that_immigration_status_is_never_asked(client: FlaskClient) -> None:
    assert "never ask about your immigration status" in before_the_form(client)


def test_only_what_happened_has_to_be_answered(client: FlaskClient) -> None:
    page = Drawn(client.get("/report").text)

    needed = [held["name"] for tag, held in page.elements if "aria-required" in held]

    assert needed == ["happened.account"]


def test_nothing_is_chosen_beforehand(client: FlaskClient) -> None:
    page = Drawn(client.get("/report").text)

    assert not [held for tag, held in page.elements if "checked" in held or "selected" in held]


def test_it_sets_no_cookie_and_needs_none(client: FlaskClient) -> None:
    assert "Set-Cookie" not in client.get("/report").headers


def test_every_list_lets_people_not_know_and_not_say(client: FlaskClient) -> None:
    page = client.get("/report").text

    lists = [each.partition("</select>")[0] for each in page.split("<select")[1:]]

    # How to contact somebody is not a question of fact: leaving it open says as much.
    asked = [each for each in lists if 'name="contact_me.how"' not in each]
    assert asked
    assert all('value="dont_know"' in each and 'value="rather_not"' in each for each in asked)


def test_each_form_has_a_token_of_its_own(client: FlaskClient) -> None:
    assert len({open_form(client) for _ in range(20)}) == 20


def test_the_drawn_once_page_is_the_same_in_one_piece_and_compressed(client: FlaskClient) -> None:
    import gzip  # noqa: PLC0415  only this test looks inside

    plain = client.get("/report")
    squeezed = client.get("/report", headers={"Accept-Encoding": "gzip"})

    opened = gzip.decompress(squeezed.data).decode()
    token = opened.split('name="token" value="')[1].partition('"')[0]
    other = plain.text.split('name="token" value="')[1].partition('"')[0]
    assert squeezed.headers["Content-Encoding"] == "gzip"
    assert opened.replace(token, other) == plain.text


def test_it_shows_a_sample_marked_as_one(client: FlaskClient) -> None:
    assert "only a sample" in plain_words(client.get("/report").text)


def test_it_says_what_who_you_are_is_used_for(client: FlaskClient) -> None:
    assert "keep it out of the warning" in plain_words(client.get("/report").text)


def test_it_says_that_seeing_a_warning_first_takes_longer(client: FlaskClient) -> None:
    words = plain_words(client.get("/report").text)

    assert "Only after I have seen it" in words
    assert "may take longer" in words


def test_the_page_and_all_it_loads_is_light(client: FlaskClient) -> None:
    assert weigh(client) <= PAGE_BAR

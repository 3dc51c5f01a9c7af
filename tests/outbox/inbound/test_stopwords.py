"""Replies: whoever wants out is out, in any of our languages; nobody is signed on by accident."""

import pytest
from hypothesis import given, strategies as st

from ugly_mugs.outbox.inbound.stopwords import Reply, understood

NOISE = st.text(alphabet=" .!?,\n\u200b\ufeff😀'\"-", max_size=4)


@pytest.mark.parametrize(
    "text",
    [
        "STOP",
        "stop",
        "Stop.",
        "STOPP",
        "Stooop!",
        "STOP STOP",
        "stopstop",
        "S T O P",
        "ＳＴＯＰ",
        "stop please",
        "pls stop",
    ]
    + [
        "please stop texting me",
        "Stop sending me these messages",
        "STOP\nSent from my phone",
        "Stop, I have moved away",
    ]
    + [
        "stop - wrong number, this is not my phone any more",
        "STOPALL",
        "unsubscribe",
        "UNSUBSCRIBE ME",
        "opt out",
        "Opt-out",
    ]
    + [
        "end",
        "Quit",
        "CANCEL",
        "remove my number",
        "Please take me off this list",
        "don't text me",
        "Do not text me again",
    ]
    + ["no more texts", "Sotp", "yes stop", "stop start"]
    + [
        "PARAR",
        "parar por favor",
        "Pare de enviar mensagens",
        "Para",
        "SAIR",
        "não envie mais mensagens",
        "Cancelar",
    ]
    + [
        "Opriți",
        "OPRESTE",
        "stop vă rog",
        "nu mai trimiteți",
        "Vă rog nu îmi mai scrieți",
        "dezabonare",
        "Anulare",
    ]
    + [
        "停止",
        "退订",
        "退訂",
        "请退订",
        "停",
        "停止发送",
        "不要再发了",
        "别再发短信了",
        "我要取消订阅",
        "TD",
    ],
)
def test_these_mean_stop(text: str) -> None:
    assert understood(text) is Reply.STOP


@pytest.mark.parametrize(
    "text", ["START", "start please", "Unstop", "Começar", "iniciar", "Începe", "pornește", "开始", "恢复"]
)
def test_these_mean_start(text: str) -> None:
    assert understood(text) is Reply.START


@pytest.mark.parametrize("text", ["HELP", "help!", "info please", "Ajuda", "ajutor", "帮助"])
def test_these_mean_help(text: str) -> None:
    assert understood(text) is Reply.HELP


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "👍",
        "ok thanks",
        "yes",
        "Yes please",
        "he would not stop when I asked",
        "he was at the bus stop",
        "don't stop",
    ]
    + [
        "Stop and search by police at the end of the road again tonight",
        "I saw him at the stop near the station",
    ]
    + [
        "start of the week he came back with a friend",
        "can you help me with a form for the council",
        "for the end of May",
    ]
    + [
        "obrigada para tudo",
        "nu știu cine este",
        "nu vreau să spun",
        "不要停止",
        "请不要停止",
        "停在路边有一辆车",
        "他开始骂人",
    ],
)
def test_ordinary_messages_mean_nothing(text: str) -> None:
    assert understood(text) is None


@given(NOISE, st.sampled_from(["stop", "Stop", "STOP", "Parar", "OPRIȚI", "退订"]), NOISE)
def test_signs_and_invisible_characters_around_a_stop_do_not_hide_it(
    before: str, word: str, after: str
) -> None:
    assert understood(before + word + after) is Reply.STOP


@given(st.text())
def test_any_text_is_understood_one_way_and_never_breaks(text: str) -> None:
    assert understood(text) in {None, *Reply}
    assert understood(f"STOP\n{text}") is Reply.STOP


@given(st.text(alphabet=st.characters(categories=["L", "N", "Zs"])))
def test_nothing_but_a_start_word_means_start(text: str) -> None:
    if understood(text) is Reply.START:
        assert understood(f"{text} whenever he is gone from town") is not Reply.START

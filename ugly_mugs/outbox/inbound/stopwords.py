"""Keywords in replies: STOP, START or HELP, recognised leniently in the languages we send in.

The two possible mistakes differ. A STOP that is missed keeps messages coming to a phone that somebody else may be
watching; a STOP that was not meant is confirmed at once and undone with START. So STOP is recognised generously,
START and HELP only when the reply says nothing else.
"""

import re
import unicodedata
from enum import StrEnum
from typing import Final


class Reply(StrEnum):
    STOP = "stop"
    START = "start"
    HELP = "help"


def _vocabulary(words: str) -> frozenset[str]:
    return frozenset(words.split())


# Words that begin a message only to opt out; "stopp", "stooop", "stopstop" are matched by _STOP_FORM.
_STOP: Final = _vocabulary("""
    stopall stopit sotp stpo tsop stp unsubscribe unsub optout
    parar pare parem opreste opriti dezabonare dezaboneaza
""")
_STOP_FORM: Final = re.compile(r"(?:s+t+o+p+)+(?:ped)?")
# Words that mean stop only when nothing else is said; many have other meanings ("para" is also "for").
_STOP_ALONE: Final = _vocabulary("""
    end quit cancel remove revoke td
    para sair basta cancelar cancela cancele remover remova
    anulare anuleaza renunt gata iesire
""")
_STOP_PHRASES: Final = re.compile(
    r"(?:opt (?:me )?out|take me off|remove me|leave me alone|no more (?:texts?|messages?|alerts?|sms)"
    r"|(?:do not|dont) (?:text|message|contact|sms) (?:me|again)"
    r"|nao (?:me )?(?:envie|envies|enviem|mande|mandes|mandem) mais|nao quero (?:mais|receber)"
    r"|nu (?:imi |mi )?mai (?:trimite|trimiteti|scrie|scrieti|vreau|doresc)"
    r"|nu (?:vreau|doresc) (?:mesaje|sms))\b"
)
_START: Final = _vocabulary("""
    start unstop resume subscribe
    comecar iniciar retomar reiniciar
    incepe porneste reia
""")
_HELP: Final = _vocabulary("help info ajuda ajutor")

# Polite words and names of the messages; they do not change what is meant.
_FILLER: Final = _vocabulary("""
    please pls plz now thanks thank you ty ta the this these that all me my to from of it again ok hi hello sorry
    just i want would like can could must need said yes yeah texts texting text txt sending send messages messaging
    message msgs msg sms alerts alert service subscription number
    por favor pf pfv obrigada obrigado ja agora de o os as a mensagens mensagem enviar mandar receber quero isso
    va te rog multumesc mersi acum mesaje mesajele mesajul alerte vreau sa cu trimiteti trimite
""")
_GREETINGS: Final = _vocabulary("please pls plz hi hello ok por favor va te rog")

_CHINESE_POLITE = r"(?:请|請|麻烦|麻煩|我要|我想|想要|帮我|幫我|你好|您好|谢谢|謝謝)*"
_CHINESE: Final = (
    (Reply.STOP, r"(?:停止|退订|退訂|取消|不要再[发發]|别再?[发發]|別再?[发發]|不要[发發]|停[发發])"),
    (Reply.START, r"(?:开始|開始|恢复|恢復|重新订阅|重新訂閱)"),
    (Reply.HELP, r"(?:帮助|幫助|求助)"),
)
_CHINESE_REST = r"[\u4e00-\u9fff]{0,8}"
# Alone it is "stop"; with more text it can mean "parked".
_CHINESE_SHORT_STOP = r"停[了吧]?"

# A message that begins with a stop word counts up to this many words, or when punctuation or a line end follows it.
_FEW_WORDS: Final = 6


def _is_stop(word: str) -> bool:
    return word in _STOP or _STOP_FORM.fullmatch(word) is not None


def _words(line: str) -> list[str]:
    """Lower-case words without accents and punctuation; single letters ("S T O P") become one word."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", line.casefold()) if not unicodedata.combining(c))
    words = re.sub(r"[^\w]+|_", " ", re.sub(r"['’`]", "", bare)).split()
    if len(words) > 2 and all(len(word) == 1 for word in words):
        return ["".join(words)]
    return words


def _chinese(text: str) -> Reply | None:
    signs = "".join(c for c in unicodedata.normalize("NFKC", text) if c.isalnum())
    if re.fullmatch(_CHINESE_POLITE + _CHINESE_SHORT_STOP, signs):
        return Reply.STOP
    for reply, phrase in _CHINESE:
        if re.fullmatch(_CHINESE_POLITE + phrase + _CHINESE_REST, signs):
            return reply
    return None


def understood(text: str) -> Reply | None:
    """The keyword that a reply means; None for an ordinary message. STOP has priority over anything beside it."""
    visible = "".join(
        c for c in unicodedata.normalize("NFKC", text) if unicodedata.category(c) != "Cf"
    ).strip()
    words = _words(visible)
    if not words:
        return None
    spoken = [word for word in words if word not in _FILLER]
    if spoken and all(_is_stop(word) or word in _STOP_ALONE or word in _START for word in spoken):
        return Reply.START if all(word in _START for word in spoken) else Reply.STOP
    if _is_stop(words[0]):
        first_clause = _words(re.split(r"[\n.,;:!?–—-]", visible, maxsplit=1)[0])
        if len(words) <= _FEW_WORDS or len(first_clause) == 1:
            return Reply.STOP
    if _STOP_PHRASES.match(" ".join(word for word in words if word not in _GREETINGS)):
        return Reply.STOP
    if spoken and all(word in _HELP for word in spoken):
        return Reply.HELP
    return _chinese(visible)

"""Patterns by which `suggestions` recognises addresses, ages, references, and the owner of an identifier."""

import re
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Rule:
    """Group 1 of the pattern is the span; `why` names one of the reasons in `suggestions`."""

    kind: str
    why: str
    pattern: re.Pattern[str]


TITLES: Final = frozenset("miss mistress madame lady goddess".split())

# The beginning of a word or number; unlike \b it also matches right after a Chinese character.
_BEGIN = r"(?<![A-Za-z0-9£$€])"
_NAME = r"[A-ZÀ-ÖØ-ÞĂÂÎȘȚ][\w'’-]+"
_DOOR = r"[0-9]{1,4}[A-Za-z]?"
_TENS = r"(?:twenty|thirty|forty|fifty|sixty)(?:[- ](?:one|two|three|four|five|six|seven|eight|nine))?"
_AGE = rf"(?:[1-9][0-9]|{_TENS})"
_CHILDS_AGE = (
    r"(?:[1-9]|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen)"
)
_DATE = (
    r"(?:[0-9]{1,2}(?:st|nd|rd|th)? (?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]* [0-9]{4}"
    r"|[0-9]{1,2}[./][0-9]{1,2}[./][0-9]{2,4}|[0-9]{4})"
)
_STREET = (
    "street|st|road|rd|lane|ln|avenue|ave|close|drive|way|walk|row|terrace|place|crescent|gardens|grove|hill|"
    "square|mews|wynd|croft|rise|bank|fold|steps|yard|quay|parade|passage|court|ct"
)
_HOUSE = (
    "house|hse|court|towers?|lodge|lofts|flats|heights|mansions|apartments|wharf|cottage|hostel|shelter|hotel"
)
_FLAT = (
    "flat|apartment|apt|room|unit|studio|suite|loft|no|number|apartamento|apto|quarto|"
    "apartament|apartamentul|camera|etaj|etajul|bloc|blocul"
)
_KIN = (
    "friend|mate|pal|sister|brother|mum|mam|mom|mother|dad|son|daughter|kid|partner|husband|wife|flatmate|housemate|"
    "cousin|auntie|aunt|neighbour|cleaner|carer|interpreter|colleague|landlord|driver|eldest|little girl|little boy|"
    "amiga|filho|filha|colega de casa|prietena|colega|fetița|sora|mama"
)


def _rule(kind: str, why: str, pattern: str) -> Rule:
    return Rule(kind, why, re.compile(pattern))


RULES: Final = (
    _rule(
        "pc",
        "postcode",
        rf"(?i){_BEGIN}[A-Z]{{1,2}}[0-9][A-Z0-9]? ?([0-9][ABD-HJLNP-UW-Z]{{2}})(?![A-Za-z0-9])",
    ),
    _rule(
        "cr", "reference", rf"{_BEGIN}((?:CAD|CRI|URN|LOG)[ /:][0-9A-Z]+(?:/[0-9A-Z]+){{0,4}})(?![A-Za-z0-9])"
    ),
    _rule("cr", "reference", rf"{_BEGIN}([0-9]{{2}}[/*][0-9]{{4,7}}(?:/[0-9]{{2}})?)(?![0-9/])"),
    _rule(
        "cr",
        "reference",
        r"(?i)(?:\b(?:ref|reference|crime|case|número|numero|numărul)\b(?: (?:number|no|ref|is|de)\b){0,3}|编号)"
        r"[.:# ]{0,4}"
        r"([A-Z0-9/*-]{5,30}[0-9])(?![A-Za-z0-9])",
    ),
    _rule(
        "ag",
        "age",
        rf"(?i)\b((?:i'm|i’m|im|i am) {_AGE})\b(?! ?(?:min|h|st|ft|cm|m\b|%|week|month|years in))",
    ),
    _rule("ag", "age", rf"(?i)\b((?:aged|have|has|having) {_AGE} years\b|aged {_AGE}|she(?:'|’)?s {_AGE})\b"),
    _rule("ag", "age", rf"(?i)\b(s?he(?:'|’)s {_CHILDS_AGE}(?: years old)?)\b(?! (?:foot|feet|ft|of|stone))"),
    _rule(
        "ag",
        "age",
        r"(?i)\b((?:born|n[aă]scut[aă]?|nascid[ao]|dob|date of birth|birthday)(?:,[\w ,]{0,30},)?"
        rf"(?: on| is| in| [iî]n| em|:)* {_DATE})",
    ),
    _rule("ag", "age", r"((?:19|20)[0-9]{2}年(?:[0-9]{1,2}月)?(?:[0-9]{1,2}日)?生)"),
    _rule("sd", "alone", r"(?i)\b(the only (?!one\b|thing\b|person who|way\b|time\b)[^.,;!?\n]{4,80})"),
    _rule(
        "sd",
        "self",
        r"(?i)\b(i(?: am|'m|’m) (?:deaf|blind|pregnant|disabled)\b[^.,;!?\n]{0,40}|i use a wheelchair)",
    ),
    _rule(
        "sd",
        "self",
        r"(?i)\b(my (?:[\w-]+ ){0,3}(?:tattoos?|scars?|piercings?|birthmark)\b(?: [^.,;!?\n]{3,40})?)",
    ),
    _rule(
        "sd",
        "self",
        r"(?i)\b(i(?: have|'ve|’ve)(?: got)? [^.,;!?\n]{0,40}(?:tattoos?|scars?|stitches|vitiligo|piece|sleeve)\b"
        r"[^.,;!?\n]{0,40})",
    ),
    _rule(
        "bl",
        "flat",
        rf"{_BEGIN}((?:(?:{_NAME} ){{1,2}}(?i:{_HOUSE}|keep),? )?(?i:{_FLAT})\.? {_DOOR}\b(?![/*])"
        rf"(?:,? (?:the )?{_NAME}"
        rf"(?: {_NAME}){{0,2}})?)",
    ),
    _rule("bl", "building", rf"{_BEGIN}((?:{_DOOR} )?(?:{_NAME} ){{1,2}}(?i:{_HOUSE}))\b"),
    _rule("bl", "flat", r"([\u4e00-\u9fff]{2,6}[0-9]{1,3}[楼号室层])"),
    _rule("ad", "street", rf"(?i){_BEGIN}({_DOOR} (?:[^\W\d]['’\w-]{{0,30}} ){{1,3}}(?:{_STREET}))\b"),
    _rule(
        "ad",
        "street",
        rf"{_BEGIN}((?:{_NAME} ){{1,2}}(?:Street|Road|Lane|Avenue|Drive|Crescent|Terrace|Wynd)(?: {_DOOR}号?)?)",
    ),
    _rule(
        "rn",
        "real",
        r"(?i:\b(?:real name|legal name|my name's|birth name|own name|nome verdadeiro|nume(?:le)? (?:meu )?real)"
        rf"(?:[,:]? (?:is|was|are|é|este|e))?),? ((?:{_NAME})(?: (?:{_NAME}|d[aeo]s?)){{0,4}})",
    ),
    _rule("rn", "real", r"真名[是叫：:]?([\u4e00-\u9fff]{2,3})"),
    _rule(
        "rn",
        "third",
        rf"\b(?i:(?:my|our|minha|meu|mea|her|me) (?:[\w-]+ )?(?:{_KIN})),? (?:is |called )?((?:Mr |Mrs |Ms )?{_NAME})",
    ),
    _rule(
        "rn", "third", rf"\b((?:Mrs|Ms|Sr|Reverend|Rev|Dr|Auntie|Uncle|Madame|doamna) {_NAME}(?: {_NAME})?)"
    ),
)

LINK: Final = re.compile(
    r"(?i)(?:https?://|www\.)[^\s<>\"'，。）)]{1,300}"
    r"|(?<![A-Za-z0-9.@-])[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,5}/[^\s<>\"'，。）),]{1,300}"
)

# How many code points before an identifier a word of OWNERS is searched.
REACH: Final = 60
OWNERS: Final = {
    "ours": re.compile(
        r"(?i)\b(?:my|mine|our|mum|mam|me|i'm|i’m|us|reach|reached|contact|neighbour's|she gave|please call|pick up"
        r"|meu|minha|meus|mea|meul|numărul meu|contacto|eu sunt)\b|我的|联系电话|我是"
    ),
    "theirs": re.compile(
        r"(?i)\b(?:he|his|him|he's|they|their|man's|guy|client|booked|uses?d?|called?|calls|rang|from|off"
        r"|dele|ligou|lui|sunat|name)\b|对方|自称|他"
    ),
}

"""What everybody writes on the journey, twice: the words differ in everything but the size they are padded to."""

from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Story:
    """What one reporter says about what happened; `kind`, `region`, `premises` and `sector` become facets."""

    account: str
    kind: str
    going_on: str
    region: str
    premises: str
    sector: str


@dataclass(frozen=True)
class Canaries:
    """Everything that must not be found in clear. `marks` are the made-up words that stand in the longer texts."""

    first: Story
    withdrawn: Story
    waiting: Story
    offender_name: str
    offender_phone: str
    offender_email: str
    offender_handle: str
    offender_plate: str
    vehicle: str
    reporter_name: str
    reporter_phone: str
    reporter_email: str
    reporter_street: str
    safe_hours: str
    message: str
    reply: str
    added: str
    hidden: str
    looks: str
    advice: str
    corrected: str
    learned: str
    returned: str
    member_name: str
    member_phone: str
    member_email: str
    stopper_name: str
    stopper_phone: str
    stopper_says: str
    late_name: str
    late_phone: str
    stranger_phone: str
    logins: tuple[str, str, str]
    marks: tuple[str, ...]

    @property
    def phones(self) -> list[str]:
        return [value for name, value in self._texts() if name.endswith("phone")]

    @property
    def texts(self) -> list[str]:
        """Everything somebody typed in their own words; what is chosen from a list stands on every page."""
        accounts = [self.first.account, self.withdrawn.account, self.waiting.account]
        return [*accounts, *(value for _name, value in self._texts()), *self.logins]

    def _texts(self) -> list[tuple[str, str]]:
        values = [(each.name, getattr(self, each.name)) for each in fields(self)]
        return [(name, value) for name, value in values if isinstance(value, str)]


TOWN = "Leeds"
HERE = "Yorkshire and The Humber"

FIRST = Canaries(
    first=Story(
        account="Qanaryone saw him by the market. Near the hidden zaffrelane he shouted and took the keys.",
        kind="Robbery or theft",
        going_on="Yes",
        region=HERE,
        premises="Hotel or rented room",
        sector="Street",
    ),
    withdrawn=Story(
        account="Qanarytwo did not feel safe there.",
        kind="Stalking",
        going_on="No",
        region="London",
        premises="My place",
        sector="Agency",
    ),
    waiting=Story(
        account="Qanarythree was told to get into a van and did not go.",
        kind="Felt unsafe, something was not right",
        going_on="Yes",
        region="Wales",
        premises="Car or van",
        sector="Independent escort or online",
    ),
    offender_name="Vexorilan",
    offender_phone="07700 900611",
    offender_email="vexorilan.zz@example.org",
    offender_handle="vexor_rides",
    offender_plate="VX19 QZK",
    vehicle="Grey van, wexdented door",
    reporter_name="Marigoldine",
    reporter_phone="07700 900612",
    reporter_email="goldenmari@example.org",
    reporter_street="Pimpernelway",
    safe_hours="Sundays, after the xilbells",
    message="Wexmessage: please write after noon.",
    reply="Yexreply: thank you, we are here now.",
    added="Ixadded: he had a dog with him.",
    hidden="Near the hidden zaffrelane",
    looks="tall oxblooded man",
    advice="Please juxtacare for each other.",
    corrected="short oxcorrected man",
    learned="Please juxtalearn from this.",
    returned="Qereturned: say less about the day.",
    member_name="Robinetta",
    member_phone="+447700900621",
    member_email="robinetta@example.org",
    stopper_name="Sashalotte",
    stopper_phone="+447700900623",
    stopper_says="Wexthanks to you all",
    late_name="Evelinora",
    late_phone="+447700900624",
    stranger_phone="+447700900622",
    logins=("alicequill", "bobbyquill", "verasquill"),
    marks=(
        "Qanaryone", "zaffrelane", "Qanarytwo", "Qanarythree", "wexdented", "xilbells", "Wexmessage", "Yexreply",
        "oxblooded", "juxtacare", "oxcorrected", "juxtalearn", "Qereturned", "Wexthanks",
        "Ixadded",
    ),
)  # fmt: skip

# Every text is longer or shorter than its counterpart above, and every facet is another one.
TWIN = Canaries(
    first=Story(
        account=(
            "Panaryten met somebody on a wet evening, and they talked for a while. Past the very broken wimblegate "
            "the talk was over, and there came words that frighten still."
        ),
        kind="Threats",
        going_on="No",
        region="",
        premises="Car or van",
        sector="BDSM",
    ),
    withdrawn=Story(
        account="Panarytri went home early that evening, because none of it felt right at all.",
        kind="Time-waster, did not turn up, haggling",
        going_on="Yes",
        region="Scotland",
        premises="Street or outdoors",
        sector="Webcam, phone or content",
    ),
    waiting=Story(
        account="Panaryvia left.",
        kind="A weapon was used or shown",
        going_on="No",
        region="North East",
        premises="Club or bar",
        sector="Other",
    ),
    offender_name="Kildo",
    offender_phone="07700 900711",
    offender_email="k.lll@example.org",
    offender_handle="kildomar_was_there_once",
    offender_plate="K7 LDM",
    vehicle="Blue car, oftpanelled, two doors, tinted windows",
    reporter_name="Hollyhockienne",
    reporter_phone="07700 900712",
    reporter_email="hh.onic@example.org",
    reporter_street="Snapdragonhill",
    safe_hours="Any yilmornings",
    message="Vexmessage: I would much rather that nobody writes to me before noon on any day.",
    reply="Zexreply: thanks.",
    added="Ixappended: it was raining, nobody else was about, and it got late.",
    hidden="Past the very broken wimblegate",
    looks="slim pallidised person",
    advice="Please juxtahelp one another.",
    corrected="broad pallcorrected man",
    learned="Please juxtafind out more.",
    returned="Peseturned: this is far too long, and the second line says twice what the first one said.",
    member_name="Jo",
    member_phone="+447700900721",
    member_email="josephinella.and.her.cats@example.org",
    stopper_name="Kimberlynne of the Northern Lights",
    stopper_phone="+447700900723",
    stopper_says="Wexgood, thank you very much indeed, it helps a lot",
    late_name="Noa Wilhelmina",
    late_phone="+447700900724",
    stranger_phone="+447700900722",
    logins=("anna.quillfeather", "billyq", "verenaquillson"),
    marks=(
        "Panaryten", "wimblegate", "Panarytri", "Panaryvia", "oftpanelled", "yilmornings", "Vexmessage", "Zexreply",
        "pallidised", "juxtahelp", "pallcorrected", "juxtafind", "Peseturned", "Wexgood",
        "Ixappended",
    ),
)  # fmt: skip

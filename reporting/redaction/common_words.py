"""Common English words. The leak check does not search for a hidden word that is in this list.

The list has no word that is also a name ("rose", "may", "hope"), so that the check still finds those.
"""

from typing import Final

COMMON: Final = frozenset(
    """
    a about above across after again against ago all almost alone along already also although always am among an
    and another any anybody anyone anything anyway are around as ask asked at away back bad be became because bed
    been before began behind being below beside best better between big bit body both bottom bought bring brought
    but by call called calls came can cannot car cash chair change client clients close clothes coat cold come comes
    coming contact could couple dark day days deal did didn didnt different do does doesn doing don done dont door
    down drive drove during each early eight either eleven else end enough even evening ever every everybody
    everyone everything face far fast feel feet fell felt few fifteen fifty find fine first five flat floor food
    foot for forty found four friend friends from front full gave get gets getting girl girls give given go goes
    going gone good got great had hair half hand hands happen happened hard has hasn have haven having he head hear
    heard held help her here hers herself him himself his hit hold home hotel hour hours house how hurt i if in
    inside into is isn it its itself just keep kept key kind knew know known large last late later leave left leg
    legs less let like line little live lives living long look looked looking lot made make makes making man many
    me mean meet men message met middle mine minute minutes moment money month months more morning most mother
    much must my myself name near nearly need needed never new next nice night nights nine no nobody none nor not
    nothing now number of off often oh ok okay old on once one only onto open or other others our ours ourselves out
    outside over own paid part party past pay people person phone place please point police put quick quickly quiet
    quite ran rang rather ready real really red report reported right road room round said same sat saw say says
    second see seen send sent seven she short shortly should side since sit six slow small so some somebody someone
    something sometimes somewhere soon sort stand started stay stayed still stood stop stopped straight street such
    sure take taken talk talked tall tell ten text than that the their them themselves then there these they thing
    things think third thirty this those though thought three through time times to today together told tomorrow
    tonight too took top touch towards town tried try turned twelve twenty two under until up upon us use used very
    via voice wait walk walked want wanted was wasn wasnt watch way we wear wearing week weeks well went were what
    when where whether which while white who whole whom whose why with within without woman women won word words
    work worker workers worked working would wouldn year years yes yesterday yet you young your yours yourself
    black blue brown dirty green grey tooth teeth eyes arm arms neck shirt jacket trousers shoes
    """.split()
)

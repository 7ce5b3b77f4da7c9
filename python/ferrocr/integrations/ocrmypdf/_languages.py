"""Languages as Tesseract, and so OCRmyPDF, calls them."""

from collections.abc import Iterable

EVERYTHING = "mul"
"""ISO 639-2's code for several languages: every character that the recogniser knows."""

_STANDARD = """
afr af amh am ara ar asm as aze az bel be bul bg ben bn bod bo bre br bos bs cat ca ces cs cym cy dan da deu de ell el
eng en epo eo spa es est et eus eu fas fa fin fi fao fo fra fr fry fy gle ga gla gd glg gl guj gu hau ha heb he hin hi
hrv hr hat ht hun hu hye hy ind id ibo ig isl is ita it jpn ja jav jv kat ka kaz kk khm km kan kn kor ko kur ku kir ky
lat la ltz lb lao lo lit lt lav lv mlg mg mri mi mkd mk mal ml mon mn mar mr msa ms mlt mt mya my nob nb nep ne nld nl
nno nn nor no oci oc ori or pan pa pol pl pus ps por pt que qu roh rm ron ro rus ru san sa snd sd sin si slk sk slv sl
som so sqi sq srp sr sun su swe sv swa sw tam ta tel te tgk tg tha th tuk tk tgl tl tur tr tat tt uig ug ukr uk urd ur
uzb uz vie vi xho xh yid yi yor yo zho zh zul zu
"""
"""ISO 639-2 and ISO 639-1."""

_TESSERACT = """
chi_sim zh chi_tra zh chi_sim_vert zh chi_tra_vert zh jpn_vert ja kor_vert ko fil tl kmr ku deu_latf de deu_frak de
frk de dan_frak da slk_frak sk srp_latn sr uzb_cyrl uz spa_old es ita_old it kat_old ka enm en frm fr
"""
"""Names of Tesseract's own models."""


def _pairs(text: str) -> dict[str, str]:
    words = text.split()
    return dict(zip(words[::2], words[1::2], strict=True))


KNOWN = {**_pairs(_STANDARD), **_pairs(_TESSERACT)}
"""Codes of ISO 639-1 by the codes that OCRmyPDF is given; :data:`EVERYTHING` has none."""

_WITH_LATIN = frozenset({"ja", "ko", "zh"})
"""Languages whose texts have words in Latin letters among theirs, as Tesseract's models for them take for granted."""


def languages_of(codes: Iterable[str]) -> tuple[str, ...] | None:
    """Return codes of ISO 639-1 for an engine; None for every character.

    Raises:
        KeyError: A code is unknown.
    """
    named = list(codes)
    if EVERYTHING in named:
        return None
    found = dict.fromkeys(KNOWN[code] for code in named)
    if _WITH_LATIN & found.keys():
        found["en"] = ""
    return tuple(found)

"""Stems of English and Danish words, so that a search for "migrants" finds "migrant" and one for "kommunerne" "kommuner".

Martin Porter's published algorithms for the two languages (snowballstem.org), on lower-case words of the letters a-z: what
PostgreSQL calls `english_stem` and `danish_stem`, here because SQLite knows no Danish and both databases must find the same.
"""

import re

KEPT = 50_000  # words whose stems a reader may remember; proposals say the same words again and again

# -- English

_WHOLE = {
    "skis": "ski", "skies": "sky", "dying": "die", "lying": "lie", "tying": "tie", "idly": "idl", "gently": "gentl",
    "ugly": "ugli", "early": "earli", "only": "onli", "singly": "singl",
} | {word: word for word in ("sky", "news", "howe", "atlas", "cosmos", "bias", "andes")}  # fmt: skip
_KEPT_AFTER_S = {"inning", "outing", "canning", "herring", "earring", "proceed", "exceed", "succeed"}
_VOWELS = "aeiouy"
_R1 = re.compile(r"(?:gener|commun|arsen|.*?[aeiouy][^aeiouy])", re.DOTALL)
_R2 = re.compile(r".*?[aeiouy][^aeiouy]", re.DOTALL)
_SHORT = re.compile(r"(?:.*[^aeiouy][aeiouy][^aeiouywxY]|[aeiouy][^aeiouy])", re.DOTALL)
_ENDING_2 = {
    "tional": "tion", "enci": "ence", "anci": "ance", "abli": "able", "entli": "ent", "izer": "ize", "ization": "ize",
    "ational": "ate", "ation": "ate", "ator": "ate", "alism": "al", "aliti": "al", "alli": "al", "fulness": "ful",
    "ousli": "ous", "ousness": "ous", "iveness": "ive", "iviti": "ive", "biliti": "ble", "bli": "ble", "ogi": "og",
    "fulli": "ful", "lessli": "less", "li": "",
}  # fmt: skip
_ENDING_3 = {
    "tional": "tion", "ational": "ate", "alize": "al", "icate": "ic", "iciti": "ic", "ical": "ic", "ful": "",
    "ness": "", "ative": "",
}  # fmt: skip
_ENDING_4 = dict.fromkeys(
    (
        "al", "ance", "ence", "er", "ic", "able", "ible", "ant", "ement", "ment", "ent", "ism", "ate", "iti", "ous",
        "ive", "ize", "ion",
    ),
    "",
)  # fmt: skip


def english(word: str) -> str:
    """The stem of an English word (Porter 2)."""
    if len(word) <= 2:
        return word
    if word in _WHOLE:
        return _WHOLE[word]
    word = re.sub(r"(^|[aeiouy])y", r"\1Y", word)
    first = _R1.match(word)
    r1 = first.end() if first else len(word)
    second = _R2.match(word, r1)
    r2 = second.end() if second else len(word)
    word = _plural(word)
    if word in _KEPT_AFTER_S:
        return word
    word = _participle(word, r1)
    if word[-1] in "yY" and len(word) > 2 and word[-2] not in _VOWELS:
        word = word[:-1] + "i"
    word = _replaced(word, _ENDING_2, r1, r2)
    word = _replaced(word, _ENDING_3, r1, r2)
    word = _replaced(word, _ENDING_4, r2, r2)
    return _last(word, r1, r2).replace("Y", "y")


def _plural(word: str) -> str:
    if word.endswith("sses"):
        return word[:-2]
    if word.endswith(("ied", "ies")):
        return word[:-2] if len(word) > 4 else word[:-1]
    if word.endswith("s") and not word.endswith(("us", "ss")) and re.search("[aeiouy]", word[:-2]):
        return word[:-1]
    return word


def _participle(word: str, r1: int) -> str:
    for ending in ("eedly", "eed"):
        if word.endswith(ending):
            return word[: -len(ending)] + "ee" if len(word) - len(ending) >= r1 else word
    for ending in ("ingly", "edly", "ing", "ed"):
        if word.endswith(ending):
            rest = word[: -len(ending)]
            if not re.search("[aeiouy]", rest):
                return word
            if rest.endswith(("at", "bl", "iz")):
                return rest + "e"
            if rest[-2:] in ("bb", "dd", "ff", "gg", "mm", "nn", "pp", "rr", "tt"):
                return rest[:-1]
            return rest + "e" if len(rest) <= r1 and _SHORT.fullmatch(rest) else rest
    return word


def _replaced(word: str, endings: dict[str, str], start: int, r2: int) -> str:
    """The longest of the endings replaced, if it begins at `start` or later and what stands before it allows."""
    for size in range(min(7, len(word)), 1, -1):
        ending = word[-size:]
        if ending in endings:
            at = len(word) - size
            before = word[at - 1 : at]
            refused = at < start or {
                "ogi": before != "l",
                "li": before not in tuple("cdeghkmnrt"),
                "ative": at < r2,
                "ion": before not in ("s", "t"),
            }.get(ending, False)
            return word if refused else word[:at] + endings[ending]
    return word


def _last(word: str, r1: int, r2: int) -> str:
    at = len(word) - 1
    if word.endswith("e") and (at >= r2 or (at >= r1 and not _SHORT.fullmatch(word[:-1]))):
        return word[:-1]
    if word.endswith("ll") and at >= r2:
        return word[:-1]
    return word


# -- Danish

_ENDINGS = (
    "erendes", "erende", "hedens", "endes", "ethed", "erede", "heden", "heder", "ernes", "erens", "erets", "ende", "ered",
    "erne", "eren", "erer", "heds", "enes", "eres", "eret", "hed", "ene", "ere", "ens", "ers", "ets", "en", "er", "es",
    "et", "e",
)  # fmt: skip


def danish(word: str) -> str:
    """The stem of a Danish word; of one written without its own letters too, for å is a vowel as a is."""
    first = _R2.match(word)
    if first is None:
        return word
    r1 = max(first.end(), 3)
    word = _hard(_inflected(word, r1), r1)
    if word.endswith("igst"):
        word = word[:-2]
    for ending in ("elig", "lig", "els", "ig"):
        if word.endswith(ending) and len(word) - len(ending) >= r1:
            word = _hard(word[: -len(ending)], r1)
            break
    if len(word) > r1 and word[-1] not in _VOWELS and word[-1] == word[-2]:
        word = word[:-1]
    return word


def _inflected(word: str, r1: int) -> str:
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= r1:
            return word[: -len(ending)]
    if word.endswith("s") and len(word) > r1 and word[-2] in "abcdfghjklmnoprtvyz":
        return word[:-1]
    return word


def _hard(word: str, r1: int) -> str:
    return word[:-1] if word.endswith(("gd", "dt", "gt", "kt")) and len(word) - 2 >= r1 else word

"""Words and sentences of a text: a simple twin of the product's `src/text`.

Left out, since training text hardly has them: addresses and handles as one word, elisions (`'90s`), emoji, lists.
"""

import unicodedata
from dataclasses import dataclass

ABBREVIATIONS = frozenset(
    "adm apr assn aug ave brig bros capt cmdr co col corp cpl dec dept dr esq etc feb fr ft gen gov hon inc insp jan "
    "jr lt ltd maj messrs mr mrs ms mt no nov oct pfc pres prof pvt rep reps rev sen sens sep sept sgt sr st supt vs".split()
)
APOSTROPHES = frozenset("'’ʼ‘`´")
CLOSERS = frozenset("”’\"'»)]“.!?")
OPENERS = frozenset(
    "A After An And As At But For He His I If In It Its On She That The Their There They This We When While With You".split()
)
ABBREVIATIONS_THAT_END = frozenset("inc corp ltd co jr sr etc bros esq".split())
SENTENCE_WORDS_MAX = 400


@dataclass(slots=True)
class Word:
    """A word at code points [start, end); `first` marks the first word of a sentence, `opens` that of a paragraph."""

    start: int
    end: int
    text: str
    first: bool = False
    opens: bool = False


def is_invisible(c):
    n = ord(c)
    return n == 0xAD or 0x200B <= n <= 0x200F or 0x202A <= n <= 0x202E or 0x2060 <= n <= 0x2064 or n == 0xFEFF


def is_digit(c):
    return "0" <= c <= "9"


def is_combining(c):
    return c > "\u02ff" and unicodedata.category(c)[0] == "M"


def joins(previous, mark, following):
    """Whether `mark` between two characters stays inside a word."""
    if not following.isalnum():
        return False
    if mark in "-\u2010\u2011&_@":
        return True
    if mark == ".":
        return is_digit(previous) and is_digit(following) or previous.isalpha() and following.isalpha()
    if mark in ",:/":
        return is_digit(previous) and is_digit(following)
    return mark in APOSTROPHES and mark != "‘" and previous.isalpha() and following.isalpha()


def core_end(text, at, end):
    """End of the run of letters and digits that starts at `at`."""
    previous = " "
    while at < end:
        c = text[at]
        if not c.isalnum():
            following = text[at + 1] if at + 1 < end else ""
            inside = following and (joins(previous, c, following) or is_invisible(c) and following.isalnum())
            if not (inside or is_combining(c)):
                break
        previous = c
        at += 1
    return at


def keeps_full_stop(core):
    if len(core) == 1 and core.isupper():
        return core != "I"
    if "." in core:
        return all(len(part) <= 2 for part in core.split("."))
    return core.lower() in ABBREVIATIONS and core not in ("no", "co")


def split_words(text, start, end):
    """Words of one paragraph."""
    words = []
    at = start
    while at < end:
        c = text[at]
        if c.isspace() or is_invisible(c):
            at += 1
            continue
        if not c.isalnum():
            length = 1
            if c in ".-":
                while at + length < end and text[at + length] == c:
                    length += 1
            elif c in APOSTROPHES and words and words[-1].end == at and words[-1].text[0].isalnum():
                if text[at + 1 : at + 2] in ("s", "S") and not (at + 2 < end and text[at + 2].isalnum()):
                    length = 2
            words.append(Word(at, at + length, text[at : at + length]))
            at += length
            continue
        stop = core_end(text, at, end)
        name_end = stop
        core = text[at:stop]
        if core[-1] in "sS" and core[:-1] and core[-2] in APOSTROPHES:
            name_end = at + len(core[:-1].rstrip("".join(APOSTROPHES)))
        elif keeps_full_stop(core) and text[stop : stop + 1] == "." and stop < end:
            name_end = stop = stop + 1
        words.append(Word(at, name_end, text[at:name_end]))
        if name_end < stop:
            words.append(Word(name_end, stop, text[name_end:stop]))
        at = stop
    return words


def is_mark(word):
    return not word.text[0].isalnum() and word.text[0] not in APOSTROPHES or len(word.text) == 1


def starts_sentence(word):
    c = word.text[0]
    if c.isalnum():
        return not c.islower() or any(x.isupper() for x in word.text)
    return is_mark(word) and c not in ",;:)]}-–—%/&=”’».!?…"


def closing_marks(words, at):
    while at < len(words) and words[at - 1].end == words[at].start and words[at].text in CLOSERS:
        at += 1
    return at


def ends_sentence(words, at):
    """Whether a sentence ends with word `at`."""
    mark = words[at].text
    if mark not in ("!", "?", "…") and not mark.endswith(".") or mark in ("...", ".."):
        return at + 1 == len(words)
    after = closing_marks(words, at + 1)
    if after == len(words):
        return True
    gap = words[after - 1].end < words[after].start
    if mark in ("!", "?", "…"):
        return gap and starts_sentence(words[after])
    if mark == ".":
        return (gap or after > at + 1) and starts_sentence(words[after])
    abbreviation = mark.rstrip(".")
    if not gap or not ("." in abbreviation or abbreviation.lower() in ABBREVIATIONS_THAT_END):
        return False
    following = words[after]
    if following.text in OPENERS:
        return True
    return is_mark(following) and starts_sentence(following) and following.text != "(" and following.text not in APOSTROPHES


def sentences(text):
    """List of sentences (lists of `Word`) of `text`, in order; a paragraph is a line that is not blank."""
    result = []
    at = 0
    for line in text.splitlines(keepends=True):
        words = split_words(text, at, at + len(line))
        at += len(line)
        if not words:
            continue
        words[0].opens = True
        start = position = 0
        while position < len(words):
            if ends_sentence(words, position):
                stop = closing_marks(words, position + 1)
            elif position + 1 - start >= SENTENCE_WORDS_MAX:
                stop = position + 1
            else:
                position += 1
                continue
            words[start].first = True
            result.append(words[start:stop])
            start = position = stop
        if start < len(words):
            words[start].first = True
            result.append(words[start:])
    return result

"""Words and sentences of a text: the product's `src/text` in Python, rule by rule.

A change of the product's rules has to be made here too (README.md says how the two were compared). An emoji's parts are found more simply
here than by Unicode's grapheme rules.
"""

import re
import unicodedata
from dataclasses import dataclass

APOSTROPHES = frozenset("'’ʼ‘`´＇")
SENTENCE_WORDS_MAX = 400
CLOSING_MARKS_MAX = 8
# What a stop after a word can mean (src/text/abbreviations.rs).
INTRODUCES = frozenset(
    "adm amb approx atty brig capt cf cmdr col cpl det dr fr ft gen gov govs hon insp lt maj messrs mr mrs ms msgr mt pfc pres prof pvt rep "
    "reps rev sen sens sgt st ste supt v vs".split()
)
MAY_END = frozenset("al assn ave blvd bros co corp cos dept esq hwy inc jr llc ltd mfg plc rd sr univ".split())
MAY_END_CAPITALIZED = frozenset(
    "Ala Alta Apr Ariz Ark Aug Calif Colo Conn Dec Del Feb Fla Ga Ill Ind Jan Jul Jun Kan Ky Mass Md Mich Minn Mont Neb Nev Nov Oct Okla "
    "Ont Ore Penn Que Sask Sep Sept Tenn Tex Va Vt Wash Wis Wyo".split()
)
BEFORE_NUMBER = frozenset("art c ca ch est fig no nos p pp rs sec vol".split())
OPENERS = frozenset(
    "A About According After All Also Although Among An And Another Any As At Because Before Both But By Despite During Each Earlier Even "
    "Every For From He Her Here His How However I If In Instead It Its Later Many Meanwhile More Moreover Most Much My Neither Nobody Nor Not "
    "Nothing Now Of On Once Only Or Other Others Our She Since So Some Soon Still Such That The Their Then There These They This Those Though "
    "Through Thus To Today Until Was We Were What When Where Whether While Who Why With Without Yesterday Yet You Your".split()
)
AFTER_TIME = frozenset(
    "April August Central Coordinated December EDT EST ET Eastern February Friday GMT Greenwich January July June March May Monday Mountain "
    "November October PDT PST PT Pacific Saturday September Sunday Thursday Tuesday UTC Wednesday".split()
)
CUES = frozenset("added asked asks cried exclaimed replied said says shouted told tweeted wondered wrote".split())
EXCLAIMED_NAMES = frozenset(("Jeopardy", "Yahoo", "Yum"))
BULLETS = frozenset("•●▪■◦‣⁃")
CLOSERS = frozenset("”’»)].!?！？」』")
CLOSERS_EITHER_WAY = frozenset("\"'“‘„«›")
NO_OPENERS = frozenset(",;:)]}-–—%/&=”’».!?…")
STRONG = frozenset("!?…؟۔।‼⁉‽")
IDEOGRAPHIC = frozenset("。！？．")
ELISION = re.compile(r"(?:[0-9][0-9]|[0-9]0s|(?i:cause|em|n|round|til|tis|twas))(?![A-Za-z0-9])")
URL = re.compile(r"(?:https?://|ftp://|www\.)(?=\w)", re.IGNORECASE)
EMAIL = re.compile(r"[A-Za-z0-9._%+-]{1,64}@([A-Za-z0-9.-]{1,255})")
TAG = re.compile(r"[@#](\w{1,140})")
ADDRESS = re.compile(r"[^\s<>\"“”‘’«»|—\x00-\x1f\x7f-\x9f]*")
TRAILING = ".,;:!?')]}…*"


@dataclass(slots=True)
class Word:
    """A word at code points [start, end); `first` marks the first word of a sentence, `opens` that of a paragraph.

    `shape`: lower, capitalized, caps, mixed, number, possessive or mark.
    """

    start: int
    end: int
    text: str
    shape: str
    first: bool = False
    opens: bool = False


def is_invisible(c):
    n = ord(c)
    return n == 0xAD or 0x200B <= n <= 0x200F or 0x202A <= n <= 0x202E or 0x2060 <= n <= 0x2064 or 0x2066 <= n <= 0x2069 or n == 0xFEFF


def is_digit(c):
    return "0" <= c <= "9"


def is_numeric(c):
    return unicodedata.category(c)[0] == "N"


def is_combining(c):
    return c > "\u02ff" and unicodedata.category(c)[0] == "M"


def joins(previous, mark, following, after, part):
    """Whether `mark` stays inside a word between two characters; `part` counts the letters since the last full stop."""
    if not following.isalnum():
        return False
    if mark in "-\u2010\u2011&_@":
        return True
    if mark == ".":
        lacks_space = part >= 3 and previous.islower() and following.isupper() and not after.isupper()
        return is_digit(previous) and is_digit(following) or previous.isalpha() and following.isalpha() and not lacks_space
    if mark in ",:/":
        return is_digit(previous) and is_digit(following)
    return mark in APOSTROPHES and mark != "‘" and previous.isalpha() and following.isalpha()


def core_end(text, at, end):
    """End of the run of letters and digits that starts at `at`."""
    stop, previous, part = at, " ", 0
    while at < end:
        c = text[at]
        if not c.isalnum():
            if is_invisible(c):
                at += 1
                continue
            if is_combining(c):
                at += 1
                stop = at
                continue
            following = text[at + 1] if at + 1 < end else ""
            if not joins(previous, c, following, text[at + 2] if at + 2 < end else "", part):
                break
        part = 0 if c == "." else part + 1
        previous = c
        at += 1
        stop = at
    return stop


def abbreviation(word, before_number):
    """What the stop after `word` makes it: introduces, initial, time, may end, often ends; None for a full stop."""
    if len(word.encode()) > 16:
        return None
    if "." in word:
        if not all(1 <= len(part) <= 2 and part.isalpha() for part in word.split(".")):
            return None
        lower = word.lower()
        return "time" if lower in ("a.m", "p.m") else "introduces" if lower in ("e.g", "i.e") else "may end"
    if len(word) == 1 and word.isupper():
        return "initial" if word != "I" else None
    if word in MAY_END_CAPITALIZED:
        return "may end"
    lower = word.lower()
    if lower in INTRODUCES or before_number and lower in BEFORE_NUMBER:
        return "introduces"
    if lower in ("etc", "mph"):
        return "often ends"
    return "may end" if lower in MAY_END and word != "co" else None


def shape_of(word):
    if is_numeric(word[0]):
        return "number"
    upper = sum(c.isupper() for c in word)
    if upper == 0:
        return "lower"
    if upper >= 2 and not any(c.islower() for c in word):
        return "caps"
    if word[0].isupper():
        if upper == 1:
            return "capitalized"
        pieces = re.split("[-\u2010\u2011'’ʼ‘`´＇]", word)
        if not any(c.isupper() for piece in pieces for c in piece[1:]):
            return "capitalized"
    return "mixed"


def address_end(text, at, end):
    """End of an address that goes on at `at`, without the sentence's own marks."""
    stop = ADDRESS.match(text, at, end).end()
    length = len(text[at:stop].rstrip(TRAILING))
    if "(" in text[at : at + length] and text[at + length : at + length + 1] == ")" and at + length < end:
        length += 1
    return at + length


def link_end(text, at, end):
    """End of the URL, e-mail address, handle or hashtag at `at`; None where there is none."""
    c = text[at]
    if c in "@#":
        found = TAG.match(text, at, end)
        return found.end() if found and any(not is_numeric(x) for x in found[1]) else None
    if not (c.isascii() and c.isalnum()):
        return None
    if c in "hHfFwW":
        found = URL.match(text, at, end)
        if found:
            return address_end(text, found.end(), end)
    found = EMAIL.match(text, at, end)
    if found:
        domain = found[1].rstrip(".-")
        if "." in domain and all(domain.split(".")):
            return found.start(1) + len(domain)
    return None


def mark_end(text, at, end):
    """Runs of stops and of hyphens are one mark, and so is an emoji with all its parts."""
    c = text[at]
    stop = at + 1
    if c in ".-":
        while stop < end and text[stop] == c:
            stop += 1
    elif c in "#*©®\u203c\u2049\u2122\u3030\u303d\u3297\u3299" or "\u2190" <= c <= "\u2bff" or "\U0001f000" <= c <= "\U0001faff":
        flag = lambda x: "\U0001f1e6" <= x <= "\U0001f1ff"
        if flag(c) and stop < end and flag(text[stop]):
            return stop + 1
        while stop < end:
            x = text[stop]
            if is_combining(x) or x == "\u200d" or "\U0001f3fb" <= x <= "\U0001f3ff" or text[stop - 1] == "\u200d" and x > "\u2000":
                stop += 1
            else:
                break
    return stop


class Splitter:
    """Words of one paragraph."""

    def __init__(self, text, start, end):
        self.text, self.end, self.words, self.is_single_open = text, end, [], False
        at = start
        while at < end:
            c = text[at]
            if c.isspace() or is_invisible(c):
                at += 1
                continue
            linked = link_end(text, at, end) if c in "@#hHfFwW" or "@" in text[at : at + 65] else None
            if linked:
                at = self.push(at, linked, "lower")
            elif c.isalnum():
                at = self.push_core(at)
            elif c in APOSTROPHES:
                at = self.push_apostrophe(at, c)
            else:
                at = self.push(at, mark_end(text, at, end), "mark")

    def push(self, start, end, shape):
        self.words.append(Word(start, end, self.text[start:end], shape))
        return end

    def push_core(self, at):
        text = self.text
        stop = core_end(text, at, self.end)
        core = text[at:stop]
        following = text[stop] if stop < self.end else ""
        if following == "/" and core.isascii() and "." in core:
            host, _, top = core.rpartition(".")
            if len(host) >= 2 and len(top) >= 2 and top.isalpha() and top.islower():
                path_end = address_end(text, stop, self.end)
                if path_end > stop:
                    return self.push(at, path_end, "lower")
        if core[-1] in "sS" and len(core) > 1 and core[-2] in APOSTROPHES:
            stem = core[:-1].rstrip("".join(APOSTROPHES))
            return self.push(self.push(at, at + len(stem), shape_of(stem)), stop, "possessive")
        if following == "." and text[stop + 1 : min(stop + 2, self.end)] != ".":
            before_number = is_digit(text[stop + 1 : self.end][:8].lstrip()[:1] or " ")
            if abbreviation(core, before_number):
                stop += 1
        return self.push(at, stop, shape_of(text[at:stop]))

    def push_apostrophe(self, at, mark):
        text = self.text
        attached = self.words[-1] if self.words and self.words[-1].end == at else None
        after = text[at + 1 : min(at + 8, self.end)]
        following = after[:1]
        if attached and following != mark and mark != "‘":
            if following in ("s", "S") and (attached.shape != "mark" or attached.text in ("”", ")")) and not after[1:2].isalnum():
                return self.push(at, at + 2, "possessive")
            if attached.shape != "mark" and attached.text[-1] in "sSz" and not self.is_single_open:
                return self.push(at, at + 1, "possessive")
        if not attached and mark != "‘":
            elision = ELISION.match(after)
            if elision:
                return self.push(at, at + 1 + elision.end(), "number" if is_numeric(following) else "lower")
        self.is_single_open = mark == "‘" or mark != "’" and (not attached or attached.shape == "mark") and following.isalnum()
        return self.push(at, at + 1, "mark")


def split_words(text, start, end):
    """Words of one paragraph."""
    return Splitter(text, start, end).words


class Scan:
    """A paragraph's words, while the sentence that starts at `start` is sought."""

    def __init__(self, words):
        self.words, self.start = words, 0

    def word(self, at):
        return self.words[at].text if at < len(self.words) else ""

    def gap_before(self, at):
        return self.words[at - 1].end < self.words[at].start

    def ends_sentence(self, at):
        """Whether the sentence ends with word `at`."""
        words = self.words
        if self.word(at + 1) in BULLETS:
            return True
        word, shape = words[at].text, words[at].shape
        if not (word in STRONG or word in IDEOGRAPHIC or word[-1] == "." and (shape != "mark" or word[0] == ".")):
            return False
        after = self.closing_marks(at + 1)
        if after == len(words):
            return True
        gap = self.gap_before(after)
        if word in IDEOGRAPHIC:
            return True
        if word == ".":
            if at == self.start + 1 and words[self.start].shape == "number" and len(words[self.start].text.encode()) <= 3:
                return False
            starts = gap or after > at + 1 or self.lacks_space(at, after)
            return starts and self.starts_sentence(after) and not self.is_pronoun_like_initial(at, after)
        if shape == "mark":
            return gap and self.starts_sentence(after) and not self.is_attribution(at, after) and not self.is_exclaimed_name(at, after)
        return gap and self.abbreviation_ends(at, after)

    def closing_marks(self, at):
        words, first = self.words, at
        while at < len(words) and at - first < CLOSING_MARKS_MAX and not self.gap_before(at):
            word = words[at].text
            if word in CLOSERS or word == "…" or word.startswith(".."):
                closes = True
            elif word in CLOSERS_EITHER_WAY:
                closes = at + 1 == len(words) or self.gap_before(at + 1) or words[at + 1].shape == "mark" or word in "\"'"
            else:
                closes = False
            if not closes:
                break
            at += 1
        ellipsis = self.word(at + 1)
        if self.word(at) == "[" and (ellipsis == "…" or ellipsis.startswith("..")) and self.word(at + 2) == "]":
            return at + 3
        return at

    def starts_sentence(self, at):
        word = self.words[at]
        if word.shape == "lower":
            return not word.text[0].islower()
        if word.shape == "mark":
            return word.text[0] not in NO_OPENERS
        return word.shape != "possessive"

    def abbreviation_ends(self, at, after):
        short = self.word(at).rstrip(".")
        following = self.words[after]
        kind = abbreviation(short, following.shape == "number")
        opens = following.text in OPENERS
        opens_quotation = following.shape == "mark" and self.starts_sentence(after) and following.text[0] not in "([&'‘"
        if kind == "introduces":
            return opens and following.text != "A" and (short == "St" or len(short) >= 3 and short[0].islower())
        if kind == "initial":
            return opens and following.text not in ("A", "I")
        if kind == "time":
            goes_on = following.text in AFTER_TIME or following.text[-1] == "T" and len(following.text) <= 4
            return opens_quotation or following.shape in ("capitalized", "caps", "mixed") and not goes_on
        if kind == "may end":
            return opens or opens_quotation
        return self.starts_sentence(after)

    def lacks_space(self, at, after):
        before = self.words[at - 1]
        return (at > self.start and before.shape == "lower" and before.end - before.start >= 3
                and (self.words[after].shape == "capitalized" or self.words[after].text == "“"))

    def is_pronoun_like_initial(self, at, after):
        following = self.word(after)
        return at > self.start and self.word(at - 1) == "I" and len(following) == 2 and following[1] == "."

    def is_attribution(self, at, after):
        if not (after > at + 1 and self.word(after - 1) in ("”", '"', "’", "'", "“")) or self.words[after].shape == "mark":
            return False
        cue = after
        while cue < len(self.words) and cue < after + 4 and self.words[cue].shape in ("capitalized", "caps", "mixed"):
            cue += 1
        return cue > after and self.word(cue) in CUES and self.word(cue + 1) in (".", ",", ":", "")

    def is_exclaimed_name(self, at, after):
        return at > self.start and self.word(at) == "!" and self.word(at - 1) in EXCLAIMED_NAMES and self.word(after) not in OPENERS


def split_sentences(words):
    """Sentences (lists of words) of one paragraph."""
    scan, result, at = Scan(words), [], 0
    while at < len(words):
        if scan.ends_sentence(at):
            stop = scan.closing_marks(at + 1)
        elif at + 1 - scan.start >= SENTENCE_WORDS_MAX:
            stop = at + 1
        else:
            at += 1
            continue
        result.append(words[scan.start : stop])
        scan.start = at = stop
    if scan.start < len(words):
        result.append(words[scan.start :])
    return result


def sentences(text):
    """List of sentences (lists of `Word`) of `text`, in order; a paragraph is a line that is not blank."""
    result, at = [], 0
    for line in re.findall("[^\n\r\x0b\x0c\x85\u2028\u2029]*[\n\r\x0b\x0c\x85\u2028\u2029]?", text):
        words = split_words(text, at, at + len(line))
        at += len(line)
        if not words:
            continue
        words[0].opens = True
        for sentence in split_sentences(words):
            sentence[0].first = True
            result.append(sentence)
    return result

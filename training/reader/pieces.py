"""What the encoder sees of a word: WordPiece ids (BERT uncased) and the class of its casing."""

import functools
import unicodedata

CLS, SEP, UNK, PAD = "[CLS]", "[SEP]", "[UNK]", "[PAD]"
SPECIAL = (PAD, UNK, CLS, SEP)
PIECES_MAX = 16
TOKEN_CHARS_MAX = 100

# Classes of casing; an id is class + N_CASING if the word opens a paragraph.
(NONE, NUMBER, STOP, OPEN_QUOTE, CLOSE_QUOTE, MARK, ALNUM, LOWER, CAPITAL, UPPER, DOTTED, CAPITALIZED, FIRST_CAPITALIZED,
 COMPOUND, MIXED_UPPER, MIXED_LOWER, POSSESSIVE, SHOUTED) = range(18)
N_CASING = 20
APOSTROPHES = "'’ʼ‘`´"


def fold(word):
    """Lower-cased, decomposed (NFD), without combining marks (category Mn) and control characters."""
    decomposed = unicodedata.normalize("NFD", word.lower())
    return "".join(c for c in decomposed if unicodedata.category(c) not in ("Mn", "Cc", "Cf", "Cn", "Co"))


def is_punctuation(c):
    return c.isascii() and not c.isalnum() and c > " " or unicodedata.category(c)[0] == "P"


def is_cjk(c):
    n = ord(c)
    return 0x4E00 <= n <= 0x9FFF or 0x3400 <= n <= 0x4DBF or 0x20000 <= n <= 0x2CEAF or 0xF900 <= n <= 0xFAFF or 0x2F800 <= n <= 0x2FA1F


def split_on_marks(folded):
    """BERT's basic tokens: punctuation and CJK characters stand alone."""
    tokens, current = [], ""
    for c in folded:
        if is_punctuation(c) or is_cjk(c):
            if current:
                tokens.append(current)
            tokens.append(c)
            current = ""
        elif not c.isspace():
            current += c
        elif current:
            tokens.append(current)
            current = ""
    return tokens + [current] if current else tokens


class WordPiece:
    """Greedy longest-match-first pieces over `vocabulary` (a list; the index is the id)."""

    def __init__(self, vocabulary):
        self.vocabulary = vocabulary
        self.ids = {piece: i for i, piece in enumerate(vocabulary)}
        self.pieces = functools.lru_cache(400_000)(self._pieces)

    def _pieces(self, word):
        """Ids of a word, at least one and at most PIECES_MAX."""
        found = []
        for token in split_on_marks(fold(word)):
            found += self._of_token(token)
            if len(found) >= PIECES_MAX:
                break
        return tuple(found[:PIECES_MAX]) or (self.ids[UNK],)

    def _of_token(self, token):
        unknown = [self.ids[UNK]]
        if len(token) > TOKEN_CHARS_MAX:
            return unknown
        found, start = [], 0
        while start < len(token):
            end = len(token)
            prefix = "##" if start else ""
            while end > start and prefix + token[start:end] not in self.ids:
                end -= 1
            if end == start:
                return unknown
            found.append(self.ids[prefix + token[start:end]])
            start = end
        return found


def casing_class(word, first, gap_before):
    """Class of one word; `first` of its sentence; `gap_before`: white space or nothing precedes."""
    c = word[0]
    if not c.isalnum():
        if len(word) > 1 and c in APOSTROPHES:
            return POSSESSIVE
        if c in ".,;:!?":
            return STOP
        if c in "“‘«„":
            return OPEN_QUOTE
        if c in "”»":
            return CLOSE_QUOTE
        if c in "\"'’`´":
            return OPEN_QUOTE if gap_before else CLOSE_QUOTE
        return MARK
    letters = [x for x in word if x.isalpha()]
    if not letters:
        return NUMBER
    if len(letters) < len(word) and any(unicodedata.category(x)[0] == "N" for x in word):
        return ALNUM
    n_upper = sum(x.isupper() for x in letters)
    if n_upper == 0:
        return LOWER
    if n_upper == len(letters):
        if n_upper == 1:
            return CAPITAL
        return DOTTED if "." in word else UPPER
    if n_upper == 1 and c.isupper():
        if len(letters) < len(word):
            return COMPOUND
        return FIRST_CAPITALIZED if first else CAPITALIZED
    return MIXED_UPPER if c.isupper() else MIXED_LOWER


def is_shouted(words):
    """Whether a sentence is written in capitals: at least 4 words of two or more letters, and 4 in 5 of them upper-case."""
    lettered = [w for w in words if sum(c.isalpha() for c in w) >= 2]
    n_upper = sum(not any(c.islower() for c in w) for w in lettered)
    return len(lettered) >= 4 and 5 * n_upper >= 4 * len(lettered)


def casing(words, gaps):
    """Classes of the words of one sentence; `gaps[i]`: whether white space precedes word i."""
    shouted = is_shouted(words)
    classes = []
    first = True
    for word, gap in zip(words, gaps):
        kind = casing_class(word, first, gap)
        if word[0].isalnum():
            first = False
        if shouted and kind in (UPPER, DOTTED, CAPITAL):
            kind = SHOUTED
        classes.append(kind)
    return classes

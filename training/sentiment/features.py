"""Words, stems, negation and positions as src/stages/sentiment computes them, for training.

Python cuts words and sentences a little differently (it has no list of abbreviations); weights do not depend on it.
"""
import re

# As src/text/words.rs cuts: dotted abbreviations, words with inner hyphens and apostrophes, numbers, single marks.
WORD = re.compile(r"[^\W\d_]\.(?:[^\W\d_]\.)+|[^\W\d_][^\W_]*(?:['’\-&][^\W_]+)*|\d[\w.,:/\-]*\w|\d|--+|\.\.+|[^\w\s]")
POSSESSIVE = re.compile(r"['’][sS]$")

NEGATORS = {"barely", "cannot", "hardly", "neither", "never", "no", "nobody", "none", "nor", "not", "nothing", "scarcely", "without"}
NEGATION_WORDS = 5
CLAUSE_ENDS = {",", ".", ";", ":", "!", "?", "(", ")", "—", "–", "--", "...", "…"}
INTENSIFIERS = {
    "absolutely", "completely", "deeply", "especially", "extremely", "highly", "hugely", "incredibly", "particularly", "really",
    "severely", "so", "strongly", "totally", "utterly", "very",
}
DIMINISHERS = {"fairly", "less", "mildly", "partly", "rather", "relatively", "slightly", "somewhat"}
INTENSIFIED, DIMINISHED = 1.4, 0.6
NEGATED_VALENCE, NEGATED_STANCE = -0.7, -0.5
BEFORE_BUT, AFTER_BUT = 0.7, 1.2
# Words this close to a target count more, by the inverse square root of the distance.
NEAR_WORDS = 6
ANYWHERE = 0.6


def words_of(text):
    """[(word, start, end)] with the possessive cut off as a word of its own."""
    out = []
    for match in WORD.finditer(text):
        word, start, end = match.group(), match.start(), match.end()
        cut = POSSESSIVE.search(word)
        if cut and cut.start():
            out.append((word[: cut.start()], start, start + cut.start()))
            out.append((word[cut.start() :], start + cut.start(), end))
        else:
            out.append((word, start, end))
    return out


def stem(word):
    """Inflection off, by suffix: enough to let "attacked" and "attacks" share a weight."""
    word = word.lower().replace("’", "'")
    if len(word) <= 3 or not word.isascii():
        return word
    if word.endswith("ies"):
        word = word[:-3] + "y"
    elif word.endswith("sses"):
        word = word[:-2]
    elif word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    if word.endswith("ied") and len(word) > 4:
        word = word[:-3] + "y"
    else:
        for suffix in ("ing", "ed"):
            if word.endswith(suffix) and len(word) - len(suffix) >= 4:
                word = word[: -len(suffix)]
                if word[-1] == word[-2] and word[-1] not in "lsz":
                    word = word[:-1]
                break
    if word.endswith("ly") and len(word) > 5:
        word = word[:-2]
    if word.endswith("e") and len(word) > 4:
        word = word[:-1]
    return word


def modifiers(words):
    """For each word (valence factor, is negated)."""
    lower = [word.lower().replace("’", "'") for word, _, _ in words]
    negated_for, weight = 0, 1.0
    out = []
    for at, word in enumerate(lower):
        factor, negated = weight, negated_for > 0
        if negated:
            factor *= NEGATED_VALENCE
        out.append((factor, negated))
        is_mark = not word[0].isalnum() and len(words[at][0]) <= 3
        weight = 1.0
        if word in CLAUSE_ENDS or word == "but":
            negated_for = 0
        elif not is_mark:
            negated_for = max(negated_for - 1, 0)
            if (word in NEGATORS or word.endswith("n't")) and lower[at + 1 : at + 2] != ["only"]:
                negated_for = NEGATION_WORDS
            if word in INTENSIFIERS:
                weight = INTENSIFIED
            elif word in DIMINISHERS:
                weight = DIMINISHED
    buts = [at for at, word in enumerate(lower) if word == "but" and lower[at + 1 : at + 2] != ["also"] and at > 0]
    if buts:
        out = [(factor * (BEFORE_BUT if at < buts[-1] else AFTER_BUT), negated) for at, (factor, negated) in enumerate(out)]
    return out

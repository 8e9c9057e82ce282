"""Tag sets of the heads, and label masks: bit t of a word's mask says that tag t is allowed there."""

TYPES = ("PER", "ORG", "GPE", "LOC", "FAC", "NORP", "EVENT", "PRODUCT", "WORK", "MISC", "AWARD")
PUBLISHED = TYPES[:9]
ENTITY_TAGS = ("O",) + tuple(f"{prefix}-{t}" for t in TYPES for prefix in "BI")
QUOTE_PARTS = ("CONTENT", "CUE", "SOURCE")
QUOTE_TAGS = ("O",) + tuple(f"{prefix}-{t}" for t in QUOTE_PARTS for prefix in "BI")
TONES = (-1, 0, 1)

ANY_ENTITY = (1 << len(ENTITY_TAGS)) - 1
ANY_QUOTE = (1 << len(QUOTE_TAGS)) - 1
O = 1


def bits_of(tags, names, prefixes="BI"):
    """Mask of the tags with these names and prefixes."""
    return sum(1 << i for i, tag in enumerate(tags) if tag[2:] in names and tag[0] in prefixes)


def spans_of(tags):
    """Spans (start, end, name) of a BIO sequence; an I that continues nothing begins a span."""
    spans, start, name = [], None, None
    for i, tag in enumerate([*tags, "O"]):
        if start is not None and (tag[0] != "I" or tag[2:] != name):
            spans.append((start, i, name))
            start = None
        if tag != "O" and start is None:
            start, name = i, tag[2:]
    return spans

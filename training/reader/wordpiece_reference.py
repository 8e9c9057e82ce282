"""Pieces of words by the independent `tokenizers` library: `python3 -m reader.wordpiece_reference OUT`.

Writes the file that the product's WordPiece is tested against. Its small vocabulary is its own, so that it does not change with the weights.
Left out: unassigned characters, which FORMAT.md drops and the library keeps, and special pieces written in a text, which are text to us.
"""

import json
import pathlib
import sys

from tokenizers import BertWordPieceTokenizer

SENTENCES = (
    "Prime Minister Anna Kowalska-Meyer told The Vistula Herald on Monday that nobody had expected the vote .",
    "NATO's A-12 gliders , iRadio 3 and McKay's 1,200 homes cost €3.5bn ( £2.9bn ) , i.e. 40 % more than in '90s money .",
    "Dr. Nguyễn Thị Hạnh of São Paulo and Łukasz Żółć of Łódź met Ørsted’s Åse Ğül in İzmir , ISTANBUL and Straße 9 .",
    "naïve café Zoë coöperate façade piñata Brontë Ångström Dvořák résumé ﬁre ﬀ Ǆ ẞ ŉ ĳ",
    "“quoted” ‘single’ «French» „German‟ — – … ‚ ‛ ′ ″ ‹ › ¿ ¡ § ¶ † ‡ • · ※",
    "漢字 東京都 日本 中国人民 한국 Ελλάδα ΟΔΥΣΣΕΥΣ Москва Київ שלום مرحبا नमस्ते ไทย",
    "$5 €5 ¥5 ₿5 a+b=c x² H₂O ½ Ⅷ ①  10°C 5′ №7 ™ © ® ° ± × ÷ √ ∞ ≠ ≤",
    "🇵🇱 👩‍🚀 👍🏽 ☃ ❤️ ✈ ♫",
    "re-elect anti-Brexit Sunni-backed e-mail U.S. U.K.-based a.m. don’t o'clock rock’n’roll AT&T R&D C++ C# @handle #hashtag www.example.org/a?b=c x_y~z^w`v|u\\t",
    "supercalifragilistic antidisestablishmentarianism Donaudampfschifffahrtsgesellschaft Llanfairpwllgwyngyll unbelievability",
    "so\u00adft ze\u200bro jo\u200diner \u200b \u0301 a\u0301\u0302\u0303 e\u0301 \ufeffbom pri\ue000vate",
)
EDGES = ("x" * 100, "x" * 101, "x" * 5000, "the" * 30, "the-" * 30, "...", "--", "'s", "’", "#", "##", "a" * 99 + "é", "é" * 101)
# Pieces beside single characters, so that longest matches have something to choose from.
PIECES = (
    "the of and that had on in re ##re un ##un anti ##anti naive cafe ##e ##ed ##ing ##s ##er ##ly expect nobody monday prime minister anna told vote home "
    "homes glide ##rs glid ##ers cost money more than met radio ##radio mc ##kay kay stan ##bul istanbul izmir izm sao paulo pa ##ulo nguyen thi hanh lukasz "
    "strasse ##sse stra street single quoted french german super ##cali ##fragi ##listic dis ##establish ##ment ##arian ##ism don ##au ##dampf ##schiff "
    "unbelievable ##believ ##ability elect ##elect back ##backed brexit sunni mail example org www hand ##le hash ##tag clock rock roll soft zero join ##iner "
    "thethe ##thethe xx ##xx ##xxxx resume facade pinata dvorak angstrom zoe bronte cooperate fire odyss ##eus ελλαδα ##ς ##σ οδυσσευς οδυσσευσ москва"
).split()


def main():
    words = list(dict.fromkeys([w for s in SENTENCES for w in s.split(" ") if w] + list(EDGES)))
    characters = sorted({c for w in words for c in w.lower()} | set("abcdefghijklmnopqrstuvwxyz0123456789.,-'’“”$€%&@/+#"))
    singles = [c for c in characters if c.isalnum() or c in ".,-'’“”$€%&@/+#"]
    # Not all characters continue a token: some tokens must be unknown.
    continued = [f"##{c}" for c in singles if c.isascii() and c.isalnum() and c not in "jqz"]
    vocabulary = list(dict.fromkeys(["[PAD]", "[UNK]", "[CLS]", "[SEP]", *singles, *continued, *PIECES]))
    tokenizer = BertWordPieceTokenizer({p: i for i, p in enumerate(vocabulary)}, lowercase=True, strip_accents=True, clean_text=True)
    unknown = vocabulary.index("[UNK]")
    cases = [[word, tokenizer.encode(word, add_special_tokens=False).ids[:16] or [unknown]] for word in words]
    result = {"made_by": "python3 -m reader.wordpiece_reference (tokenizers)", "vocabulary": vocabulary, "words": cases}
    pathlib.Path(sys.argv[1]).write_text(json.dumps(result, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

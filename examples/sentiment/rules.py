"""Guesses at the feeling of a short text: a word list made by people, faces, and a little grammar."""

import re
from pathlib import Path

from labelmill import dictionary, keyword, labeling_function, regex

# A knowledge base: words that people rated one by one, without a text around them.
lexicon = dictionary({"positive": "words/positive.txt", "negative": "words/negative.txt"})

happy_face = regex("positive", r"(?i)[:;=]['o-]?[)D\]]|\^_+\^|<3|\bxo(xo)*\b")
sad_face = regex("negative", r"[:=]['o-]?[(/\[c]( |$)|\bD:|-_+-")

thanks = keyword("positive", ["thanks", "thank you", "congrats", "welcome", "cheers", "happy birthday"])
annoyed = keyword("negative", ["ugh", "wtf", "damn", "sucks", "sick of", "tired of", "hate", "stupid", "worst", "fail"])

WORDS = Path(__file__).parent / "words"
POSITIVE = set((WORDS / "positive.txt").read_text(encoding="utf-8").split())
NEGATIVE = set((WORDS / "negative.txt").read_text(encoding="utf-8").split())
NEGATIONS = {"not", "no", "never", "without", "nothing", "hardly", "cannot"}
FACE = re.compile(r"[:;=]['o-]?[)(D/\]\[]|<3|\bl(o)+l\b|haha", re.IGNORECASE)


def feelings(text):
    """(position, +1 or -1) of each word with a feeling; a negation up to three words before turns it."""
    words = re.findall(r"[a-z']+", text.lower())
    found = []
    for i, word in enumerate(words):
        sign = (word in POSITIVE) - (word in NEGATIVE)
        if sign:
            turned = any(w in NEGATIONS or w.endswith("n't") for w in words[max(i - 3, 0) : i])
            found.append((i, -sign if turned else sign))
    return found


@labeling_function()
def negated(x):
    """Only where grammar changes the picture: "not good" is negative; "not bad" may be anything."""
    words = re.findall(r"[a-z']+", x.text.lower())
    signs = [sign for _, sign in feelings(x.text)]
    has_negation = any(w in NEGATIONS or w.endswith("n't") for w in words)
    return "negative" if has_negation and sum(signs) < 0 else None


@labeling_function()
def after_but(x):
    """What comes after "but" is what counts."""
    _, but, after = x.text.lower().partition(" but ")
    total = sum(sign for _, sign in feelings(after))
    if not but or total == 0:
        return None
    return "positive" if total > 0 else "negative"


@labeling_function()
def excited(x):
    """Exclamation marks make a feeling sure, whichever it is."""
    total = sum(sign for _, sign in feelings(x.text))
    if "!" not in x.text or total == 0:
        return None
    return "positive" if total > 0 else "negative"


@labeling_function()
def matter_of_fact(x):
    """No word with a feeling, no face, no exclamation."""
    if feelings(x.text) or FACE.search(x.text) or "!" in x.text:
        return None
    return "neutral"


@labeling_function()
def announcement(x):
    """A link, a number, and nobody spoken to: news or an advertisement without a feeling."""
    has_link = "http://" in x.text
    return "neutral" if has_link and re.search(r"\d", x.text) and not feelings(x.text) else None

"""Guesses at what makes a mail spam, written after reading about a hundred mails."""

import re

from labelmill import dictionary, keyword, labeling_function, regex, threshold

# A word list for each class; the one with more words in the mail wins.
vocabulary = dictionary({"spam": "words/spam.txt", "ham": "words/ham.txt"})

# Nobody who writes to a list ends with a line like these.
unsubscribe = keyword("spam", ["to be removed", "removed from our", "remove in the subject", "opt-in", "opt out"])

# 419 letters: a widow, a barrister, a fund in a bank.
advance_fee = regex("spam", r"(?i)\b(barrister|next of kin|late (father|husband)|million (us |united states )?dollars)")

# Spammers put dollars, exclamation marks and random numbers into the subject.
loud_subject = regex("spam", r"(?i)\$|!!|!$|\bfree\b|\d{4,}$", field="subject")

# Answers and mails through a list carry "Re:" or the list's name in brackets.
reply_or_list = regex("ham", r"(?i)^(re|fwd?)(\[\d+\])?:|^\[[\w .-]+\]", field="subject")

# Notices of weblogs and news have a fixed head.
news_feed = regex("ham", r"^URL: http\S+\nDate: ")

# A page full of links is made by a machine that sells something.
many_links = threshold("spam", field="links", above=15)

QUOTED = re.compile(r"^\s?>", re.MULTILINE)
LIST_FOOTER = re.compile(r"mailman/listinfo|mailing list\b.*\n?.*https?://lists\.", re.IGNORECASE)
MONEY = re.compile(r"(?:US)?\$ ?\d[\d,.]*")
SPAM_LIST = re.compile(r"sightings", re.IGNORECASE)


@labeling_function()
def conversation(x):
    """Quotes somebody, and says who."""
    quoted = len(QUOTED.findall(x.text))
    if quoted >= 2 and re.search(r"\b(wrote|writes|said)\b", x.text):
        return "ham"
    return None


@labeling_function()
def discussion_list(x):
    """Ends with the footer of a mailing list, other than the one where people post the spam they got."""
    if LIST_FOOTER.search(x.text[-400:]) and not SPAM_LIST.search(x.text[-400:]):
        return "ham"
    return None


@labeling_function()
def shouting(x):
    """Capitals and exclamation marks; code and signatures are left aside by asking for both."""
    letters = [c for c in x.text if c.isalpha()]
    if len(letters) < 100:
        return None
    capitals = sum(c.isupper() for c in letters) / len(letters)
    exclamations = x.text.count("!") / len(x.text)
    if capitals > 0.3 or (capitals > 0.12 and exclamations > 0.003):
        return "spam"
    if capitals < 0.06 and exclamations == 0 and not x.is_html:
        return "ham"
    return None


@labeling_function()
def sells_by_page(x):
    """An HTML mail that names prices or asks for a click, from an address without a person's name."""
    if not x.is_html:
        return None
    asks = re.search(r"click|order|unsubscribe|remove", x.text, re.IGNORECASE) is not None
    has_person = re.match(r"[A-Z][a-z]+ [A-Z][a-z]+ <", x.sender) is not None
    if asks and (MONEY.search(x.text) or not has_person):
        return "spam"
    return None

"""The reading grade of a page's words (Flesch-Kincaid), counted without any word list, so that it works anywhere.

Syllables are groups of vowels, less a silent e. That is rough for one word and close enough for a page.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser

BLOCKS = set("p li h1 h2 h3 dt dd label legend button summary div section form ul dl caption td th".split())
UNREAD = set("script style option datalist select header footer".split())
VOID = set("input br meta link img hr".split())


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.inside_main = False
        self.unread = 0
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.inside_main |= tag == "main"
        if tag in UNREAD or ("aria-hidden", "true") in attrs or (self.unread and tag not in VOID):
            self.unread += 1
        if tag in BLOCKS:
            self.text += "\n"

    def handle_endtag(self, tag: str) -> None:
        if self.unread and tag not in VOID:
            self.unread -= 1
        if tag == "main":
            self.inside_main = False
        if tag in BLOCKS:
            self.text += "\n"

    def handle_data(self, data: str) -> None:
        if self.inside_main and not self.unread:
            self.text += data.replace("\n", " ")


def words_of(html: str) -> str:
    """What a person reads on a page between the top bar and the foot, a line for each block."""
    parser = _Words()
    parser.feed(html)
    lines = (re.sub(r"\s+", " ", line).strip() for line in parser.text.splitlines())
    return "\n".join(line for line in lines if re.search(r"[A-Za-z]{2}", line) and "http" not in line)


def syllables(word: str) -> int:
    """How many syllables a word has, about.

    >>> [syllables(word) for word in ("ketamine", "called", "pressure", "therapy", "PTSD", "idea")]
    [3, 1, 2, 3, 1, 3]
    """
    plain = word.lower()
    groups = len(re.findall(r"[aeiouy]+", plain)) + len(re.findall(r"ia|eo(?!u)|io(?!n)|ea(?=$)", plain))
    if re.search(r"[^aeiouyl]e$|[^aeiouytd]ed$|[^aeiouysxzhcg]es$", plain) and groups > 1:
        groups -= 1
    return max(groups, 1)


def grade(text: str) -> float:
    """Flesch-Kincaid grade: 0.39 words a sentence + 11.8 syllables a word - 15.59."""
    sentences = [part for part in re.split(r"[.!?:]\s|[\n]", text) if re.search(r"[A-Za-z]{2}", part)]
    words = re.findall(r"[A-Za-z][A-Za-z'’-]*", text)
    if not words:
        return 0.0
    return 0.39 * len(words) / len(sentences) + 11.8 * sum(map(syllables, words)) / len(words) - 15.59

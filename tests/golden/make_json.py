#!/usr/bin/env python3
"""Make tests/golden/json.txt: what Python's json module says of small texts.

A line is the text in hexadecimal, a tab, and "ok" with the value that it
holds, or the code of what is wrong with it.  Values are written as they are
read: numbers as in the text, strings in hexadecimal between ', members in
their order.

    tests/golden/make_json.py >tests/golden/json.txt
"""

import json
import random

PIECES = [b",", b'"', b"[", b"{", b"}", b"]", b":", b"\\", b"\\ud83d",
          b"\\uDE00", b"\\u00", b"0", b"-", b".", b"e", b"E+", b"NaN",
          b"-Infinity", b"\x00", b"\n", b"\t", b" ", b"\x0b", b"\xa0", b"'",
          b"\xff", b"\xc0\x80", b"\xe0\x9f\xbf", b"\xed\xa0\x80",
          b"\xef\xbb\xbf", b"\xf4\x90\x80\x80", b"\xe4\xb8", b"true", b"nul",
          b'"a":1,', b'"\\u0061":2,', b"//", b"1e5", b"1.", b"01"]
LETTERS = ['a', 'b', '"', '\\', '/', '\n', '\x1f', '\x7f', 'é', '中', '\ud7ff',
           '\uffff', '😀', '\U0010ffff', 'plain text of some length ']


class Twice(Exception):
    """An object has a key twice."""


def members(pairs):
    if len({key for key, _ in pairs}) < len(pairs):
        raise Twice
    return {"pairs": pairs}


def refuse(constant):
    raise ValueError(constant)


def dump(value):
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return value[0]
    if isinstance(value, str):
        return "'" + value.encode().hex() + "'"
    if isinstance(value, list):
        return "[" + ",".join(map(dump, value)) + "]"
    return "{" + ",".join(dump(k) + ":" + dump(v)
                          for k, v in value["pairs"]) + "}"


def verdict(text):
    try:
        return "ok\t" + dump(json.loads(
            text.decode(), object_pairs_hook=members, parse_constant=refuse,
            parse_int=lambda s: (s,), parse_float=lambda s: (s,)))
    except UnicodeError:        # no UTF-8, or half of a surrogate pair
        return "bad-utf8"
    except Twice:
        return "duplicate-key"
    except ValueError:
        return "bad-json"


def value(rng, depth=0):
    kind = rng.random()
    if depth > 3 or kind < 0.5:
        return rng.choice([
            lambda: rng.randint(-10**6, 10**20), lambda: rng.uniform(-1, 1e9),
            lambda: 5e-324, lambda: None, lambda: True, lambda: False,
            lambda: "".join(rng.choices(LETTERS, k=rng.randint(0, 6)))])()
    if kind < 0.7:
        return [value(rng, depth + 1) for _ in range(rng.randint(0, 3))]
    return {"".join(rng.choices(LETTERS, k=2)): value(rng, depth + 1)
            for _ in range(rng.randint(0, 4))}


def main():
    rng = random.Random(8259)
    for _ in range(700):
        text = bytearray(json.dumps(
            value(rng), ensure_ascii=rng.random() < 0.5,
            indent=rng.choice([None, None, None, 1])).encode())
        if rng.random() < 0.6:
            at = rng.randrange(len(text) + 1)
            text[at:at + rng.randint(0, 2)] = rng.choice(PIECES)
        if len(text) < 120:
            print(text.hex(), verdict(bytes(text)), sep="\t")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""make_unicode.py [ROOT]

Asks the `tokenizers` package (0.22.2) itself what each code point is, and
writes what lib/unicode.c and its test are made of:

  lib/unicode_class.h     kind of each code point, and whether NFC heeds it
  lib/unicode_nfc.h       decompositions, compositions, combining classes
  tests/golden/unicode.txt    strings and their NFC

The package has two versions of Unicode in it: that of its regular expressions
(\\p{L}, \\p{N}, \\s) and an older one of its normalizer.  No table that one
could copy has both, so both are derived by trying.
"""
import random
import sys
import unicodedata

import tokenizers
from tokenizers import Regex, normalizers, pre_tokenizers

ALL = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
OTHER, LETTER, NUMBER, SPACE, HEEDED = 0, 1, 2, 3, 4
nfc = normalizers.NFC().normalize_str
nfd = normalizers.NFD().normalize_str
BLOCK = 256


def matching(regex):
    """The code points that REGEX matches."""
    split = pre_tokenizers.Split(Regex(regex), "removed")
    return {c for c in ALL if not split.pre_tokenize_str(chr(c))}


def combining_classes(decomposes):
    """The canonical combining class of each code point that has one: marks
    are put in the order of their classes, so each mark is tried before and
    after one mark of each class.  Those are known to Python, if not to both
    to be the same: the order found must be consistent."""
    def swaps(x, y):
        return nfd("a" + chr(x) + chr(y)) == "a" + chr(y) + chr(x) and x != y

    low, high = 0x334, 0x345  # of the lowest and the highest class
    marks = [c for c in ALL if c not in decomposes and (swaps(high, c) or swaps(c, low))]
    probes = {}
    for c in marks:
        probes.setdefault(unicodedata.combining(chr(c)), c)
    classes = sorted(probes)
    assert 0 not in probes
    out = {}
    for c in marks:
        at_least = [k for k in classes if not swaps(probes[k], c)]
        at_most = [k for k in classes if not swaps(c, probes[k])]
        both = set(at_least) & set(at_most)
        assert len(both) == 1, (hex(c), both)
        out[c] = both.pop()
        assert at_least == [k for k in classes if k <= out[c]], hex(c)
    for c, k in out.items():
        assert unicodedata.combining(chr(c)) == k, hex(c)
    return out


def steps(full):
    """Each decomposition as one step: the code point and its two halves (the
    second 0 for a singleton); and those that are composed again."""
    by_full = {}
    for c in ALL:
        by_full.setdefault(full.get(c, chr(c)), []).append(c)
    out, composed = {}, []
    for c, d in sorted(full.items()):
        if len(d) == 1:
            out[c] = (ord(d), 0)
            continue
        firsts = by_full[d[:-1]]
        first = next((f for f in firsts if nfc(chr(f)) == chr(f)), firsts[0])
        out[c] = (first, ord(d[-1]))
        if nfc(d) == chr(c):
            assert nfc(chr(first)) == chr(first), hex(c)
            composed.append(c)
    for c, (a, b) in out.items():
        assert b not in full, hex(c)
    return out, composed


def rows(items, width=76):
    line = ""
    for item in items:
        if len(line) + len(item) + 1 > width:
            yield "\t" + line
            line = ""
        line += (" " if line else "") + item
    if line:
        yield "\t" + line


HEAD = """\
/*
 * Made by tests/golden/make_unicode.py from tokenizers %s; not to be
 * edited.
 */
#include <stdint.h>

""" % tokenizers.__version__


def write_classes(path, kinds):
    blocks, index = [], []
    top = max(c for c in range(0x110000) if kinds[c]) // BLOCK + 1
    for i in range(top):
        block = bytes(kinds[i * BLOCK : (i + 1) * BLOCK])
        if block not in blocks:
            blocks.append(block)
        index.append(blocks.index(block))
    assert len(blocks) <= 256
    with open(path, "w") as f:
        f.write(HEAD)
        f.write("#define UNICODE_TOP 0x%x\n\n" % (top * BLOCK))
        f.write("const unsigned char unicode_index[UNICODE_TOP / %d] = {\n" % BLOCK)
        f.write("\n".join(rows("%d," % i for i in index)) + "\n};\n\n")
        f.write("/* Digits, whose low three bits count. */\n")
        f.write("const char unicode_blocks[%d][%d] = {\n" % (len(blocks), BLOCK + 1))
        for b in blocks:
            text = "".join("%d" % k for k in b)
            f.write(" " + "\n ".join('"%s"' % text[i : i + 64] for i in range(0, BLOCK, 64)))
            f.write(",\n")
        f.write("};\n")


def write_nfc(path, step, composed, ccc):
    at = {c: i for i, c in enumerate(sorted(step))}
    with open(path, "w") as f:
        f.write(HEAD)
        f.write("/* One step of a decomposition: a code point, its halves, in hexadecimal. */\n")
        f.write("#define S(c, a, b) \\\n")
        f.write("\t((uint64_t)0x##c << 42 | (uint64_t)0x##a << 21 | 0x##b)\n\n")
        f.write("static const uint64_t steps[] = {\n")
        f.write("\n".join(rows("S(%x,%x,%x)," % (c, a, b) for c, (a, b) in sorted(step.items()))))
        f.write("\n};\n\n/* Those that are composed again: places in steps, by both halves. */\n")
        f.write("static const uint16_t composed[] = {\n")
        f.write("\n".join(rows("%d," % at[c] for c in sorted(composed, key=lambda c: step[c]))))
        f.write("\n};\n\n/* Combining classes: from a code point, to a code point, class. */\n")
        f.write("static const struct { uint32_t from, to; uint8_t ccc; } marks[] = {\n")
        runs = []
        for c, k in sorted(ccc.items()):
            if runs and runs[-1][1] == c - 1 and runs[-1][2] == k:
                runs[-1][1] = c
            else:
                runs.append([c, c, k])
        f.write("\n".join(rows("{0x%x,0x%x,%d}," % tuple(r) for r in runs)))
        f.write("\n};\n")


def write_golden(path, kinds, step, composed, ccc):
    rng = random.Random(0)
    marks, whole = sorted(ccc), sorted(step)
    parts = sorted({h for c in step for h in step[c] if h})
    hangul = [0x1100, 0x1112, 0x1113, 0x1161, 0x1175, 0x11A7, 0x11A8, 0x11C2, 0x11C3, 0xAC00, 0xAC01, 0xD788, 0xD7A3]
    late = [0x11938, 0x11935, 0x11930, 0x1E08F, 0x10EAB, 0x113C5, 0x105C9]
    pools = [marks, whole, parts, hangul, late, list(range(0x61, 0x7B)), ALL]
    strings = [chr(c) for c in hangul + late]
    for n in range(900):
        pool = rng.sample(pools, rng.randint(1, 3))
        strings.append("".join(chr(rng.choice(rng.choice(pool))) for _ in range(rng.randint(1, 9))))
    strings.append("a" + "".join(chr(rng.choice(marks)) for _ in range(300)))
    with open(path, "w") as f:
        f.write("# code points; those of the NFC: made by make_unicode.py\n")
        for s in strings:
            line = ";".join(" ".join("%x" % ord(c) for c in t) for t in (s, nfc(s)))
            f.write(line + "\n")


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else "."
    assert tokenizers.__version__ == "0.22.2"
    kinds = bytearray(0x110000)
    for kind, regex in ((LETTER, r"\p{L}"), (NUMBER, r"\p{N}"), (SPACE, r"\s")):
        for c in matching(regex):
            kinds[c] = kind
    # Hangul syllables are left to arithmetic, but are asked about all the same.
    full = {c: nfd(chr(c)) for c in ALL if nfd(chr(c)) != chr(c)}
    for c in range(0xAC00, 0xAC00 + 11172):
        i = c - 0xAC00
        want = chr(0x1100 + i // 588) + chr(0x1161 + i % 588 // 28) + (chr(0x11A7 + i % 28) if i % 28 else "")
        assert full.pop(c) == want and nfc(want) == chr(c)
    step, composed = steps(full)
    ccc = combining_classes(full)
    seconds = {step[c][1] for c in composed}
    heeded = {c for c in ALL if nfc(chr(c)) != chr(c)} | set(ccc) | seconds
    heeded |= set(range(0x1161, 0x1176)) | set(range(0x11A8, 0x11C3))
    assert not heeded & set(range(0x4000, 0xA000))  # unicode_scan knows
    # What is not heeded begins a piece of its own: it is a starter, and so is
    # what it decomposes to, which composes with nothing before it.
    for c, d in full.items():
        assert c in heeded or (ord(d[0]) not in heeded), hex(c)
    for c in heeded:
        kinds[c] |= HEEDED
    write_classes(root + "/lib/unicode_class.h", kinds)
    write_nfc(root + "/lib/unicode_nfc.h", step, composed, ccc)
    write_golden(root + "/tests/golden/unicode.txt", kinds, step, composed, ccc)


main()

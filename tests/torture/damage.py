#!/usr/bin/env python3
"""Damaged streams: each damage is found by every reader, or does no harm.
BUILD/torture/damage tries thousands in one process; here are also samples of
them with every program whole."""
import random
import re
import resource
import subprocess
from pathlib import Path

from faults import PROGRAMS, Case, make_data
from torture import BUILD, DEMO, MODEL, SCALE, check, run_all, sh

STREAMS = ("1.zst", "4.zst", "stored", "packed")


def make():
    """Small streams and shards of every kind, and a large one."""
    if Path("large").exists():
        return
    make_data()
    sh("""set -e
        shard-cat -z 0 -o stored shard
        shard-cat -z 9 -o packed shard
        jsonl-split %s | dpo-pair -q | audio-check -q --root %s | melspec |
            tokpack -q -m %s -r rejects -o large""" % (
        DEMO / "data.json", DEMO, MODEL))


def damage(mode, file, n=0):
    """What BUILD/torture/damage says: a figure, and how many damages."""
    program = BUILD / "torture/damage"
    check(program.exists(), program, "is not built: make tortures")
    r = subprocess.run(list(map(str, (program, mode, file, n, SCALE))),
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                       universal_newlines=True)
    check(r.returncode == 0, mode, file, r.returncode, r.stderr)
    return r.stdout.strip()


def each(mode, streams, n=0):
    total, harmless, memory = 0, [], 0
    for file in streams:
        said = damage(mode, file, n)
        a, b, c = map(int, re.match(r"(\d+) damages, (\d+) found, (\d+) ",
                                    said).groups())
        check(a == b + c, said)
        total += a
        if c:
            harmless.append("%s: %s" % (file, re.sub(
                r"^.* harmless, |, \d+ MiB$", "", said)))
        memory = max(memory, int(re.search(r"(\d+) MiB", said).group(1)))
    return "%d damages, harmless: %s; %d MiB" % (
        total, "; ".join(harmless) or "none", memory)


def cut_anywhere():
    """a small stream or shard cut after any byte is truncated"""
    return each("cut", STREAMS)


def large_cut():
    """a large shard cut at 1,000 random places (10,000 at SCALE=10) is
    truncated"""
    return each("cut", ["large"], 1000 * SCALE)


def every_bit():
    """every bit flipped in a small stream and a shard, and some in others, is
    found, but where it says how many records -r took out, or means nothing
    to zstd"""
    some = 5000 * SCALE
    return "%s; and %s" % (each("flip", ("1.zst", "stored")),
                           each("flip", ("4.zst", "packed"), some))


def large_flip():
    """so it is in a large shard, at random"""
    return each("flip", ["large"], 500 * SCALE)


def frames_in_disorder():
    """frames left out, repeated, moved, and in random heaps are found"""
    return each("frames", STREAMS, 1000 * SCALE)


def lying_numbers():
    """sizes, counts and seek tables that lie are found, and take no memory"""
    return "%s; and %s" % (each("lie", ("1.zst", "stored")),
                           each("lie", ("4.zst", "packed"), 5000 * SCALE))


def frames_put_in():
    """frames of kinds that we know, put in anywhere, are found, and those of
    any other do no harm"""
    return each("insert", STREAMS, 500 * SCALE)


def joined():
    """copies joined are one stream, and cut they are none"""
    return each("join", STREAMS, 100 * SCALE)


def spoil(whole, rng):
    """WHOLE, damaged at random; what says how many records were rejected is
    under no sum, and stays."""
    free = set()
    for m in re.finditer(rb'"rejected":(\d+)', whole):
        free |= set(range(*m.span(1)))
    at = rng.choice([i for i in range(len(whole)) if i not in free])
    kind = rng.randrange(6)
    if kind == 0:
        return whole[:at]
    if kind == 1:
        return whole[:at] + bytes([whole[at] ^ 1 << rng.randrange(8)]) + \
            whole[at + 1:]
    if kind == 2:
        return whole[:at] + whole[at + rng.randrange(1, 200):]
    if kind == 3:
        return whole[:at] + bytes(rng.randrange(1, 200)) + whole[at:]
    if kind == 4:
        return whole[:at] + whole[rng.randrange(len(whole)):]
    return whole[:at] + rng.randbytes(4) + whole[at + 4:]


def programs_whole():
    """every program that reads a damaged stream ends with 3, having published
    nothing, or does what it does with the whole one, in bounded memory"""
    rng, ends = random.Random(3), {0: 0, 3: 0}
    big = 700 << 20     # of addresses: threads' stacks, a decoder's samples
    for name in list(PROGRAMS)[2:] + ["shard-cat of a stream"]:
        options = ("-o", "x.zst") if name.startswith("shard-cat") else \
            ("-q", "-j", "2", "-r", "rej", "-o", "x.zst")
        with Case(name, *options) as case:
            if name != "audio-check":
                resource.prlimit(case.server.process.pid,
                                 resource.RLIMIT_AS, (big, big))
            whole = Path(case.stdin).read_bytes()
            for n in range(100 * SCALE):
                spoiled = spoil(whole, rng)
                Path("spoiled").write_bytes(spoiled)
                case.clean()
                ran = case.server.run(stdin="spoiled")
                ends[case.judge(ran, "damage", str(spoiled), n)] += 1
                check(ran.status == 3 or
                      case.results() == case.want, case.argv, n)
    return "%d damages, of which %d did no harm" % (sum(ends.values()),
                                                     ends[0])


def with_streams(test):
    def run():
        make()
        return test()
    run.__doc__ = test.__doc__
    return run


if __name__ == "__main__":
    run_all(*map(with_streams, (
        cut_anywhere, large_cut, every_bit, large_flip, frames_in_disorder,
        lying_numbers, frames_put_in, joined, programs_whole)))

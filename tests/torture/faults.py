#!/usr/bin/env python3
"""Every call that a program makes to the system or for memory fails, one
after the other, in each way that it can: what is left is a whole shard or
what was there before, and nothing beside it."""
import json
import os
import random
import re
import resource
import struct
import subprocess
from pathlib import Path

from torture import (MODEL, SCALE, Ran, Server, check, run_all, sh,
                     temporaries)

# What a call may end with, as far as the programs can make it.
FAULTS = {
    "read": ("EIO",), "write": ("EIO", "ENOSPC"),
    "open": ("EACCES", "EMFILE", "EIO"), "close": ("EIO", "ENOSPC"),
    "sync": ("EIO", "ENOSPC"), "rename": ("EIO", "EROFS", "ENOSPC"),
    "unlink": ("EIO",), "stat": ("EIO",), "seek": ("EIO",),
    "pipe": ("EMFILE",), "poll": ("ENOMEM",), "map": ("ENOMEM",),
    "fork": ("EAGAIN",), "thread": ("EAGAIN",), "memory": ("ENOMEM",),
}

# What is read, by whom; audio-check and its clips; each kind of shard-cat.
PROGRAMS = {
    "jsonl-split": ("/dev/null", "jsonl-split", "data.jsonl"),
    "jsonl-split, packed": ("data.zst", "jsonl-split"),
    "dpo-pair": ("1.zst", "dpo-pair"),
    "audio-check": ("2.zst", "audio-check"),
    "melspec": ("3.zst", "melspec", "-m", MODEL),
    "tokpack": ("4.zst", "tokpack", "-m", MODEL),
}
SHOWS = {
    "shard-cat": ("/dev/null", "shard-cat", "shard"),
    "shard-cat of a stream": ("4.zst", "shard-cat"),
    "shard-cat -n": ("/dev/null", "shard-cat", "-n", "1-2", "shard"),
    "shard-cat --check": ("/dev/null", "shard-cat", "--check", "shard"),
    "shard-cat --lengths": ("/dev/null", "shard-cat", "--lengths", "shard"),
    "shard-cat --text": ("/dev/null", "shard-cat", "--text", "-m", MODEL,
                         "shard"),
}


RECORDS = 6


def wav(path, n):
    """A clip of n samples."""
    pcm = struct.pack("<%dh" % n, *(k * 7919 % 20001 - 10000
                                    for k in range(n)))
    Path(path).write_bytes(struct.pack(
        "<4sI8sIHHIIHH4sI", b"RIFF", 36 + len(pcm), b"WAVEfmt ", 16, 1, 1,
        16000, 32000, 2, 16, b"data", len(pcm)) + pcm)


def make_data():
    """data.jsonl, of three good records and three bad ones, and what each
    program makes of it: 1.zst to 4.zst, and the shard."""
    wav("tiny.wav", 400)
    wav("short.wav", 100)
    pair = '{"instruction":"%s","chosen":"y","rejected":"%s","audios":[%s]}\n'
    Path("data.jsonl").write_text(
        pair % ("<audio>", "n", '"tiny.wav"') + pair % ("Say it", "n", "") +
        "{\n" + pair % ("<audio>", "", '"tiny.wav"') +
        pair % ("<audio>", "n", '"short.wav"') +
        pair % ("<audio>", "z", '"tiny.wav"'))
    sh("""set -e
        zstd -q data.jsonl -o data.zst
        jsonl-split data.jsonl >1.zst
        dpo-pair -q <1.zst >2.zst
        audio-check -q <2.zst >3.zst
        melspec <3.zst >4.zst
        tokpack -q -m %s -r rejects -o shard <4.zst""" % MODEL)


class Case:
    """A program with its input, and what it does where nothing fails."""

    def __init__(self, name, *options):
        self.name = name
        self.stdin, *argv = dict(PROGRAMS, **SHOWS)[name]
        self.argv = argv[:1] + list(options) + argv[1:]
        self.is_show = name in SHOWS
        self.names = [options[i + 1] for i, o in enumerate(options)
                      if o in ("-o", "-r")]
        self.server = Server(*self.argv)
        # Twice: the first may find what the second has at hand.
        for _ in range(2):
            self.clean()
            good = self.server.run(stdin=self.stdin)
        check(good.status == 0, self.argv, Path("err").read_text())
        self.live = good.live
        self.want = self.results()
        for name in self.names:
            check(self.want[name] != b"before", self.argv, name)

    def clean(self):
        for name in self.names:
            Path(name).write_bytes(b"before")

    def results(self):
        return {name: Path(name).read_bytes() for name in
                self.names + ([] if "-o" in self.argv else ["out"])}

    def is_promised(self, name, content):
        """Whether CONTENT may be in the file of NAME after exit 3: what was
        there, or all of it; of the rejects, those that were met."""
        if content in (b"before", self.want[name]):
            return True
        return name == "rej" and content[-1:] in (b"", b"\n") and \
            self.want[name].startswith(content)

    def judge_success(self, what, got):
        """All is as ever; or, of clips that were not to be read or whose
        decoder was lost, the records are in the rejects and say so."""
        if got == self.want:
            return
        check(self.argv[0] == "audio-check", what,
              "exit 0, but another result")
        there = int(re.findall(rb'"records":(\d+)', got[self.names[-1]]
                               if "-o" in self.argv else got["out"])[-1])
        rejects = got["rej"].splitlines()
        check(there + len(rejects) == RECORDS, what, "a record was lost")
        was = set(self.want["rej"].splitlines())
        for line in rejects:
            code = json.loads(line)["error"]["code"]
            check(line in was or code in ("audio-missing", "audio-decoder"),
                  what, "exit 0, but", line)

    def judge(self, ran, call, how, n):
        """Whether all promises are kept after the fault: its exit status."""
        what = "%s: %s, %s number %d:" % (" ".join(map(str, self.argv)),
                                         how, call, n)
        said = Path("err").read_text(errors="replace")
        got = self.results()
        check(ran.status in (0, 3), what, "exit", ran.status, said)
        # What is not known to be on disk is not done; but for the figures.
        check(ran.status == 3 or call not in ("sync", "rename") or
              "--stats" in self.argv, what, "exit 0")
        if ran.status == 0:
            self.judge_success(what, got)
        else:
            check(": error: " in said, what, "no message", said)
            for name in self.names:
                check(self.is_promised(name, got[name]), what,
                      "what is half done is there as", name)
        if call != "unlink":
            check(not temporaries(), what, "left", temporaries())
        for name in temporaries():
            os.unlink(name)
        # A thread's own memory goes when the system wants it to.
        if ran.live >= 0 and ("-j" not in self.argv or "1" in self.argv):
            check(ran.live <= self.live, what, ran.live - self.live,
                  "blocks of memory lost", said)
        return ran.status

    def strike_each(self, call, how, times, by_status):
        """Let each CALL fail in turn: how many there were, and BY_STATUS."""
        n = 0
        while True:
            n += 1
            self.clean()
            ran = self.server.run(call, how, n, times, stdin=self.stdin)
            if ran.hits == 0:
                return n - 1
            by_status[self.judge(ran, call, how, n)] += 1

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.__exit__()


def cases(threads):
    """Every program, to standard output and to a shard."""
    for name in PROGRAMS:
        yield Case(name, "-q", "-j", threads, "-r", "rej")
        yield Case(name, "-q", "-j", threads, "-r", "rej", "-o", "x.zst")
        yield Case(name, "-q", "-j", threads, "-r", "rej", "-o", "x.zst",
                   "--stats", "stats")
    for name in SHOWS:
        yield Case(name)
    yield Case("shard-cat", "-o", "x.zst")


def strike(calls, threads="1", times=1):
    total, by_status = 0, {0: 0, 3: 0}
    for case in cases(threads):
        with case:
            for call in calls:
                for how in FAULTS[call]:
                    total += case.strike_each(call, how, times, by_status)
    return "%d faults, of which %d were borne" % (total, by_status[0])


def calls_fail():
    """each call to the system fails, in each of its ways: a whole result and
    exit 0, or exit 3, a message, and what was there before"""
    return strike(sorted(set(FAULTS) - {"memory"}))


def calls_fail_in_threads():
    """the same where there are three threads"""
    return strike(("read", "write", "open", "thread", "fork"), "3")


def memory_fails():
    """each request for memory fails: the same, and nothing is leaked"""
    return strike(["memory"])


def memory_is_at_an_end():
    """from each request on there is no more memory: the same"""
    return strike(["memory"], times=0)


def short_and_interrupted():
    """every read and write is of one byte, or every other call is
    interrupted: the same result as ever"""
    hits = 0
    for threads in ("1", "3"):
        for case in cases(threads):
            with case:
                for call, how, every in (
                        ("read", "short", 1), ("write", "short", 1),
                        ("read", "EINTR", 2), ("write", "EINTR", 2),
                        ("poll", "EINTR", 2), ("close", "EINTR", 1)):
                    case.clean()
                    ran = case.server.run(call, how, 1, 0, every,
                                          stdin=case.stdin)
                    what = "%s: %s, %s:" % (case.argv, call, how)
                    check(ran.status == 0, what, ran.status,
                          Path("err").read_text())
                    check(case.results() == case.want, what,
                          "another result")
                    hits += ran.hits
    return "%d calls" % hits


def full_device():
    """standard output that is full: exit 3 and a message, from the first
    write on"""
    n = 0
    for name in dict(PROGRAMS, **SHOWS):
        options = () if name in SHOWS else ("-q", "-r", "rej")
        with Case(name, *options) as case:
            ran = case.server.run(stdin=case.stdin, stdout="/dev/full")
            said = Path("err").read_text()
            check(ran.status == 3 and "No space left" in said, case.argv,
                  ran.status, said)
            n += 1
    return "%d programs" % n


def nobody_reads():
    """at each write the reader is gone: the end of SIGPIPE, quietly, and
    nothing is published"""
    total = 0
    for name in dict(PROGRAMS, **SHOWS):
        # One thread: with more, which write is the n-th varies.
        options = () if name in SHOWS else ("-q", "-j1", "-r", "rej")
        with Case(name, *options) as case:
            nth = n = 0
            while True:
                nth += 1
                case.clean()
                ran = case.server.run("write", "EPIPE", nth, 1,
                                      stdin=case.stdin)
                if ran.hits == 0:
                    break
                said = Path("err").read_text()
                check(not temporaries(), case.argv, temporaries())
                if ran.status == -13:
                    check(said == "", case.argv, nth, said)
                    n += 1
                else:   # of the rejects, or to a decoder
                    case.judge(ran, "write", "EPIPE", nth)
            check(n > 0, case.argv, "does not mind")
            total += n
    return "%d writes" % total


def reader_goes():
    """a reader that goes after any number of bytes ends every program as
    SIGPIPE does, without a word"""
    sh("jq -cn 'range(3000) | {instruction: \"Say \\(.)\", chosen:"
       " \"It is \\(. * .), of \\(range(60))\", rejected: \"No\"}'"
       " | head -n 3000 >many.jsonl")
    sh("jsonl-split many.jsonl >5.zst; dpo-pair <5.zst >6.zst;"
       "tokpack -m %s <6.zst >7.zst; shard-cat -o many 7.zst" % MODEL)
    rng, n = random.Random(5), 0
    for argv, stdin in (
            (["jsonl-split", "many.jsonl"], "/dev/null"),
            (["dpo-pair"], "5.zst"), (["audio-check"], "6.zst"),
            (["melspec"], "6.zst"), (["tokpack", "-m", MODEL], "6.zst"),
            (["shard-cat"], "7.zst"), (["shard-cat", "many"], "/dev/null"),
            (["shard-cat", "--lengths", "many", "many", "many"], "7.zst")):
        argv = list(map(str, argv))
        with open(stdin, "rb") as f:
            whole = len(subprocess.run(argv, stdin=f, check=True,
                                       stdout=subprocess.PIPE).stdout)
        check(whole > 100000, argv, "gives", whole, "bytes only")
        # What a pipe holds is written whether it is read or not.
        for _ in range(10 * SCALE):
            with open(stdin, "rb") as f:
                p = subprocess.Popen(argv, stdin=f, stdout=subprocess.PIPE,
                                     stderr=subprocess.PIPE)
            p.stdout.read(rng.randrange(whole - 90000))
            p.stdout.close()
            said = p.stderr.read()
            p.stderr.close()
            check(p.wait(60) == -13 and said == b"", argv, p.returncode,
                  said)
            n += 1
    return "%d readers" % n


def limit(which, value):
    return lambda: resource.setrlimit(which, (value, value))


def judge_limited(case, what, preexec):
    """Run CASE as a process of its own; its exit status."""
    case.clean()
    with open(case.stdin, "rb") as i, open("out", "wb") as o, \
            open("err", "wb") as e:
        r = subprocess.run(list(map(str, case.argv)), stdin=i, stdout=o,
                           stderr=e, preexec_fn=preexec, timeout=60)
    said = Path("err").read_text()
    if r.returncode == 127 and "shared libraries" in said:
        check(not temporaries(), case.argv, what)
        return 127
    ran = Ran("%d 1 1 -1" % (r.returncode << 8 if r.returncode >= 0
                             else -r.returncode))
    return case.judge(ran, what, "limit", 1)


def few_descriptors():
    """any limit of descriptors: a whole result, or exit 3 and a message"""
    ends = []
    for case in cases("2"):
        with case:
            n = 2
            while n < 40 and ends[-3:] != [0, 0, 0]:
                n += 1
                ends.append(judge_limited(case, "descriptors: %d" % n,
                                          limit(resource.RLIMIT_NOFILE, n)))
            check(ends[-1] == 0, case.argv, "needs more than", n)
            ends.append(None)
    return "%d limits, under %d of which it failed" % (
        sum(e is not None for e in ends), ends.count(3))


def little_memory():
    """any limit of memory: a whole result, or exit 3 and a message"""
    ends = []
    for case in cases("2"):
        with case:
            size, step = 4 << 20, 4 << 20 if SCALE == 1 else 1 << 20
            while ends[-3:] != [0, 0, 0] and size < 2 << 30:
                size += step
                ends.append(judge_limited(case, "memory: %d" % size,
                                          limit(resource.RLIMIT_AS, size)))
            check(ends[-1] == 0, case.argv, "needs more than", size)
            ends.append(None)
    return "%d limits, under %d of which it failed" % (
        sum(e is not None for e in ends), ends.count(3))


def clock_jumps():
    """clocks that jump, by hours ahead or by years to either side, change
    nothing, and --progress and --stats bear it"""
    hits = 0
    for name in PROGRAMS:
        with Case(name, "-q", "-j", "2", "-r", "rej", "-o", "x.zst",
                  "--progress", "--stats", "stats") as case:
            case.clean()
            ran = case.server.run("clock", nth=1, times=0, every=2,
                                  stdin=case.stdin)
            check(ran.status == 0 and case.results() == case.want,
                  case.argv, ran.status)
            stats = json.loads(Path("stats").read_text())
            check(stats["state"] == "done" and not
                  [k for k, v in stats.items()
                   if isinstance(v, (int, float)) and v < 0], stats)
            hits += ran.hits
    check(hits > 0, "no clock was looked at")
    return "%d jumps" % hits


def with_data(test):
    def run():
        if not Path("data.jsonl").exists():
            make_data()
        return test()
    run.__doc__ = test.__doc__
    return run


if __name__ == "__main__":
    run_all(*map(with_data, (
        calls_fail, calls_fail_in_threads, memory_fails,
        memory_is_at_an_end, short_and_interrupted, full_device,
        nobody_reads, reader_goes, few_descriptors, little_memory,
        clock_jumps)))

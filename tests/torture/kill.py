#!/usr/bin/env python3
"""Signals at every system call and at any moment, any program of the pipe
killed, two writers to one name: what is there is whole, or as it was."""
import json
import os
import random
import signal
import subprocess
import time
from pathlib import Path

from faults import Case, PROGRAMS, with_data
from torture import DEMO, MODEL, SCALE, check, run_all, sh, temporaries

SIGNALS = {"KILL": signal.SIGKILL, "TERM": signal.SIGTERM,
           "INT": signal.SIGINT}
BEFORE = b"before"


def clean():
    """What SIGKILL has left; nothing else may have left anything."""
    for name in temporaries():
        os.unlink(name)


def judge_signal(case, ran, name, n):
    what = "%s: SIG%s before call %d:" % (case.argv, name, n)
    got = case.results()
    # A source may have closed the door behind it already.
    check(ran.status == -SIGNALS[name], what, "exit", ran.status)
    for file in case.names:
        check(case.is_promised(file, got[file]), what, "half of", file)
    check(name == "KILL" or not temporaries(), what, temporaries())


def at_every_call():
    """SIGKILL, SIGTERM and SIGINT before each call to the system, in every
    program: under the final names is all or what was there, no temporary
    survives SIGTERM and SIGINT, and running again gives the same bytes"""
    total = 0
    cases = [(name, ("-q", "-j", "1", "-r", "rej", "-o", "x.zst"))
             for name in PROGRAMS] + [("shard-cat", ("-o", "x.zst"))]
    # A thread of its own creates these figures, again and again.
    cases.append(("tokpack", ("-q", "-j", "1", "--stats", "stats.json", "-r",
                              "rej", "-o", "x.zst")))
    for name, options in cases:
        with Case(name, *options) as case:
            for sig in SIGNALS:
                n = 0
                while True:
                    n += 1
                    case.clean()
                    ran = case.server.run("any", sig, n, stdin=case.stdin)
                    if ran.hits == 0:
                        break
                    judge_signal(case, ran, sig, n)
                    clean()
                check(n > 10, case.argv, "only", n, "calls")
                case.clean()
                ran = case.server.run(stdin=case.stdin)
                check(ran.status == 0 and case.results() == case.want,
                      case.argv, "is another after", sig)
                total += n - 1
    return "%d signals" % total


def pipe_data(folder="."):
    """Some of the demo, good and bad, and the pipe's want.zst."""
    if Path(folder, "demo.jsonl").exists():
        return
    records = json.loads((DEMO / "data.json").read_text())
    with open("demo.jsonl", "w") as f:
        for r in records[:10] + records[23:24] + records[10:14]:
            f.write(json.dumps(r) + "\n")


def start_pipe(output="out.zst", data="demo.jsonl"):
    """The five programs, running."""
    argvs = (["jsonl-split", data], ["dpo-pair"],
             ["audio-check", "--root", DEMO], ["melspec"],
             ["tokpack", "-m", MODEL, "-r", output + ".rejects",
              "-o", output])
    pipe, running = subprocess.DEVNULL, []
    for argv in argvs:
        p = subprocess.Popen(
            list(map(str, argv)), stdin=pipe, stderr=subprocess.DEVNULL,
            stdout=None if argv is argvs[-1] else subprocess.PIPE)
        if running:
            pipe.close()
        pipe = p.stdout
        running.append(p)
    return running


def end_pipe(running):
    try:
        return [p.wait(60) for p in running]
    finally:
        for p in running:
            p.kill()
            p.wait()


def at_any_moment():
    """SIGKILL, SIGTERM and SIGINT at 200 random moments to one program of
    the pipe, or all: a whole shard or what was there; a program killed before
    its end makes the last one end with 3; and a rerun gives the same bytes"""
    pipe_data()
    clean()
    took, seen = 60, {"whole": 0, "before": 0}
    for _ in range(3):
        began = time.monotonic()
        check(end_pipe(start_pipe()) == [0] * 5, "the pipe fails")
        took = min(took, time.monotonic() - began)
    want = Path("out.zst").read_bytes()
    sh("shard-cat --check -q out.zst")
    rng = random.Random(200)
    for i in range(200 * SCALE):
        name = rng.choice(sorted(SIGNALS))
        victim = rng.randrange(6)       # 5: all of them, as Ctrl-C has it
        moment = rng.uniform(0, took)
        what = "round %d: SIG%s to %d after %.4f s:" % (i, name, victim,
                                                        moment)
        Path("out.zst").write_bytes(BEFORE)
        running = start_pipe()
        time.sleep(moment)
        for p in running if victim == 5 else [running[victim]]:
            p.send_signal(SIGNALS[name])
        ends = end_pipe(running)
        got = Path("out.zst").read_bytes()
        check(got in (BEFORE, want), what, ends, "half of a shard")
        check((ends[4] == 0) <= (got == want), what, ends, "no shard")
        if victim < 4 and ends[victim] < 0 and got != want:
            check(ends[4] == 3, what, ends)
        check(ends[4] in (0, 3, -SIGNALS[name]), what, ends)
        check(temporaries() == [] or (name == "KILL" and victim >= 4),
              what, ends, temporaries())
        clean()
        seen["whole" if got == want else "before"] += 1
        if i % 20 == 0:
            check(end_pipe(start_pipe()) == [0] * 5, what, "then it fails")
            check(Path("out.zst").read_bytes() == want, what,
                  "then another shard")
    check(min(seen.values()) > 0, seen)
    return "%d moments, after %d of which all was there" % (
        sum(seen.values()), seen["whole"])


def any_one_is_killed():
    """kill -9 of any one program but the last while data flow: the last one
    ends with 3, what was there stays, and nobody is left"""
    pipe_data()
    clean()
    # More than fits into the pipes, so that nobody is done.
    sh("for _ in $(seq 600); do cat demo.jsonl; done >long.jsonl")
    rng, n = random.Random(9), 0
    for _ in range(3 * SCALE):
        for victim in range(4):
            Path("out.zst").write_bytes(BEFORE)
            running = start_pipe(data="long.jsonl")
            # Data have come through when the last has something to write.
            limit = time.monotonic() + 30
            while not [f for f in temporaries() if ".out.zst." in f and
                       os.stat(f).st_size > 0]:
                check(time.monotonic() < limit and
                      running[4].poll() is None, "nothing comes through")
                time.sleep(0.001)
            time.sleep(rng.uniform(0, 0.02))
            running[victim].kill()
            ends = end_pipe(running)
            check(ends[4] == 3 and ends[victim] == -9, victim, ends)
            check(Path("out.zst").read_bytes() == BEFORE, victim)
            check(temporaries() == [], victim, temporaries())
            n += 1
    return "%d kills" % n


def two_writers():
    """two writers to one name at once: one whole result, and no temporary"""
    pipe_data()
    clean()
    lines = Path("demo.jsonl").read_text().splitlines(True)
    Path("a.jsonl").write_text("".join(lines[:9]))
    Path("b.jsonl").write_text("".join(lines[3:]))
    want = {}
    for name in "ab":
        check(end_pipe(start_pipe(data=name + ".jsonl")) == [0] * 5)
        want[name] = Path("out.zst").read_bytes()
    check(want["a"] != want["b"], "the same")
    seen = {"a": 0, "b": 0}
    rng = random.Random(2)
    for i in range(40 * SCALE):
        Path("out.zst").write_bytes(BEFORE)
        first, second = ("a", "b") if i % 2 else ("b", "a")
        one = start_pipe(data=first + ".jsonl")
        time.sleep(rng.uniform(0, 0.02))
        two = start_pipe(data=second + ".jsonl")
        check(end_pipe(one) + end_pipe(two) == [0] * 10, "round", i)
        got = Path("out.zst").read_bytes()
        check(got in want.values(), "round", i, "a mixture")
        check(temporaries() == [], temporaries())
        seen["a" if got == want["a"] else "b"] += 1
    return "%d rounds, the last was %s" % (
        sum(seen.values()), ", ".join("%s %d times" % s
                                      for s in sorted(seen.items())))


if __name__ == "__main__":
    run_all(*map(with_data, (at_every_call, at_any_moment,
                             any_one_is_killed, two_writers)))

#!/usr/bin/env python3
"""hostile_paths: names in the data that lead elsewhere, nowhere, or to what
is no file, and that change while they are looked at."""
import json
import os
import shutil
import socket
import threading

from hostile_tap import AUDIO, SCALE, below, code, equal, finish, records, \
    repeat, run, test, write

INSIDE, OUTSIDE = AUDIO / "ok-321.wav", AUDIO / "ok-whole.wav"
LONG = "x" * 100_000


def furnish():
    """The folder in, which is the root, with all sorts in it, and out."""
    for name in ("in/sub", "out", "inner"):
        os.makedirs(name)
    for name in ("in/a.wav", "in/sub/b.wav", "in/new\nline.wav",
                 "in/\x1b[31m.wav", "in/-", "in/é中🍅.wav", "in/ .wav"):
        shutil.copy(INSIDE, name)
    for name in ("out/o.wav", "inner/i.wav"):
        shutil.copy(OUTSIDE, name)
    os.mkfifo("in/fifo.wav")
    with socket.socket(socket.AF_UNIX) as s:
        s.bind("in/socket.wav")
    links = {"good": "sub/b.wav", "up": "../out/o.wav", "loop": "loop",
             "a": "b", "b": "a", "folder": "sub", "away": "../out",
             "zero": "/dev/zero", "exe": "/proc/self/exe",
             "mem": "/proc/self/mem", "stdin": "/dev/stdin",
             "fd": "/proc/self/fd", "cwd": "/proc/self/cwd",
             "root": "/proc/self/root", "passwd": "/etc/passwd",
             "gone": "nothing", "tofifo": "fifo.wav", "empty": "."}
    for name, to in links.items():
        os.symlink(to, f"in/{name}")
    os.symlink("a.wav", "in/l0")
    for i in range(1, 60):
        os.symlink(f"l{i - 1}", f"in/l{i}")
    os.symlink(os.path.abspath("in/sub/b.wav"), "in/absolute")


def check(wants, *options):
    """WANTS is (path, codes); the paths come as a list in the folder in."""
    write("in/d.jsonl", b"".join(json.dumps({
        "messages": [{"role": "user", "content": "<audio>"}],
        "chosen": {"role": "assistant", "content": "a"},
        "rejected": {"role": "assistant", "content": "b"},
        "audios": [path]}).encode() + b"\n" for path, _ in wants))
    done = run("jsonl-split in/d.jsonl | dpo-pair | audio-check --no-pcm " +
               " ".join(options), limit_s=100)
    equal(done.status, 0, done.err)
    got = [code(r) for r in records(done.out)]
    wrong = [f"{path[:60]!r}: {g}, not {w}" for (path, w), g in
             zip(wants, got) if g not in w.split()]
    assert not wrong and len(got) == len(wants), "; ".join(wrong)
    # Each is told at its own line, and none beside.
    told = [(line, c) for _, line, c in done.messages()]
    equal(sorted(told), [(i + 1, g) for i, g in enumerate(got) if g != "ok"])
    below(done, 64)
    return done


@test
def every_way_out_of_a_root_is_closed_and_every_way_within_open():
    furnish()
    here = os.getcwd()
    out, no, not_file = "audio-outside", "audio-missing", "audio-not-a-file"
    wants = [
        ("a.wav", "ok"), ("./a.wav", "ok"), ("sub/../a.wav", "ok"),
        ("sub/..//./a.wav", "ok"), ("../in/a.wav", "ok"), ("good", "ok"),
        ("folder/b.wav", "ok"), ("empty/empty/a.wav", "ok"),
        ("absolute", "ok"), (f"{here}/in/a.wav", "ok"), ("-", "ok"),
        (f"{here}/out/../in/a.wav", "ok"), ("new\nline.wav", "ok"),
        ("\x1b[31m.wav", "ok"), ("é中🍅.wav", "ok"), (" .wav", "ok"),
        ("l30", "ok"), ("cwd/in/a.wav", "ok"), (f"root{here}/in/a.wav", "ok"),
        ("l59", no), ("loop", no), ("a", no), ("gone", no),
        ("a.wav/", no), ("a.wav/.", no), ("A.WAV", no), ("~", no),
        ("$HOME/a.wav", no), ("a.wav\n", no), ("a.wav\0.mp3", no),
        ("\0", no), ("|cat /etc/passwd", no), ("C:\\a.wav", no),
        ("", "missing-field"), ("./" + LONG + ".wav", no),
        ("/" + LONG + ".", no), ("../" * 30_000 + "etc/passwd", no),
        ("sub/../" * 30_000 + "a.wav", no), ("x" * 255, no),
        ("x" * 256, no), ("\ud83c\udf45" * 64, no), ("./" * 2000 + "a.wav",
                                                     no + " ok"),
        ("fifo.wav", not_file), ("tofifo", not_file), ("socket.wav",
                                                       not_file),
        (".", not_file), ("sub", not_file), ("folder", not_file),
        ("folder/", not_file), ("sub/..", not_file), (f"{here}/in", not_file),
        ("..", out), ("../out/o.wav", out), ("up", out), ("away/o.wav", out),
        ("../inner/i.wav", out), (f"{here}/out/o.wav", out),
        (f"//{here}/out/o.wav", out), ("sub/../../out/o.wav", out),
        ("/etc/passwd", out), ("passwd", out), ("/", out), ("root", out),
        ("root/etc/passwd", out), ("cwd/out/o.wav", out),
        ("/dev/null", out), ("/dev/zero", out), ("zero", out),
        # Pipes, in this test, which are nowhere at all.
        ("/dev/stdin", not_file), ("stdin", not_file),
        ("/dev/fd/0", not_file), ("fd/0", not_file),
        ("/proc/self/environ", out), ("/proc/self/mem", out), ("mem", out),
        ("exe", out), ("/proc/1/environ", out),
        ("/sys/kernel/notes", out + " " + no),
        ("file:///etc/passwd", "audio-inline"),
        ("http://localhost/a.wav", "audio-inline"),
        ("data:audio/wav;base64,UklGRg==", "audio-inline"),
    ]
    check(wants)
    check([(p, w) for p, w in wants], "--root", f"'{here}/in'")
    # One who may read everything else: only files come out all the same.
    check([("fifo.wav", not_file), ("/dev/zero", not_file), ("/", not_file),
           ("zero", not_file), ("socket.wav", not_file),
           ("/proc/self/mem", "audio-empty audio-missing audio-format"),
           ("/etc/passwd", "audio-format"), ("up", "ok")], "--root", "/",
          "--root", f"'{here}/in'")
    return f"{len(wants)} paths"


@test
def names_of_a_hundred_thousand_characters_are_told_in_little_memory():
    os.mkdir("in")
    shutil.copy(INSIDE, "in/a.wav")
    n = 100 * SCALE
    write("in/list", *[[(LONG + str(i)).encode(), b"\na.wav\n"]
                       for i in range(n)])
    done = run("jsonl-split --paths in/list | audio-check --no-pcm")
    equal(done.status, 0, done.err[:300])
    equal([code(r) for r in records(done.out)], ["audio-missing", "ok"] * n)
    assert len(max(done.err.split("\n"), key=len)) < 500
    below(done, 128)
    return f"{n} of {len(LONG)} characters"


class Swap:
    """The path NAME is FIRST and SECOND by turns, while it is entered; each
    makes it, under the name that it is given."""

    def __init__(self, name, *makes):
        self.name, self.makes, self.count = name, makes, 0
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.swap)

    def swap(self):
        while not self.over.is_set():
            make = self.makes[self.count % len(self.makes)]
            make(self.name + ".new")
            os.rename(self.name + ".new", self.name)
            self.count += 1

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()


def race(path, swap, codes, n=4000, more=None):
    """Check PATH N times while SWAP goes on: the secret outside, of 800
    samples, never comes in; all of CODES are seen, and no other."""
    n *= SCALE
    write("in/list", repeat(path.encode() + b"\n", n))
    seen, runs = set(), 0
    while runs < 1 or (not set(codes) <= seen and runs < 20):
        with swap:
            done = run("jsonl-split --paths in/list | "
                       "audio-check -q -j 2 --no-pcm >out.zst", limit_s=100)
        swap.over.clear()
        swap.thread = threading.Thread(target=swap.swap)
        equal(done.status, 0, done.err)
        got = [json.loads(line) for line in
               run("shard-cat out.zst").out.splitlines()]
        equal(len(got), n)
        for r in got:
            equal(r["audio"][0]["samples"] if "audio" in r else 321, 321,
                  "the secret came in")
        seen |= {code(r) for r in got}
        runs += 1
    allowed = set(codes) | set((more or "").split())
    assert set(codes) <= seen <= allowed, seen
    return f"{runs * n} opens, {swap.count} swaps"


def scene():
    os.makedirs("in/real")
    os.makedirs("out")
    shutil.copy(INSIDE, "in/real/x.wav")
    shutil.copy(OUTSIDE, "out/x.wav")


@test
def a_file_swapped_with_a_link_out_never_lets_it_in():
    scene()
    swap = Swap("in/s.wav", lambda p: os.link("in/real/x.wav", p),
                lambda p: os.symlink("../out/x.wav", p))
    return race("s.wav", swap, ["ok", "audio-outside"], more="audio-missing")


@test
def neither_does_a_folder_swapped_with_a_link_out():
    scene()
    swap = Swap("in/d", lambda p: os.symlink("real", p),
                lambda p: os.symlink("../out", p))
    return race("d/x.wav", swap, ["ok", "audio-outside"],
                more="audio-missing")


@test
def a_file_swapped_with_a_pipe_or_a_device_holds_nobody_up():
    scene()
    swap = Swap("in/s.wav", lambda p: os.link("in/real/x.wav", p),
                os.mkfifo, lambda p: os.symlink("/dev/zero", p))
    return race("s.wav", swap, ["ok", "audio-not-a-file", "audio-outside"],
                more="audio-missing")


@test
def a_file_written_anew_while_it_is_read_costs_no_other():
    scene()
    sounds = [p.read_bytes() for p in sorted(AUDIO.glob("ok-whole.*"))]
    over, count = threading.Event(), 0

    def rewrite():
        nonlocal count
        with open("in/s.wav", "wb", buffering=0) as f:
            while not over.is_set():
                f.seek(0)
                f.truncate()
                f.write(sounds[count % len(sounds)] * (1 + count % 50))
                count += 1

    n = 2000 * SCALE
    write("in/list", repeat(b"s.wav\nreal/x.wav\n", n))
    writer = threading.Thread(target=rewrite)
    writer.start()
    try:
        done = run("jsonl-split --paths in/list | "
                   "audio-check -q -j 2 --no-pcm", limit_s=200)
    finally:
        over.set()
        writer.join()
    equal(done.status, 0, done.err)
    got = [code(r) for r in records(done.out)]
    equal(set(got[1::2]), {"ok"})
    equal(len(got), 2 * n)
    below(done, 128)
    return f"{n} opens, {count} writes"


@test
def a_file_that_may_not_be_read_is_missing_and_no_more():
    os.mkdir("in")
    shutil.copy(INSIDE, "in/a.wav")
    shutil.copy(INSIDE, "in/b.wav")
    os.mkdir("in/closed")
    shutil.copy(INSIDE, "in/closed/c.wav")
    os.chmod("in/a.wav", 0)
    write("in/list", b"a.wav\nb.wav\nclosed/c.wav\n")
    os.chmod("in/closed", 0)
    os.chmod(".", 0o755)
    user = [] if os.geteuid() else [
        "setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
    done = run([*user, "sh", "-c", "jsonl-split --paths in/list | "
                "audio-check --no-pcm"])
    os.chmod("in/closed", 0o700)
    equal(done.status, 0, done.err)
    equal([code(r) for r in records(done.out)],
          ["audio-missing", "ok", "audio-missing"])
    equal(done.err.count("Permission denied"), 2, done.err)


finish()

#!/usr/bin/env python3
"""sandbox: what a decoder that has been taken over can do: nothing.

sandbox/inside.c is preloaded into audio-check and does, in the place of
libsndfile and behind the walls, what a file tells it to.
"""
import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from hostile_tap import AUDIO, ROOT, SCALE, below, code, equal, \
    finish, records, run, test

LANDLOCK = "444"
ENOSYS, EPERM, EOPNOTSUPP = 38, 1, 95
HOOK = Path(tempfile.mkdtemp()) / "inside.so"
DENY = str(ROOT / "tests/torture/sandbox_deny.py")

# What a computation on an open file needs, and no more.
LEFT = set("""
brk clock_gettime close exit exit_group futex getpid getrandom gettid
gettimeofday lseek madvise mmap mprotect mremap munmap pread64 read
restart_syscall rt_sigprocmask sched_yield sysinfo time write writev
""".split())
REFUSED = set("fstat newfstatat open openat statx".split())
# What Linux exempts from any list (the uprobes of x86), and nobody else uses.
EXEMPT = {335, 336}


def denied(error, calls):
    return [sys.executable, DENY, str(error), calls]


def tell(wishes, *options, before=(), limit_s=300, good=True):
    """What comes of the WISHES, one file each between two good ones: the
    error's text, for each."""
    for i, wish in enumerate(wishes):
        Path(f"{i}.wav").write_text(f"INSIDE {wish}\n", encoding="utf-8")
    files = [str(AUDIO / "ok-321.wav")]
    files += [f"{i}.wav" for i in range(len(wishes))]
    files += [str(AUDIO / "ok-whole.wav")]
    done = run([*before, "audio-check", "-q", "-j", "1", "--no-pcm",
                *options, *files], env={"LD_PRELOAD": str(HOOK)},
               limit_s=limit_s)
    equal(done.status, 0, done.err)
    got = records(done.out)
    equal(len(got), len(wishes) + 2)
    equal((code(got[0]), code(got[-1])), ("ok", "ok"))
    return [f"{code(r)}: {r['error']['message'].split(': ', 1)[1]}"
            for r in got[1:-1]], done


def killed(text):
    return "audio-decoder: the decoder was lost: it tried what it may not do" \
        in text


def landlock():
    """The version of Landlock that the kernel has; -1 for none."""
    return ctypes.CDLL(None).syscall(int(LANDLOCK), None, 0, 1)


@test
def this_kernel_has_every_wall_to_be_tried():
    assert landlock() >= 1, "no Landlock: try these tests elsewhere"
    done = run(["audio-check", "-q", "--sandbox", "require",
                AUDIO / "ok-321.wav"])
    equal(done.status, 0, done.err)
    return f"Landlock {landlock()}"


@test
def of_all_system_calls_those_of_a_computation_are_left():
    said, done = tell([f"call {n}" for n in range(600)])
    left, refused = set(), set()
    for n, text in enumerate(said):
        if killed(text) or n in EXEMPT:
            continue
        what = text.split("open it: ")[-1].split(":")[0]
        if "ended without an answer" in text:
            what = "exit" if "exit" not in left else "exit_group"
        (refused if "Permission denied" in text else left).add(what)
    equal(left - LEFT, set())
    equal(refused - REFUSED, set())
    assert len(left) > 20, left
    return f"{len(left)} of {len(said)}, {done.seconds:.1f} s"


@test
def no_argument_makes_more_of_them():
    wishes = ["run", "map", "protect", "old", "x32", "peer", "tcp",
              "abstract a", f"signal {os.getpid()}", f"trace {os.getpid()}",
              "stat /etc/passwd", "stat /"]
    said, _ = tell(wishes)
    for wish, text in zip(wishes, said):
        assert killed(text) or "Permission denied" in text, (wish, text)
    return f"{len(wishes)} tried"


@test
def no_name_can_be_opened_or_made():
    wishes = [f"{verb} {name}" for name in (
        "/etc/passwd", "/", ".", "..", "/proc/self/mem", "/proc/self/fd/3",
        "/proc/self/fd/4", "/proc/1/environ", "/dev/null", "/dev/tty",
        "/tmp/x", "x", "/dev/shm/x", "1.wav", str(AUDIO / "ok-321.wav"))
        for verb in ("open", "make")]
    for options in ([], ["--clip", "1"]):
        said, _ = tell(wishes, *options)
        for wish, text in zip(wishes, said):
            assert "Permission denied" in text, (wish, text)
    # With Landlock alone: what a kernel without seccomp has left.
    said, _ = tell(wishes, before=denied(EPERM, "seccomp"))
    for wish, text in zip(wishes, said):
        assert "worked" not in text, (wish, text)
    said, _ = tell(["open /etc/passwd"], "--sandbox", "off")
    assert "worked" in said[0], said
    return f"{len(wishes)} tried, also with Landlock alone"


@test
def landlock_alone_keeps_tcp_other_processes_and_programs_out():
    version = landlock()
    wishes = ["run", f"trace {os.getpid()}"]
    if version >= 4:
        wishes.append("tcp")
    if version >= 6:
        wishes += ["abstract ossicle-torture", f"signal {os.getpid()}"]
    with socket.socket(socket.AF_UNIX) as s:
        s.bind("\0ossicle-torture")
        s.listen()
        said, _ = tell(wishes, before=denied(EPERM, "seccomp"))
        free, _ = tell(["abstract ossicle-torture", f"signal {os.getpid()}"],
                       "--sandbox", "off")
    for wish, text in zip(wishes, said):
        assert "Permission denied" in text or \
            "Operation not permitted" in text, (wish, text)
    assert all("worked" in text for text in free), free
    return f"{len(wishes)} of 5 that Landlock {version} knows"


def fields(path):
    """The fields of a file in /proc, by name."""
    return dict(line.split(":", 1) for line in
                Path(path).read_text().splitlines() if ":" in line)


def descendants(pid):
    """The processes below PID."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            stat = path.read_text().rsplit(")", 1)[1].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(stat[1]) == pid and stat[0] != "Z":
            child = int(path.parent.name)
            found += [child, *descendants(child)]
    return found


def is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(
            ")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def until(true, what, seconds=60):
    """Wait for TRUE() to be so."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, what
        time.sleep(0.01)


class Busy:
    """An audio-check whose J workers do WISH for ever."""

    def __init__(self, wish, j=2):
        for i in range(j):
            Path(f"{i}.wav").write_text(f"INSIDE {wish}\n", encoding="utf-8")
        self.out = open("out", "wb")
        self.p = subprocess.Popen(
            ["audio-check", "-j", str(j), *[f"{i}.wav" for i in range(j)]],
            env={**os.environ, "LD_PRELOAD": str(HOOK)}, stdout=self.out,
            stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
        until(lambda: len(descendants(self.p.pid)) == j + 1, "no workers")
        all_of = descendants(self.p.pid)
        self.server, self.workers = all_of[0], all_of[1:]
        # Those in their sandbox, with a file, or as near as can be seen.
        until(lambda: all(fields(f"/proc/{w}/status")["Seccomp"].strip()
                          == "2" for w in self.workers), "no sandbox")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.p.kill()
        self.p.wait()
        self.p.stderr.close()
        self.out.close()


@test
def a_worker_holds_nothing_but_its_socket_and_the_file():
    with Busy("wait") as busy:
        pid = busy.workers[0]
        proc = Path(f"/proc/{pid}")
        status = fields(proc / "status")
        for name, want in (("NoNewPrivs", "1"), ("Seccomp", "2"),
                           ("CapEff", "0" * 16), ("CapPrm", "0" * 16),
                           ("CapInh", "0" * 16), ("Threads", "1")):
            equal(status[name].strip(), want, name)
        limits = {line[:26].strip(): line[26:].split()[:2] for line in
                  (proc / "limits").read_text().splitlines()}
        for name in ("Max core file size", "Max file size", "Max processes"):
            equal(limits[name], ["0", "0"], name)
        equal(limits["Max open files"][1], "8")
        assert int(limits["Max address space"][1]) <= (1 << 30) + (4 << 20)
        # Not dumpable: only who may trace any process may look further.
        try:
            names = sorted((proc / "fd").iterdir(), key=lambda p: int(p.name))
        except PermissionError:
            return "not even its descriptors can be listed"
        until(lambda: len(list((proc / "fd").iterdir())) == 5, "no file")
        held = [os.readlink(p) for p in sorted((proc / "fd").iterdir())]
        equal(held[:3], ["/dev/null"] * 3)
        assert held[3].startswith("socket:") and held[4].endswith(".wav"), held
        equal(os.readlink(proc / "cwd"), "/")
        maps = (proc / "maps").read_text().splitlines()
        shared = [m for m in maps if "/dev/zero" in m]
        equal(len(shared), 1, shared)
        assert not any("rwx" in m.split()[1] for m in maps)
        assert names
    return f"{len(held)} descriptors"


@test
def workers_cannot_be_looked_into_by_each_other():
    with Busy("wait") as busy:
        other = busy.workers[0]
        said, _ = tell([f"open /proc/{other}/mem", f"trace {other}",
                        f"signal {other}"])
        assert "Permission denied" in said[0], said
        assert killed(said[1]) and killed(said[2]), said
        said, _ = tell([f"open /proc/{other}/mem", f"trace {other}",
                        f"signal {other}"], before=denied(EPERM, "seccomp"))
        for text in said:
            assert "Permission denied" in text or \
                "Operation not permitted" in text, said
        assert all(is_alive(w) for w in busy.workers)


@test
def whatever_ends_a_decoder_costs_one_record():
    wants = {"crash": "signal 11", "abort": "signal 6",
             "leave": "without an answer", "stack": "signal 11",
             "eat": "ran out of its", "flood": "makes no sense"}
    said, done = tell(wants)
    for text, (wish, want) in zip(said, wants.items()):
        assert text.startswith("audio-decoder") and want in text, (wish, text)
    below(done, 1100)
    said, _ = tell(["loop"])
    assert "no progress in 10 s" in said[0], said
    return f"{len(wants) + 1} ways, {done.rss_mib:.0f} MiB at most"


@test
def a_thousand_crashes_leave_nothing_and_cost_little():
    n = 1000 * SCALE
    said, done = tell(["crash", "abort", "call 41", "leave"] * (n // 4))
    assert all(text.startswith("audio-decoder") for text in said)
    honest = run(["audio-check", "-q", "-j", "1", "--no-pcm"] +
                 [str(AUDIO / "ok-321.wav")] * n)
    equal(honest.status, 0)
    below(done, 64)
    return f"{done.seconds / n * 1000:.1f} ms each"


@test
def no_process_is_left_when_it_is_killed():
    for wish in ("loop", "wait"):
        for j in (1, 4):
            with Busy(wish, j) as busy:
                everyone = [busy.server, *busy.workers]
                busy.p.send_signal(signal.SIGKILL)
                busy.p.wait()
                until(lambda all_of=everyone: not any(map(is_alive, all_of)),
                      "somebody is left")
    return "4 times, 14 workers"


@test
def on_sigterm_and_sigint_neither():
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        with Busy("loop", 2) as busy:
            everyone = [busy.server, *busy.workers]
            busy.p.send_signal(number)
            equal(busy.p.wait(30), -number)
            until(lambda all_of=everyone: not any(map(is_alive, all_of)),
                  "somebody is left")


@test
def when_the_process_that_starts_them_is_killed_the_run_ends_with_3():
    for wish in ("loop", "wait"):
        with Busy(wish, 2) as busy:
            os.kill(busy.server, signal.SIGKILL)
            equal(busy.p.wait(60), 3)
            said = busy.p.stderr.read().decode()
            assert "the process that starts decoders is gone" in said, said
            until(lambda all_of=busy.workers: not any(map(is_alive, all_of)),
                  "somebody is left")
        assert b"frames" not in Path("out").read_bytes()


@test
def a_worker_that_is_killed_from_outside_costs_its_record():
    with Busy("wait", 1) as busy:
        os.kill(busy.workers[0], signal.SIGKILL)
        equal(busy.p.wait(60), 0)
        assert "audio-decoder" in busy.p.stderr.read().decode()


def goes_without(before, missing):
    """Where walls are MISSING, each is told once, and require refuses."""
    files = [str(AUDIO / "ok-321.wav")] * 9
    done = run([*before, "audio-check", "-j", "4", "--no-pcm", *files])
    equal(done.status, 0, done.err)
    equal([code(r) for r in records(done.out)], ["ok"] * 9)
    for wall in ("Landlock", "seccomp"):
        equal(done.err.count(f"decoders run without {wall}"),
              wall in missing, done.err)
    done = run([*before, "audio-check", "--sandbox", "require", "-o", "x.zst",
                *files])
    equal(done.status, 3, done.err)
    assert "the sandbox cannot be had in full: no " + missing[0] in done.err
    assert "--sandbox=auto" in done.err and not Path("x.zst").exists()
    done = run([*before, "audio-check", "--sandbox", "off", *files])
    equal((done.status, done.err), (0, ""))


@test
def what_the_kernel_denies_is_told_once_and_require_refuses():
    for error in (ENOSYS, EPERM, EOPNOTSUPP):
        goes_without(denied(error, LANDLOCK), ["Landlock"])
        goes_without(denied(error, "seccomp"), ["seccomp"])
        goes_without(denied(error, f"{LANDLOCK},seccomp"),
                     ["Landlock", "seccomp"])
    said, _ = tell(["open /etc/passwd", "run", "tcp"],
                   before=denied(ENOSYS, LANDLOCK))
    assert "Permission denied" in said[0], said
    assert killed(said[1]) and killed(said[2]), said
    return "9 ways"


@test
def a_wall_that_fails_to_go_up_ends_the_run():
    for error, call in ((EPERM, "446"), (ENOSYS, "446"), (EPERM, "317")):
        done = run([*denied(error, call), "audio-check", "-j", "2", "-o",
                    "x.zst", str(AUDIO / "ok-321.wav")], limit_s=60)
        if call == "317" and done.status == 0:
            # libseccomp found the older way to install its list.
            continue
        equal(done.status, 3, done.err)
        assert not Path("x.zst").exists()
        assert "decoder" in done.err or "sandbox" in done.err, done.err


@test
def an_ordinary_user_has_the_same_walls():
    os.chmod(".", 0o755)
    os.chmod(HOOK.parent, 0o755)
    for who in ([[]] if os.geteuid() else [
            ["setpriv", "--reuid", "65534", "--regid", "65534",
             "--clear-groups"], ["unshare", "-rm"]]):
        said, _ = tell(["open /etc/passwd", "stat /", "run", "tcp", "crash"],
                       "--sandbox", "require", before=who)
        assert "Permission denied" in said[0], said
        assert "Permission denied" in said[1], said
        assert killed(said[2]) and killed(said[3]), said
        assert "signal 11" in said[4], said


def build():
    """Make what is preloaded."""
    subprocess.run([os.environ.get("CC", "cc"), "-D_GNU_SOURCE", "-O1",
                    "-fPIC", "-shared", "-Wall", "-Wextra", "-o", HOOK,
                    ROOT / "tests/torture/sandbox/inside.c", "-ldl"],
                   check=True)


build()
try:
    finish()
finally:
    shutil.rmtree(HOOK.parent)

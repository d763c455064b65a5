"""hostile_tap: what the tortures that are Python scripts share.

A test is a function whose name is the sentence that is true, marked @test,
run in an empty folder of its own, with the programs in PATH; what it returns
is its figure, an AssertionError its failure.  finish() runs them all, prints
TAP and exits.
"""
import json
import os
import pickle
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = (ROOT / os.environ.get("BUILD", "build")).resolve()
SCALE = int(os.environ.get("SCALE", "1"))
MODEL = ROOT / "examples/demo/model"
AUDIO = ROOT / "tests/bad/audio"
MIB = 1 << 20
TESTS = []

# What no message may hold: control characters raw, C1 and DEL too.
CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f]")
# A fault of a record, with its place and its code; of the run, with neither.
OF_RECORD = re.compile(r"^(\S[^\n]*?)(?::(\d+)|@(\d+))?: (error|note): "
                       r"(.*) \[([a-z0-9-]+)\]$")


def test(function):
    TESTS.append(function)
    return function


class Done:
    """How a command ended: status (negative: the signal), out, err, rss_mib
    (the most that any one of its processes had at a time), seconds."""

    def __init__(self, **fields):
        self.__dict__.update(fields)

    def messages(self):
        """(file, line, code) of each fault of a record that was told."""
        found = [OF_RECORD.match(line) for line in self.err.split("\n")]
        return [(m[1], int(m[2] or 0), m[6]) for m in found if m]

    def codes(self):
        return [code for _, _, code in self.messages()]


def ask(sock, what, fds=()):
    """Send WHAT, and FDS."""
    data = pickle.dumps(what)
    socket.send_fds(sock, [len(data).to_bytes(8, "little")], fds)
    sock.sendall(data)


def answer(sock):
    """What came, and the descriptors that came with it; None at the end."""
    head, fds, _, _ = socket.recv_fds(sock, 8, 3)
    if not head:
        return None, []
    data, size = b"", int.from_bytes(head, "little")
    while len(data) < size:
        data += sock.recv(size - len(data))
    return pickle.loads(data), fds


def spawn(sock):
    """The life of a process that runs commands for us.  It stays small: a
    process's peak of memory begins with that of the process it was forked
    from, and ours is large at times."""
    while True:
        what, fds = answer(sock)
        if what is None:
            os._exit(0)
        argv, folder, env = what
        p = subprocess.Popen(argv, cwd=folder, env=env, stdin=fds[0],
                             stdout=fds[1], stderr=fds[2],
                             start_new_session=True)
        for fd in fds:
            os.close(fd)
        ask(sock, p.pid)
        _, status, use = os.wait4(p.pid, 0)
        p.returncode = os.waitstatus_to_exitcode(status)
        ask(sock, (p.returncode, use.ru_maxrss))


def spawner():
    """Start that process; the socket to it."""
    ours, its = socket.socketpair()
    if os.fork() == 0:
        ours.close()
        spawn(its)
    its.close()
    return ours


SPAWNER = spawner()


def feed(fd, chunks):
    """Write CHUNKS to FD, as far as anyone reads them."""
    try:
        with open(fd, "wb", buffering=0) as pipe:
            for chunk in chunks:
                view = memoryview(chunk)
                while view:
                    view = view[pipe.write(view):]
    except BrokenPipeError:
        pass


def run(command, given=b"", limit_s=120, env=None):
    """Run COMMAND, a list or a line for the shell, on GIVEN: bytes, or bytes
    in pieces.  That it hangs or crashes, or says what harms a terminal, is a
    failure here already."""
    if isinstance(command, str):
        command = ["bash", "-c", "set -o pipefail; " + command]
    start = time.monotonic()
    given_end, feed_end = os.pipe()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        ask(SPAWNER, (command, os.getcwd(), {**os.environ, **(env or {})}),
            [given_end, out.fileno(), err.fileno()])
        os.close(given_end)
        feeder = threading.Thread(target=feed, daemon=True, args=(
            feed_end, [given] if isinstance(given, bytes) else given))
        feeder.start()
        pid = answer(SPAWNER)[0]
        late = threading.Event()

        def end():
            late.set()
            os.killpg(pid, signal.SIGKILL)

        timer = threading.Timer(limit_s, end)
        timer.start()
        status, rss = answer(SPAWNER)[0]
        timer.cancel()
        feeder.join(10)
        seconds = time.monotonic() - start
        out.seek(0)
        err.seek(0)
        said = err.read()
        done = Done(status=status, out=out.read(), raw=said,
                    err=said.decode("utf-8", "replace"), seconds=seconds,
                    rss_mib=rss / 1024)
    what = str(command)[:300]
    assert not late.is_set(), f"hangs: {what}\n{done.err[-2000:]}"
    assert done.status >= 0 and done.status < 128, \
        f"dies of {done.status}: {what}\n{done.err[-2000:]}"
    is_tame(said, what)
    return done


def is_tame(said, what):
    """SAID, on stderr, can be shown on any terminal."""
    try:
        text = said.decode("utf-8")
    except UnicodeDecodeError as fault:
        raise AssertionError(f"stderr is not UTF-8: {what}: {fault}") from None
    found = CONTROL.search(text)
    assert not found, f"stderr has {found[0]!r}: {what}: " \
        f"{text[max(0, found.start() - 80):found.end() + 80]!r}"


def repeat(piece, n):
    """PIECE N times, in pieces of a MiB: what a test holds itself counts as
    memory of what it runs."""
    many = max(1, MIB // len(piece))
    while n > 0:
        yield piece * min(n, many)
        n -= many


def write(path, *parts):
    """Write PARTS, each bytes or an iterable of bytes, to PATH."""
    with open(path, "wb") as f:
        for part in parts:
            for piece in [part] if isinstance(part, bytes) else part:
                f.write(piece)


def records(stream):
    """The records of STREAM (bytes), through shard-cat."""
    Path("records.zst").write_bytes(stream)
    got = run(["shard-cat", "records.zst"])
    assert got.status == 0, got.err
    return [json.loads(line) for line in got.out.splitlines()]


def code(record):
    return record.get("error", {}).get("code", "ok")


def equal(got, want, more=""):
    assert got == want, f"{got!r}, not {want!r} {more}"


def below(done, mib):
    assert done.rss_mib < mib, f"{done.rss_mib:.0f} MiB of memory, not {mib}"


def pair(**fields):
    """A good pair of text, with FIELDS put in."""
    return {"instruction": "Say it", "chosen": "It.", "rejected": "No.",
            **fields}


def lines(values):
    return b"".join(json.dumps(v, ensure_ascii=False).encode(
        "utf-8", "surrogatepass") + b"\n" for v in values)


def attempt(number, function):
    """Run the test FUNCTION; whether it went well."""
    name = function.__name__.replace("_", " ")
    here = tempfile.mkdtemp()
    os.chdir(here)
    try:
        figure = function()
        print(f"ok {number} - {name}" + (f" # {figure}" if figure else ""),
              flush=True)
        return True
    except Exception:
        print(f"not ok {number} - {name}")
        for line in traceback.format_exc().splitlines()[-12:]:
            print("# " + line[:2000])
        sys.stdout.flush()
        return False
    finally:
        os.chdir("/")
        shutil.rmtree(here, ignore_errors=True)


def finish():
    os.environ["PATH"] = f"{BUILD}:{os.environ['PATH']}"
    os.environ["LC_ALL"] = "C.UTF-8"
    wanted = [t for t in TESTS if len(sys.argv) < 2 or
              any(a in t.__name__ for a in sys.argv[1:])]
    print(f"1..{len(wanted)}", flush=True)
    good = [attempt(i + 1, t) for i, t in enumerate(wanted)]
    sys.exit(0 if all(good) else 1)

"""What the tortures that are Python scripts share.

    from torture import BUILD, DEMO, MODEL, SCALE, Broken, check, run_all

Each test is a function that returns its figure; its first line of text is
the sentence that is true.  run_all runs them in an empty folder that goes
afterwards.  Server runs a program many times, with a fault each time.
"""
import os
import select
import shutil
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(ROOT, os.environ.get("BUILD", "build")).resolve()
SCALE = int(os.environ.get("SCALE", "1"))
DEMO = ROOT / "examples/demo"
MODEL = DEMO / "model"

os.environ["LC_ALL"] = "C.UTF-8"
os.environ["PATH"] = "%s:%s" % (BUILD, os.environ["PATH"])


class Broken(Exception):
    """What was promised is not so."""


def check(true, *said):
    if not true:
        raise Broken(" ".join(map(str, said)))


def run_all(*tests):
    """Run the tests, in TAP, and exit."""
    # Thousands of files that are made and synced: in memory, if there is any.
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK | os.X_OK) else None
    folder = tempfile.mkdtemp(dir=memory)
    bad = 0
    print("1..%d" % len(tests), flush=True)
    os.chdir(folder)
    try:
        for n, test in enumerate(tests, 1):
            name = " ".join(test.__doc__.split())
            try:
                print("ok %d - %s # %s" % (n, name, test()), flush=True)
            except Exception:
                bad += 1
                print("not ok %d - %s" % (n, name))
                for line in traceback.format_exc().splitlines():
                    print("# " + line, flush=True)
    finally:
        os.chdir("/")
        shutil.rmtree(folder)
    sys.exit(bad > 0)


def sh(script, status=0, **more):
    """Run a script of bash; what it says to standard output."""
    r = subprocess.run(["bash", "-c", script], stdin=subprocess.DEVNULL,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                       universal_newlines=True, **more)
    check(r.returncode == status, script, r)
    return r.stdout


def temporaries(folder="."):
    """What a program leaves behind where nothing cleans up."""
    return [f for f in os.listdir(folder)
            if f.startswith(".") and f.endswith(".tmp")]


class Ran:
    """How one run ended: its exit status, or less than 0, a signal; how
    often it was struck, in how many calls; the blocks that were not freed."""

    def __init__(self, answer):
        status, self.hits, self.calls, self.live = map(int, answer.split())
        self.status = os.WEXITSTATUS(status) if os.WIFEXITED(status) \
            else -os.WTERMSIG(status)


class Server:
    """A program, started once and run many times by BUILD/torture/preload.so,
    which see: with argv as its command line, in this folder."""

    def __init__(self, *argv):
        shim = BUILD / "torture/preload.so"
        check(shim.exists(), shim, "is not built: make tortures")
        self.argv = argv
        self.process = subprocess.Popen(
            list(map(str, argv)), stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, start_new_session=True,
            env=dict(os.environ, LD_PRELOAD=str(shim)))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.stdout.close()
        try:
            os.killpg(self.process.pid, 9)
        except ProcessLookupError:
            pass
        self.process.wait()

    def run(self, call="none", how="EIO", nth=1, times=1, every=1,
            stdin="/dev/null", stdout="out", stderr="err", timeout=60):
        order = "%s %s %d %d %d %s %s %s\n" % (
            call, how, nth, times, every, stdin, stdout, stderr)
        self.process.stdin.write(order.encode())
        self.process.stdin.flush()
        came, _, _ = select.select([self.process.stdout], [], [], timeout)
        check(came, self.argv, "hangs after", order)
        answer = self.process.stdout.readline()
        check(answer, self.argv, "has lost its server after", order)
        return Ran(answer)

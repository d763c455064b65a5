"""What processes use, and how to compare it.

Everything is paired: what is compared runs in turn (A B A B), and a ratio is
the median of those of neighbours, so that a machine that is slower for a while
is slower for both.
"""
from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

# One thread for whatever computes in Python: CPU time is compared, and threads
# that wait for each other would only add to it.
ONE_THREAD = {name: "1" for name in (
    "OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS", "NUMBA_NUM_THREADS", "RAYON_NUM_THREADS")}
ONE_THREAD["TOKENIZERS_PARALLELISM"] = "false"


@dataclass(frozen=True)
class Use:
    """What a process that has ended used, with the children that it reaped."""
    user: float
    system: float
    wall: float     # seconds
    peak: int       # bytes, of the largest single process

    @property
    def cpu(self) -> float:
        return self.user + self.system


def use_program() -> str:
    """The program that runs another and tells its use: BUILD/bench/use."""
    return str(Path(os.environ["BUILD"], "bench", "use").resolve())


def pipe(commands: list[list[str]], *, stdin=None, stdout=None, env=None,
         cwd=None) -> list[Use]:
    """Run COMMANDS as a pipe and wait for all: a Use each.

    STDIN and STDOUT are paths or open files, the null device where they are
    not given; ENV is joined to the environment.  Raises RuntimeError with the
    end of stderr where a program fails.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))

        def opened(what, mode):
            if what is None:
                what = os.devnull
            if isinstance(what, (str, Path)):
                return stack.enter_context(open(what, mode))
            return what

        source = opened(stdin, "rb")
        last = opened(stdout, "wb")
        running = []
        for i, command in enumerate(commands):
            is_last = i == len(commands) - 1
            process = subprocess.Popen(
                [use_program(), str(folder / f"{i}.use"), *map(str, command)],
                stdin=source, stdout=last if is_last else subprocess.PIPE,
                stderr=opened(folder / f"{i}.err", "wb"), cwd=cwd,
                env={**os.environ, **(env or {})})
            if i > 0:
                source.close()
            source = process.stdout
            running.append(process)
        statuses = [process.wait() for process in running]
        for i, status in enumerate(statuses):
            if status != 0:
                said = (folder / f"{i}.err").read_text(errors="replace")
                raise RuntimeError(f"{' '.join(map(str, commands[i]))} exited "
                                   f"{status}:\n{said[-2000:]}")
        return [read_use(folder / f"{i}.use") for i in range(len(commands))]


def read_use(path: Path) -> Use:
    user, system, wall, peak = path.read_text().split()
    return Use(float(user), float(system), float(wall), int(peak))


def descendants(pid: int) -> list[int]:
    """The processes that PID has started, and those that they have."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            # The name, in brackets, may hold anything.
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(path.parent.name)] = int(fields[1])
    found, more = [], [pid]
    while more:
        more = [child for child, parent in parents.items() if parent in more]
        found += more
    return found


def memory_of(pid: int) -> int:
    """The proportional set of PID: of a shared page its share."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    for line in text.splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0


def peak_of_all(commands: list[list[str]], every: float = 0.02) -> int:
    """The most memory, in bytes, that all processes of the pipe COMMANDS have
    at once, looked at EVERY so many seconds.  Looking slows them: not for a
    run that is timed."""
    with ThreadPoolExecutor(1) as runner:
        running = runner.submit(pipe, commands)
        peak = 0
        while not running.done():
            peak = max(peak, sum(map(memory_of, descendants(os.getpid()))))
            time.sleep(every)
        running.result()
    return peak


def cpu(uses: Iterable[Use]) -> float:
    """The CPU seconds of all of USES."""
    return sum(use.cpu for use in uses)


def in_turn(rounds: int, **things: Callable[[], T]) -> dict[str, list[T]]:
    """Call each of THINGS once a round, and give what it returned each time."""
    results: dict[str, list[T]] = {name: [] for name in things}
    for _ in range(rounds):
        for name, thing in things.items():
            results[name].append(thing())
    return results


def ratio(a: list[float], b: list[float]) -> float:
    """How many times B is in A: the median over the rounds."""
    return statistics.median(x / y for x, y in zip(a, b, strict=True))


def median(values: Iterable[float]) -> float:
    return statistics.median(values)

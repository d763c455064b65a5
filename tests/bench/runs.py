"""What several parts do: run ossicle's pipe up to a point, take start-up off,
and keep a Python peer at hand that answers with times."""
from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from context import Context
from measure import ONE_THREAD, Use, cpu, pipe


def front(ctx: Context, data: Path, *more: str) -> list[list[str]]:
    """The pipe over DATA as far as dpo-pair, and the programs in MORE, which
    are names or command lines."""
    rest = [ctx.program(*([m] if isinstance(m, str) else m)) for m in more]
    return [ctx.program("jsonl-split", data), ctx.program("dpo-pair"), *rest]


def keep(ctx: Context, name: str, commands: list[list[str]]) -> Path:
    """The output of the pipe COMMANDS, in a file called NAME."""
    path = ctx.work / name
    pipe(commands, stdout=path)
    return path


def spent(commands: list[list[str]], **how) -> float:
    """The CPU seconds of the pipe COMMANDS."""
    return cpu(pipe(commands, **how))


def alone(command: list[str], **how) -> Use:
    """What one program by itself uses."""
    return pipe([command], **how)[0]


def answer(command: list, stdin: Path | str = os.devnull) -> dict:
    """The JSON that COMMAND prints."""
    with open(stdin, "rb") as source:
        done = subprocess.run(list(map(str, command)), check=True,
                              stdin=source, stdout=subprocess.PIPE)
    return json.loads(done.stdout)


def beyond(large: list[float], small: list[float]) -> list[float]:
    """What LARGE runs cost beyond their neighbours, SMALL ones, which do next
    to nothing but start."""
    return [a - b for a, b in zip(large, small, strict=True)]


class Peer:
    """A Python script that answers a line with numbers, for as long as it is
    needed: its start costs more than what is measured."""

    def __init__(self, *command: str):
        self.process = subprocess.Popen(
            list(map(str, command)), stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True, bufsize=1,
            env={**os.environ, **ONE_THREAD})

    def line(self) -> str:
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.process.args} said nothing more")
        return line.strip()

    def ask(self, *question: object) -> list[float]:
        self.process.stdin.write(" ".join(map(str, question)) + "\n")
        return [float(x) for x in self.line().split()]

    def asking(self, *question: object) -> Callable[[], float]:
        """A call that gives the first number of the answer."""
        return lambda: self.ask(*question)[0]

    def __enter__(self) -> Peer:
        return self

    def __exit__(self, *_) -> None:
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()

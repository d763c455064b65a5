"""jsonl-split and dpo-pair: how much JSON a second, and no more than a share."""
from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from context import Context
from measure import in_turn, median
from report import Row
from runs import alone, beyond, keep, spent

TARGET = 4
SPLIT_LEAST, PAIR_LEAST = 500, 120      # MB/s
COPIES = 120    # of some 2,000 records, which are read again and again
SHARES = 10


def make(ctx: Context) -> dict[str, Path]:
    """The same records as JSON Lines, and as an array that is one line; and
    one of each alone, to know what starting costs."""
    rows = list(ctx.data.texts(seed=5, count=2000))
    lines = [json.dumps(row, ensure_ascii=False).encode() for row in rows]
    files = {name: ctx.work / f"json-{name}" for name in (
        "lines", "array", "line")}
    files["line"].write_bytes(lines[0] + b"\n")
    files["lines"].write_bytes((b"\n".join(lines) + b"\n") * COPIES)
    files["array"].write_bytes(
        b"[" + b", ".join([b", ".join(lines)] * COPIES) + b"]")
    return files


def rate(size: int, own: list[float], what: str, least: float) -> Row:
    found = median(size / x / 1e6 for x in own)
    return Row("json", what, f"{found:.0f} MB/s", f"at least {least} MB/s",
               found >= least, f"{size / 1e6:.0f} MB in page cache, -j 1",
               {"bytes": size, "cpu_s": own})


def rates(ctx: Context, files: dict[str, Path]) -> list[Row]:
    split = ctx.program("jsonl-split", "-j1")
    pair = ctx.program("dpo-pair", "-j1")
    streams = {name: keep(ctx, f"json-{name}.zst", [[*split, files[name]]])
               for name in ("lines", "line")}
    found = in_turn(
        max(ctx.rounds, 5),
        lines=lambda: spent([[*split, files["lines"]]]),
        array=lambda: spent([[*split, files["array"]]]),
        line=lambda: spent([[*split, files["line"]]]),
        pairs=lambda: spent([pair], stdin=streams["lines"]),
        pair=lambda: spent([pair], stdin=streams["line"]))
    rows = [rate(files[name].stat().st_size,
                 beyond(found[name], found["line"]), f"jsonl-split, {what}",
                 SPLIT_LEAST)
            for name, what in (("lines", "JSON Lines"),
                               ("array", "an array on one line"))]
    rows.append(rate(files["lines"].stat().st_size,
                     beyond(found["pairs"], found["pair"]), "dpo-pair",
                     PAIR_LEAST))
    for stream in streams.values():
        stream.unlink()
    return rows


def read_by(command: list[str]) -> int:
    """The bytes that COMMAND reads, as the kernel counts them for a process
    that has ended and not been waited for."""
    with subprocess.Popen(list(map(str, command)),
                          stdout=subprocess.DEVNULL) as process:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        said = Path(f"/proc/{process.pid}/io").read_text()
    if process.returncode != 0:
        raise RuntimeError(f"{command} exited {process.returncode}")
    return int(dict(line.split(": ") for line in said.splitlines())["rchar"])


def share(ctx: Context, path: Path) -> list[Row]:
    """A share in the middle: bytes read, and time, against the whole."""
    def split(i=None):
        return ctx.program("jsonl-split", "-j1", *(
            ["--share", f"{i}/{SHARES}"] if i else []), path)

    size = path.stat().st_size
    rows = []
    try:
        whole, part = read_by(split()), read_by(split(SHARES // 2))
    except OSError:
        rows.append(Row("json", "--share reads only its share",
                        "this system does not count what processes read"))
    else:
        # What is read to find its beginning and end is a buffer or two.
        rows.append(Row(
            "json", f"--share {SHARES // 2}/{SHARES} of JSON Lines reads",
            f"{part / size:.4f} of the file ({part / 1e6:.2f} of "
            f"{size / 1e6:.2f} MB)", f"{1 / SHARES:g} and a few buffers",
            part < size / SHARES + 2**20 and whole >= size, "",
            {"share": part, "whole": whole, "size": size}))
    used = [alone(split(SHARES // 2)).cpu / alone(split()).cpu
            for _ in range(max(ctx.rounds, 5))]
    rows.append(Row("json", "CPU time of that share",
                    f"{median(used):.3f} of the whole's", "", None,
                    "start-up counts in both", {"ratio": used}))
    return rows


def run(ctx: Context) -> list[Row]:
    files = make(ctx)
    rows = rates(ctx, files) + share(ctx, files["lines"])
    for path in files.values():
        path.unlink()
    return rows

"""Cost for more input: time a record, and one array of 2 GB."""
from __future__ import annotations

import json
import shutil
from pathlib import Path

from context import Context
from measure import median, pipe
from parts.scaling import cycled
from report import Row
from runs import alone, front

TARGET = 8
# How many records, and how often that is measured: short runs are noisy.
COUNTS = {1000: 15, 10_000: 7, 100_000: 3, 1_000_000: 1}
MORE_MOST = 1.15        # times the cost of a record among 10,000
PEAK_MOST = 64 * 2**20
ROOM = 8 * 10**9        # bytes that the files may need


def spent(ctx: Context, count: int, times: int,
          rows: list[dict]) -> tuple[list[str], list[float]]:
    """The programs, and the CPU seconds of each for COUNT records."""
    data = cycled(rows, count, ctx.work / f"growth-{count}.jsonl")
    shard = ctx.work / "growth.zst"
    commands = front(ctx, data, ["tokpack", "-m", ctx.model, "-o", shard])
    runs = [[use.cpu for use in pipe(commands)] for _ in range(times)]
    for path in (data, shard):
        path.unlink()
    return ([Path(c[0]).name for c in commands],
            [median(x) for x in zip(*runs, strict=True)])


def records(ctx: Context) -> list[Row]:
    rows = list(ctx.data.texts(7, 5000))
    names, start = spent(ctx, 1, 15, rows)
    each = {}
    for count, times in COUNTS.items():
        _, costs = spent(ctx, count, times, rows)
        each[count] = [(a - b) / (count - 1) * 1e6
                       for a, b in zip(costs, start, strict=True)]
    out = []
    for count, costs in each.items():
        more = sum(costs) / sum(each[10_000])
        own = dict(zip(names, costs, strict=True))
        out.append(Row(
            "growth", f"{count:,} text records", f"{sum(costs):.1f} µs of CPU "
            "a record", f"at most {MORE_MOST}x of that for 10,000"
            if count > 10_000 else "",
            more <= MORE_MOST if count > 10_000 else None,
            ", ".join(f"{n} {c:.1f}" for n, c in own.items()),
            {"us": own, "ratio": more}))
    return out


def array(ctx: Context, size: int, rows: list[dict]) -> Path:
    """An array on one line, of SIZE bytes or a little more."""
    path = ctx.work / f"growth-{size}.json"
    block = ",".join(json.dumps(r, ensure_ascii=False) for r in rows).encode()
    with open(path, "wb") as f:
        f.write(b"[" + block)
        while f.tell() < size:
            f.write(b"," + block)
        f.write(b"]")
    return path


def arrays(ctx: Context) -> list[Row]:
    rows = list(ctx.data.texts(8, 5000))
    out, rates = [], []
    for size, times in ((100_000_000, 5), (2_000_000_000, 3)):
        path = array(ctx, size, rows)
        uses = [alone(ctx.program("jsonl-split", "-j1", path))
                for _ in range(times)]
        rate = path.stat().st_size / median(u.cpu for u in uses) / 1e6
        peak = max(u.peak for u in uses)
        path.unlink()
        rates.append(rate)
        more = rates[0] / rate
        last = len(rates) > 1
        out.append(Row(
            "growth", f"jsonl-split, one array of {size / 1e9:g} GB on a line",
            f"{rate:.0f} MB/s, peak {peak / 2**20:.1f} MiB",
            f"time a byte at most {MORE_MOST}x of the other's, "
            f"{PEAK_MOST // 2**20} MiB" if last else "",
            more <= MORE_MOST and peak <= PEAK_MOST if last else None, "-j 1",
            {"rate": rate, "peak": peak, "ratio": more}))
    return out


def run(ctx: Context) -> list[Row]:
    if shutil.disk_usage(ctx.work).free < ROOM:
        raise RuntimeError(f"{ctx.work} has no {ROOM / 1e9:g} GB free")
    return records(ctx) + arrays(ctx)

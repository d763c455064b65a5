"""The pipe: the five programs against their functions in one process."""
from __future__ import annotations

from pathlib import Path

from context import Context
from measure import in_turn, median, pipe, ratio
from report import Row
from runs import answer, beyond, front, spent

TARGET = 6
MOST = 1.6
COUNTS = {"wav": 500, "flac": 200, "mp3": 200}
PARTS = ("decode", "resample", "mel", "tokenise", "compress", "write")
# The form of the audio, the order, melspec's type and the level of -o.
KINDS = (("wav", "tokpack", "f32", 3), ("wav", "melspec", "f32", 3),
         ("wav", "tokpack", "bf16", 3), ("wav", "melspec", "bf16", 3),
         ("wav", "melspec", "bf16", 1), ("flac", "tokpack", "f32", 3),
         ("mp3", "tokpack", "f32", 3))


def programs(ctx: Context, data: Path, last: str, kind: str, level: int,
             to: Path) -> list[list[str]]:
    """The whole pipe over DATA with the program LAST at its end."""
    mel = ["melspec", "--type", kind]
    pack = ["tokpack", "-m", ctx.model]
    first, then = (pack, mel) if last == "melspec" else (mel, pack)
    return front(ctx, data, "audio-check", first,
                 [*then, "-z", level, "-o", to])


def compare(ctx: Context, form: str, last: str, kind: str,
            level: int) -> Row:
    folder, count = ctx.data.pairs(form), COUNTS[form]
    large, small = (ctx.data.first(folder, n) for n in (count, 1))
    shard, other = ctx.work / "pipe.zst", ctx.work / "pipe-bare.zst"

    def bare() -> dict:
        # The last shard that was made says what to do.
        return answer([ctx.bench / "bench_bare", ctx.model, kind, level,
                       folder, other], stdin=shard)

    found = in_turn(
        ctx.rounds,
        small=lambda: spent(programs(ctx, small, last, kind, level, other)),
        large=lambda: pipe(programs(ctx, large, last, kind, level, shard)),
        bare=bare)
    own = beyond([sum(u.cpu for u in x) for x in found["large"]],
                 found["small"])
    own = [x / (count - 1) for x in own]
    alone = [sum(x[p] for p in PARTS) / 1e3 / x["records"]
             for x in found["bare"]]
    times = ratio(own, alone)
    parts = {p: median(x[p] / x["records"] for x in found["bare"])
             for p in PARTS}
    names = [Path(c[0]).name for c in programs(ctx, large, last, kind, level,
                                               shard)]
    # Start-up is in these.
    each = {name: median(x[i].cpu * 1e3 / count for x in found["large"])
            for i, name in enumerate(names)}
    size = shard.stat().st_size / count
    for path in (shard, other):
        path.unlink()
    return Row(
        "pipe", f"{form}, {last} last, {kind}, zstd {level}: the programs "
        "against the bare functions",
        f"{times:.2f}x ({median(own) * 1e3:.2f} against "
        f"{median(alone) * 1e3:.2f} ms a pair)", f"at most {MOST}x",
        times <= MOST,
        "bare: " + ", ".join(f"{k} {v:.2f}" for k, v in parts.items()) +
        "; programs, start-up included: " +
        ", ".join(f"{k} {v:.2f}" for k, v in each.items()) +
        f"; {size / 1e3:.0f} kB a pair",
        {"pipe_s": own, "bare_s": alone, "parts_ms": parts,
         "programs_ms": each, "ratio": times, "bytes": size})


def run(ctx: Context) -> list[Row]:
    return [compare(ctx, *kind) for kind in KINDS]

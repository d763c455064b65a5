"""Threads and memory: two threads against one, and the same peak for more."""
from __future__ import annotations

import itertools
import json
from pathlib import Path

from context import Context
from measure import Use, in_turn, median, pipe, ratio
from report import Row
from runs import alone, beyond, front, keep

TARGET = 7
FASTER_LEAST = 1.8
GROWTH_MOST, PEAK_MOST = 1.10, 64 * 2**20
COUNT = 500     # pairs, of 3 to 15 s
TEXTS, AUDIOS = (1000, 100_000), (1000, 20_000)


def speed_up(ctx: Context, what: str, command: list[str],
             streams: list[Path], least: float | None = FASTER_LEAST) -> Row:
    """The wall time of COMMAND, its input in a file, beyond start-up."""
    large, small = streams

    def run(threads: int, stream: Path):
        return lambda: alone([*command, f"-j{threads}"], stdin=stream)

    found = in_turn(max(ctx.rounds, 5), one=run(1, large), two=run(2, large),
                    one_small=run(1, small), two_small=run(2, small))
    one, two = (beyond([u.wall for u in found[name]],
                       [u.wall for u in found[f"{name}_small"]])
                for name in ("one", "two"))
    times = ratio(one, two)
    more = ratio([u.cpu for u in found["two"]], [u.cpu for u in found["one"]])
    return Row("scaling", f"{what}: -j 2 against -j 1, wall time",
               f"{times:.2f}x ({median(one):.2f} s, {median(two):.2f} s)",
               f"at least {least}x" if least else "",
               times >= least if least else None, f"{more:.2f}x its CPU time",
               {"one_s": one, "two_s": two, "ratio": times, "cpu": more})


def speed_ups(ctx: Context) -> list[Row]:
    """Of what costs most: decoding, the mel, compression."""
    def streams(name: str, form: str, *more) -> list[Path]:
        folder = ctx.data.pairs(form)
        return [keep(ctx, f"scaling-{name}-{n}.zst", front(
            ctx, ctx.data.first(folder, n), *more)) for n in (COUNT, 1)]

    samples = streams("samples", "wav", "audio-check")
    mels = streams("mels", "wav", "audio-check", "melspec")
    mp3 = streams("mp3", "mp3")
    rows = [
        speed_up(ctx, "audio-check, MP3", ctx.program("audio-check"), mp3),
        speed_up(ctx, "melspec, zstd 3", ctx.program("melspec", "-z3"),
                 samples),
        speed_up(ctx, "tokpack, zstd 3", ctx.program(
            "tokpack", "-m", ctx.model, "-z3"), mels),
        # In the middle of the pipe it does little but move bytes.
        speed_up(ctx, "melspec, stored", ctx.program("melspec"), samples,
                 None)]
    for path in samples + mels + mp3:
        path.unlink()
    return rows


def cycled(rows: list[dict], count: int, path: Path) -> Path:
    """COUNT records at PATH: ROWS again and again."""
    lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
    with open(path, "w", encoding="utf-8") as f:
        f.writelines(itertools.islice(itertools.cycle(lines), count))
    return path


def peaks(ctx: Context, what: str, rows: list[dict], counts: tuple[int, int],
          folder: Path, more: list[list]) -> list[Row]:
    """The peak of each program for few and for many of ROWS, whose audio is in
    FOLDER."""
    uses: list[list[Use]] = []
    for count in counts:
        data = cycled(rows, count, folder / f"cycled-{count}.jsonl")
        commands = [[*c, "-j2"] for c in front(ctx, data, *more)]
        uses.append(pipe(commands))
        data.unlink()
    out = []
    for command, few, many in zip(commands, *uses, strict=True):
        growth = many.peak / few.peak
        out.append(Row(
            "scaling", f"peak of {Path(command[0]).name}, {counts[1]:,} pairs "
            f"{what}", f"{many.peak / 2**20:.1f} MiB ({few.peak / 2**20:.1f} "
            f"MiB for {counts[0]:,})",
            f"at most {PEAK_MOST // 2**20} MiB, within 10 %",
            many.peak <= PEAK_MOST and growth <= GROWTH_MOST, "-j 2",
            {"few": few.peak, "many": many.peak}))
    return out


def run(ctx: Context) -> list[Row]:
    shard = ctx.work / "scaling.zst"
    pack = ["tokpack", "-m", ctx.model]
    rows = speed_ups(ctx)
    rows += peaks(ctx, "of text, into a shard", list(ctx.data.texts(6, 1000)),
                  TEXTS, ctx.work, [[*pack, "-o", shard]])
    shard.unlink()
    # Clips enough that no cache holds them; 6 GB of output are thrown away.
    folder = ctx.data.pairs("wav")
    clips = json.loads((folder / "data.json").read_text("utf-8"))
    rows += peaks(ctx, "with audio", clips, AUDIOS, folder,
                  ["audio-check", "melspec", [*pack, "-z3"]])
    return rows

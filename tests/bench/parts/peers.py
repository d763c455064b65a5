"""Against what people run: whole processes, from JSON to data on disk."""
from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from context import Context
from measure import (ONE_THREAD, cpu, in_turn, median, peak_of_all, pipe,
                     ratio)
from report import Row

TARGET = 1
# A run of few pairs is nearly all start-up; what more pairs cost is the slope.
# (peers/featurise.py has FEW too.)
FEW, MANY, COUNT = 20, 120, 500
PEERS = Path(__file__).resolve().parents[1] / "peers"
FACTORY = "llamafactory_epoch"
PIPES = ("readme", "fastest")
WRITERS = ("lhotse_shar", "mds", "webdataset_tar", "datasets_map")
# A writer as its users mostly write it: the processor for each side.
PLAIN = "mds --processor"
NAMES = {"llamafactory_epoch": "LLaMA-Factory, one epoch",
         "lhotse_shar": "Lhotse, Shar", "mds": "MosaicML streaming, MDS zstd 3",
         "mds --processor": "MDS, by the processor's call for both sides",
         "webdataset_tar": "webdataset, tar",
         "datasets_map": "datasets, map and save_to_disk",
         "readme": "ossicle, the README's pipe",
         "fastest": "ossicle, tokpack before melspec --type bf16"}
MIB = 2 ** 20


@dataclass(frozen=True)
class Cost:
    """Of a tool in one round."""
    pair: float         # CPU seconds a pair, beyond start-up
    start: float        # CPU seconds of start-up
    peak: int           # bytes, of its processes' peaks together
    disk: float         # bytes a pair
    epoch: float        # CPU seconds a pair of reading an epoch, or 0


@dataclass(frozen=True)
class Sample:
    """Of one run."""
    cpu: float
    peak: int
    disk: int
    times: dict         # what a peer says of itself


def size(path: Path) -> int:
    if path.is_file():
        return path.stat().st_size
    return sum(p.stat().st_size for p in path.rglob("*") if p.is_file())


def clear(out: Path) -> None:
    for path in (out, Path(f"{out}.cache"), Path(f"{out}.jsonl")):
        shutil.rmtree(path, ignore_errors=True)
        path.unlink(missing_ok=True)


def run_once(commands: list[list[str]], out: Path) -> Sample:
    """Run the pipe COMMANDS, which makes OUT, and takes it away again."""
    clear(out)
    uses = pipe(commands, env=ONE_THREAD)
    said = out / "times.json"
    times = {}
    if said.exists():
        times = json.loads(said.read_text())
        said.unlink()
    sample = Sample(cpu(uses), sum(use.peak for use in uses), size(out), times)
    clear(out)
    return sample


def cost(make: Callable[[int], list[list[str]]], out: Path, many: int,
         times: int = 1) -> Cost:
    """What the pipe that MAKE gives for a number of pairs costs: the median
    of TIMES."""
    costs = []
    for _ in range(times):
        a, b = run_once(make(FEW), out), run_once(make(many), out)
        pair = (b.cpu - a.cpu) / (many - FEW)
        costs.append(Cost(
            pair, a.cpu - FEW * pair, b.peak, b.disk / many,
            (b.times.get("epoch", 0) - a.times.get("epoch", 0)) /
            (many - FEW)))
    return sorted(costs, key=lambda c: c.pair)[times // 2]


def writer_cost(make: Callable[[int], list[list[str]]], out: Path,
                many: int) -> Cost:
    """The same of a shard writer, by its own clock: its start-up takes as
    long as hundreds of pairs, and varies by as much as many of them."""
    run = run_once(make(many), out)
    pair = (run.times["end"] - run.times["first"]) / run.times["rows"]
    return Cost(pair, run.cpu - many * pair, run.peak, run.disk / many, 0)


def peer(ctx: Context, name: str, data: Path,
         out: Path) -> Callable[[int], list[list[str]]]:
    python = ctx.originals if name == FACTORY else ctx.peers
    script, *options = name.split()
    return lambda n: [[python, PEERS / f"{script}.py", data, ctx.model, out,
                       "--limit", n, *options]]


def ossicle(ctx: Context, name: str, data: Path, out: Path,
            *last: str) -> Callable[[int], list[list[str]]]:
    """The README's pipe, or that in the fastest order and type; LAST are more
    options of its last program."""
    end = ["-r", Path(f"{out}.jsonl"), *last, "-o", out]
    pack = ("tokpack", "-m", ctx.model)
    rest = {"readme": (("melspec",), (*pack, *end)),
            "fastest": (pack, ("melspec", "--type", "bf16", *end))}[name]
    return lambda n: [ctx.program(*command) for command in (
        ("jsonl-split", ctx.data.first(data, n)), ("dpo-pair",),
        ("audio-check",), *rest)]


def costs(ctx: Context, form: str, peers: tuple[str, ...],
          many: int) -> dict[str, list[Cost]]:
    """All on the first MANY clips in FORM, in turn.  Each peer has runs of ossicle's pipes
    just after it, "PIPE PEER", that it is compared with."""
    data, out = ctx.data.pairs(form, COUNT), ctx.work / "peers-out"

    def shown(name: str, found: Cost) -> Cost:
        print(f"    {form} {name}: {found.pair * 1e3:.2f} ms a pair",
              file=sys.stderr, flush=True)
        return found

    things = {}
    for name in peers:
        make = peer(ctx, name, data, out)
        of = cost if name == FACTORY else writer_cost
        things[name] = lambda name=name, make=make, of=of: shown(
            name, of(make, out, many))
        for mine in PIPES if name == FACTORY else PIPES[:1]:
            # Short, and so the median of a few.
            things[f"{mine} {name}"] = lambda mine=mine: shown(
                mine, cost(ossicle(ctx, mine, data, out), out, many, 3))
    return in_turn(ctx.rounds, **things)


def pairs_of(found: list[Cost]) -> list[float]:
    return [c.pair for c in found]


def figure(form: str, name: str, found: list[Cost]) -> Row:
    """What a tool costs, without a target."""
    pair, start, peak, disk = (
        median(getattr(c, key) for c in found)
        for key in ("pair", "start", "peak", "disk"))
    stored = f", {disk / 1e3:.0f} kB a pair" if disk > 1e4 else ""
    return Row("peers", f"{form}: {NAMES[name]}",
               f"{pair * 1e3:.2f} ms a pair", note=(
                   f"start-up {start:.2f} s, peak {peak / MIB:.0f} MiB"
                   f"{stored}"),
               figures={"pair_s": pairs_of(found), "start_s": start,
                        "peak": peak, "disk": disk})


def less(what: str, theirs: list[float], ours: list[float], least: float,
         note: str = "") -> Row:
    """A row for a target: how many times less OURS is than THEIRS."""
    times = ratio(theirs, ours)
    return Row("peers", what, f"{times:.1f}x less", f"at least {least:g}x",
               times >= least, note, {"ratio": times})


def figures(form: str, found: dict[str, list[Cost]]) -> Iterator[Row]:
    for name in (FACTORY, *WRITERS, PLAIN):
        if name in found:
            yield figure(form, name, found[name])
    for name in PIPES:
        yield figure(form, name, found[f"{name} {FACTORY}"])


def on_wav(ctx: Context) -> Iterator[Row]:
    found = costs(ctx, "wav", (FACTORY, *WRITERS, PLAIN), COUNT)
    yield from figures("wav", found)
    factory = found[FACTORY]
    for name, what, least in (("readme", "README's pipe", 32),
                              ("fastest", "fastest order and type", 45)):
        yield less(f"wav: the {what} than LLaMA-Factory", pairs_of(factory),
                   pairs_of(found[f"{name} {FACTORY}"]), least)
    best = min(WRITERS, key=lambda n: ratio(
        pairs_of(found[n]), pairs_of(found[f"readme {n}"])))
    yield less("wav: the README's pipe than the best shard writer",
               pairs_of(found[best]), pairs_of(found[f"readme {best}"]), 12,
               NAMES[best])
    yield less("wav: the README's pipe than the plain way of writing shards",
               pairs_of(found[PLAIN]), pairs_of(found[f"readme {PLAIN}"]), 12,
               NAMES[PLAIN])
    yield less("start-up: the README's pipe than LLaMA-Factory",
               [c.start for c in factory],
               [c.start for c in found[f"readme {FACTORY}"]], 50)
    yield memory(ctx, found)
    yield from disk(ctx, median(c.disk for c in found["mds"]))
    yield from epoch(ctx, factory)


def memory(ctx: Context, found: dict[str, list[Cost]]) -> Row:
    """Pages that programs share, as those of libraries, count once."""
    data, out = ctx.data.pairs("wav", COUNT), ctx.work / "peers-out"
    ours = max(peak_of_all(ossicle(ctx, "readme", data, out)(COUNT))
               for _ in range(ctx.rounds))
    clear(out)
    lean = min((FACTORY, *WRITERS),
               key=lambda n: median(c.peak for c in found[n]))
    theirs = median(c.peak for c in found[lean])
    alone = median(c.peak for c in found[f"readme {FACTORY}"])
    return Row("peers", "peak memory of the whole pipe",
               f"{ours / MIB:.0f} MiB, 1/{theirs / ours:.1f} of the leanest",
               "at most 1/10", ours * 10 <= theirs,
               f"{NAMES[lean]}, {theirs / MIB:.0f} MiB; each of the five "
               f"programs' own peaks add up to {alone / MIB:.0f} MiB",
               {"ours": ours, "theirs": theirs, "sum_of_peaks": alone})


def disk(ctx: Context, mds: float) -> Iterator[Row]:
    """Bytes a pair against MDS at the same level on the same clips."""
    data, out = ctx.data.pairs("wav", COUNT), ctx.work / "peers-out"
    for name, what, most in (("readme", "f32", 1), ("fastest", "bf16", 0.5)):
        ours = run_once(ossicle(ctx, name, data, out, "-z3")(COUNT),
                        out).disk / COUNT
        yield Row("peers", f"bytes a pair in {what} at -z 3",
                  f"{ours / 1e3:.1f} kB, {ours / mds:.3f} of MDS's",
                  f"at most {most:g}", ours <= most * mds,
                  f"MDS at zstd 3: {mds / 1e3:.1f} kB",
                  {"ours": ours, "mds": mds})


def epoch(ctx: Context, factory: list[Cost]) -> Iterator[Row]:
    """Training input, from the collator and from shards."""
    data = ctx.data.pairs("wav", COUNT)
    out = ctx.work / "peers-out"
    collator = [c.epoch for c in factory]
    yield Row("peers", "an epoch by LLaMA-Factory's collator",
              f"{median(collator) * 1e3:.2f} ms a pair",
              figures={"pair_s": collator})
    for name, what in (("readme", "f32"), ("fastest", "bf16")):
        shard = ctx.work / f"epoch-{what}.zst"
        pipe(ossicle(ctx, name, data, shard)(COUNT))

        def read(n: int, shard: Path = shard) -> list[list[str]]:
            return [[ctx.peers, PEERS / "read_shard.py", shard, out,
                     "--limit", n]]

        ours = [cost(read, out, COUNT).epoch for _ in collator]
        yield less(f"an epoch read from a shard, {what}", collator, ours, 50,
                   f"{median(ours) * 1e3:.2f} ms a pair, by a Python reader")
        shard.unlink()


def on_other(ctx: Context, form: str) -> Iterator[Row]:
    """44.1 kHz stereo, where decoding is the floor."""
    found = costs(ctx, form, (FACTORY,), MANY)
    yield from figures(form, found)
    yield less(f"{form}: the README's pipe than LLaMA-Factory",
               pairs_of(found[FACTORY]),
               pairs_of(found[f"readme {FACTORY}"]), 12)


def run(ctx: Context) -> Iterator[Row]:
    yield from on_wav(ctx)
    for form in ("flac", "mp3"):
        yield from on_other(ctx, form)

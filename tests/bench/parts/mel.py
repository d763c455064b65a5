"""melspec: the kernel against transformers, the program against its kernel."""
from __future__ import annotations

import subprocess
from pathlib import Path

from context import Context
from measure import in_turn, median, ratio
from report import Row, cpu_info
from runs import Peer, answer, beyond, front, keep, spent

TARGET = 2
CLIPS = 60      # of 30 s
WHOLE_MOST = 1.25
# How many times faster than transformers' numpy and torch paths a prototype
# of the kernel was, on the same CPU: with AVX-512 and AVX2 on Zen 4, and for
# any other CPU those with AVX2 on Zen 3.
PROTOTYPE = {"avx512": (23.0, 6.1), "avx2 of Zen 4": (15.8, 4.2),
             "avx2": (22.0, 4.5)}


def kernel(ctx: Context, path: str) -> float | None:
    """The median milliseconds of a clip in PATH, or nothing where there is no
    such path here."""
    said = subprocess.run([ctx.bench / "bench_mel", "30", path], check=True,
                          capture_output=True, text=True).stdout.splitlines()
    return float(said[-1].split()[-1]) if len(said) > 1 else None


def kernels(ctx: Context) -> list[Row]:
    paths = [p for p in ("generic", "avx2", "avx512") if kernel(ctx, p)]
    script = Path(__file__).parents[1] / "peers" / "mel_hf.py"
    with Peer(ctx.originals, script) as peer:
        found = in_turn(
            max(ctx.rounds, 5), **{p: lambda p=p: kernel(ctx, p) for p in paths},
            numpy=lambda: peer.ask("numpy"), torch=lambda: peer.ask("torch"))
    paths_only = {name: [x[0] for x in found[name]]
                  for name in ("numpy", "torch")}
    calls = {name: [x[1] for x in found[name]] for name in ("numpy", "torch")}
    rows = []
    for path in paths:
        # Zen 4 is the first of AMD's with AVX-512.
        key = path if path != "avx2" or not cpu_info()["avx512"] else \
            "avx2 of Zen 4"
        for i, name in enumerate(("numpy", "torch")):
            times = ratio(paths_only[name], found[path])
            least = PROTOTYPE[key][i] if key in PROTOTYPE else None
            rows.append(Row(
                "mel", f"kernel, {path}, against transformers' {name} path",
                f"{times:.1f}x ({median(found[path]):.2f} ms against "
                f"{median(paths_only[name]):.2f} ms a clip of 30 s)",
                f"at least {least:g}x" if least else "",
                times >= least if least else None,
                f"against the whole call {ratio(calls[name], found[path]):.1f}x",
                {"ms": found[path], "peer_ms": paths_only[name],
                 "peer_call_ms": calls[name], "ratio": times}))
    return rows


def whole(ctx: Context, level: int, streams: tuple[Path, Path]) -> Row:
    """The program against the bare functions, its output at LEVEL."""
    large, small = streams

    def program(stream):
        return lambda: spent([ctx.program("melspec", "-j1", "-z", level)],
                             stdin=stream)

    found = in_turn(
        max(ctx.rounds, 5), large=program(large), small=program(small),
        bare=lambda: answer([ctx.bench / "bench_features", "f32", str(level),
                             large, "/dev/null"]))
    own = [x / (CLIPS - 1) for x in beyond(found["large"], found["small"])]
    bare = [(x["read"] + x["kernel"] + x["compress"]) / 1e3 / x["audios"]
            for x in found["bare"]]
    parts = {key: median(x[key] / x["audios"] for x in found["bare"])
             for key in ("read", "kernel", "compress")}
    times = ratio(own, bare)
    return Row(
        "mel", "melspec, " + (f"zstd {level}" if level else "stored") +
        ", against its own kernel, reading and compressing",
        f"{times:.2f}x ({median(own) * 1e3:.2f} ms against "
        f"{median(bare) * 1e3:.2f} ms a clip of 30 s)",
        f"at most {WHOLE_MOST}x", times <= WHOLE_MOST,
        ", ".join(f"{k} {v:.2f} ms" for k, v in parts.items()),
        {"program_s": own, "bare_s": bare, "parts_ms": parts, "ratio": times})


def run(ctx: Context) -> list[Row]:
    folder = ctx.data.pairs("wav", CLIPS, (30, 30))
    streams = tuple(
        keep(ctx, f"mel-{n}.zst", front(
            ctx, ctx.data.first(folder, n), "audio-check")) for n in (CLIPS, 1))
    rows = kernels(ctx) + [whole(ctx, level, streams) for level in (0, 1, 3)]
    for stream in streams:
        stream.unlink()
    return rows

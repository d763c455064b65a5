"""audio-check, sandbox included, against its libraries alone."""
from __future__ import annotations

import json
from pathlib import Path

import soundfile

from context import Context
from measure import in_turn, median, ratio
from report import Row
from runs import beyond, front, keep, spent

TARGET = 5
COUNT = 200     # pairs, of 3 to 15 s
WHOLE_MOST, FACTS_MOST = 1.15, 1.5


def stereo_wav(ctx: Context) -> Path:
    """The FLAC clips as WAV: 44.1 kHz, stereo."""
    source = ctx.data.pairs("flac")

    def make(folder: Path) -> None:
        rows = json.loads((source / "data.json").read_text("utf-8"))[:COUNT]
        (folder / "clips").mkdir()
        for row in rows:
            name = row["audios"][0]
            row["audios"] = [name.replace(".flac", ".wav")]
            samples, rate = soundfile.read(source / name, dtype="int16")
            soundfile.write(folder / row["audios"][0], samples, rate)
        ctx.data.write(folder, rows)

    return ctx.data.kept(f"wav44-{COUNT}", make)


def clips(data: Path) -> list[str]:
    rows = json.loads(data.read_text("utf-8"))
    return [str(data.parent / row["audios"][0]) for row in rows]


def compare(ctx: Context, what: str, folder: Path, facts: bool,
            most: float) -> Row:
    """FACTS: measure only, with --no-pcm."""
    large, small = (ctx.data.first(folder, n) for n in (COUNT, 1))
    streams = [keep(ctx, f"audio-{i}.zst", front(ctx, data))
               for i, data in enumerate((large, small))]
    check = ctx.program("audio-check", "-j1", *(["--no-pcm"] if facts else []))
    bare = [str(ctx.bench / "bench_decode"), *(["-n"] if facts else [])]
    found = in_turn(
        max(ctx.rounds, 5),
        large=lambda: spent([check], stdin=streams[0]),
        bare_large=lambda: spent([[*bare, *clips(large)]]),
        small=lambda: spent([check], stdin=streams[1]),
        bare_small=lambda: spent([[*bare, *clips(small)]]))
    own = beyond(found["large"], found["small"])
    alone = beyond(found["bare_large"], found["bare_small"])
    times = ratio(own, alone)
    for stream in streams:
        stream.unlink()
    each = 1e3 / (COUNT - 1)
    return Row(
        "audio", f"{what}{', --no-pcm' if facts else ''}, against libsndfile "
        f"{'' if facts else 'and soxr '}alone",
        f"{times:.2f}x ({median(own) * each:.2f} against "
        f"{median(alone) * each:.2f} ms a clip)", f"at most {most}x",
        times <= most, "", {"program_s": own, "bare_s": alone, "ratio": times,
                            "clips": COUNT - 1})


def run(ctx: Context) -> list[Row]:
    rows = [compare(ctx, f"{name} of 44.1 kHz, stereo", folder, False,
                    WHOLE_MOST)
            for name, folder in (("WAV", stereo_wav(ctx)),
                                 ("FLAC", ctx.data.pairs("flac")),
                                 ("MP3", ctx.data.pairs("mp3")))]
    wav = ctx.data.pairs("wav")
    rows.append(compare(ctx, "WAV of 16 kHz", wav, True, FACTS_MOST))
    whole = compare(ctx, "WAV of 16 kHz", wav, False, FACTS_MOST)
    return [*rows, Row(whole.part, whole.what, whole.value, note=whole.note,
                       figures=whole.figures)]

#!/usr/bin/env python3
"""soak: the memory of every program stays flat, however long the input is.

Records are made on the fly and fed to the whole pipe, so that no file need
hold them; the peak of each program's memory (VmHWM) is read when a quarter is
done and when all is.  BUILD has the programs; SCALE=5 is a million pairs of
text and twenty thousand with audio.  SOAK_OPTIONS goes to audio-check, for
a build that ThreadSanitizer watches ("--sandbox off").
"""

import json
import math
import os
import re
import struct
import subprocess
import sys
import tempfile
import threading
import time
import wave
from collections.abc import Iterator
from pathlib import Path

BUILD = Path(os.environ.get("BUILD", "build")).resolve()
SCALE = float(os.environ.get("SCALE", "1"))
MODEL = Path(__file__).resolve().parents[2] / "examples" / "demo" / "model"
THREADS = "8"
SLACK = 4 << 20  # what an allocator may keep at one time or another
INDEX = 96  # bytes a record of the table and the lengths of a shard, at most

Record = dict[str, object]


def text_pairs(count: int) -> Iterator[Record]:
    """Pairs of text whose lengths vary, and differ from the first to the last."""
    for i in range(count):
        words = " ".join(f"word{(i * k) % 9973}" for k in range(1, 4 + i % 60))
        yield {
            "conversations": [{"from": "human", "value": f"Question {i}: {words}?"}],
            "chosen": {"from": "gpt", "value": f"{words}, which is {i}."},
            "rejected": {"from": "gpt", "value": f"{i} is not known."},
        }


def make_clips(folder: Path, count: int) -> list[str]:
    """Clips of tones, 1 to 8 s, at two rates."""
    names = []
    for i in range(count):
        rate = (16000, 44100)[i % 2]
        samples = rate * (1 + i % 8)
        tone = (round(9000 * math.sin(k * (i + 2) / 37)) for k in range(samples))
        names.append(f"{i}.wav")
        with wave.open(str(folder / names[-1]), "wb") as out:
            out.setnchannels(1)
            out.setsampwidth(2)
            out.setframerate(rate)
            out.writeframes(struct.pack(f"<{samples}h", *tone))
    return names


def audio_pairs(count: int, clips: list[str]) -> Iterator[Record]:
    """Pairs with one clip each, each clip again and again."""
    for i, record in enumerate(text_pairs(count)):
        record["conversations"][0]["value"] = f"<audio>What is {i}?"  # type: ignore[index]
        record["audios"] = [clips[i % len(clips)]]
        yield record


def peak(process: subprocess.Popen[bytes]) -> int:
    """The most memory that a process has had, in bytes; 0 where it has ended."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) << 10 if found else 0


def start(folder: Path) -> list[subprocess.Popen[bytes]]:
    """The pipe, with its input open."""
    options = os.environ.get("SOAK_OPTIONS", "").split()
    commands = [
        ["jsonl-split"],
        ["dpo-pair"],
        ["audio-check", *options],
        ["melspec"],
        ["tokpack", "-m", str(MODEL), "-r", "rejects.jsonl", "-o", "train.zst"]
        + ["--stats", "stats.json"],
    ]
    pipe: list[subprocess.Popen[bytes]] = []
    for command in commands:
        pipe.append(
            subprocess.Popen(
                [str(BUILD / command[0]), "-j", THREADS, *command[1:]],
                stdin=pipe[-1].stdout if pipe else subprocess.PIPE,
                stdout=subprocess.DEVNULL if command[0] == "tokpack" else subprocess.PIPE,
                cwd=folder,
            )
        )
        if len(pipe) > 1:
            pipe[-2].stdout.close()  # type: ignore[union-attr]
    return pipe


def done(stats: Path) -> int:
    """How many records the last program has written."""
    try:
        return int(json.loads(stats.read_text())["records"])
    except FileNotFoundError:
        return 0


def soak(folder: Path, records: Iterator[Record], count: int) -> dict[str, tuple[int, int]]:
    """Feed the records: the peaks of each program, early and at the end."""
    (folder / "stats.json").unlink(missing_ok=True)
    pipe = start(folder)

    def feed() -> None:
        entry = pipe[0].stdin
        assert entry is not None
        with entry:
            for record in records:
                entry.write(json.dumps(record).encode() + b"\n")

    feeder = threading.Thread(target=feed)
    feeder.start()
    early = [0] * len(pipe)
    late = list(early)
    while pipe[-1].poll() is None:
        late = [max(was, peak(p)) for was, p in zip(late, pipe, strict=True)]
        if not early[-1] and done(folder / "stats.json") >= count // 4:
            early = late
        time.sleep(0.02)
    feeder.join()
    status = [p.wait() for p in pipe]
    if any(status):
        raise RuntimeError(f"the pipe ended with {status}")
    names = [Path(str(p.args[0])).name for p in pipe]  # type: ignore[index]
    return {n: (e, l) for n, e, l in zip(names, early, late, strict=True)}


def main() -> int:
    """Soak with text, then with audio, and tell in TAP."""
    number = failed = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clips = make_clips(folder, 24)
        plan = [
            ("text", int(200000 * SCALE), lambda n: text_pairs(n)),
            ("audio", int(4000 * SCALE), lambda n: audio_pairs(n, clips)),
        ]
        for what, count, make in plan:
            for program, (early, late) in soak(folder, make(count), count).items():
                number += 1
                good = 0 < late <= early * 1.1 + SLACK + INDEX * count
                failed += not good
                print(
                    f"{'ok' if good else 'not ok'} {number} - {program} stays flat over {count} "
                    f"pairs of {what} # {early / 2**20:.1f} to {late / 2**20:.1f} MiB",
                    flush=True,
                )
    print(f"1..{number}")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())

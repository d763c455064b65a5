"""The rows that the parts give, and the table and JSON made of them."""
from __future__ import annotations

import json
import os
import platform
import re
import subprocess
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Row:
    """A line of the table.  MET is None where there is no target."""
    part: str
    what: str
    value: str
    target: str = ""
    met: bool | None = None
    note: str = ""
    figures: dict = field(default_factory=dict)     # raw numbers, for the JSON

    @property
    def verdict(self) -> str:
        return {None: "", True: "met", False: "**not met**"}[self.met]


def line(row: Row) -> str:
    """ROW for a terminal."""
    target = f"  (target {row.target}: {row.verdict})" if row.target else ""
    note = f"  {row.note}" if row.note else ""
    return f"  {row.what}: {row.value}{target.replace('*', '')}{note}"


def said(*command: str) -> str:
    """The first line that COMMAND prints, or nothing."""
    try:
        done = subprocess.run(command, capture_output=True, text=True,
                              check=False)
    except OSError:
        return ""
    return done.stdout.partition("\n")[0].strip()


def cpu_info() -> dict:
    text = Path("/proc/cpuinfo").read_text() if os.path.exists(
        "/proc/cpuinfo") else ""
    model = re.search(r"^model name\s*:\s*(.*)", text, re.M)
    flags = re.search(r"^(?:flags|Features)\s*:\s*(.*)", text, re.M)
    has = set(flags[1].split()) if flags else set()
    family = re.search(r"^cpu family\s*:\s*(\d+)\nmodel\s*:\s*(\d+)", text,
                       re.M)
    return {"cpu": model[1] if model else platform.processor(),
            "family": " ".join(family.groups()) if family else "",
            "cores": len(os.sched_getaffinity(0)),
            "avx2": "avx2" in has, "avx512": "avx512f" in has}


def memory_bytes() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def packages(python: str, names: list[str]) -> dict:
    """The versions of those of NAMES that the environment of PYTHON has."""
    script = ("import importlib.metadata as m, json, sys\n"
              "have = {d.metadata['Name'].lower(): d.version\n"
              "        for d in m.distributions() if d.metadata['Name']}\n"
              "print(json.dumps({n: have[n] for n in sys.argv[1:]\n"
              "                  if n in have}))")
    return {"python": said(python, "--version").partition(" ")[2],
            **json.loads(said(python, "-c", script, *names) or "{}")}


LIBRARIES = ["sndfile", "soxr", "json-c", "libzstd", "libxxhash", "nettle",
             "libutf8proc", "libseccomp"]
PEERS = ["llamafactory", "transformers", "tokenizers", "torch", "torchaudio",
         "numpy", "librosa", "soundfile", "soxr", "lhotse",
         "mosaicml-streaming", "webdataset", "datasets", "zstandard",
         "bpe-qwen", "tiktoken"]


def machine(originals: str, peers: str) -> dict:
    """What the figures depend on."""
    return {
        **cpu_info(),
        "memory": memory_bytes(),
        "kernel": f"{platform.system()} {platform.release()}",
        "compiler": said(os.environ.get("CC", "cc"), "--version"),
        "libraries": {name: version for name in LIBRARIES
                      if (version := said("pkg-config", "--modversion", name))},
        "originals": packages(originals, PEERS),
        "peers": packages(peers, PEERS),
        # These change how fast numpy multiplies matrices, where they are set.
        "environment": {name: value for name, value in os.environ.items()
                        if name.startswith("OPENBLAS_")},
    }


def versions(found: dict) -> str:
    return ", ".join(f"{k} {v}" for k, v in found.items())


def describe(m: dict) -> list[str]:
    """The machine M as Markdown."""
    vectors = " and ".join(
        f"{'with' if m[key] else 'without'} {name}"
        for key, name in (("avx2", "AVX2"), ("avx512", "AVX-512")))
    lines = [f"- {m['cpu']} (family and model {m['family']}), {m['cores']} "
             f"cores, {vectors}, {m['memory'] / 2**30:.0f} GiB",
             f"- {m['kernel']}; {m['compiler']}",
             f"- ossicle's libraries: {versions(m['libraries'])}",
             f"- originals: {versions(m['originals'])}",
             f"- peers: {versions(m['peers'])}"]
    if m["environment"]:
        lines.append("- set in the environment: " + ", ".join(
            f"{k}={v}" for k, v in m["environment"].items()))
    return lines


def table(rows: list[Row]) -> list[str]:
    def cell(text: str) -> str:
        return text.replace("|", "\\|")

    lines = ["| what | figure | target | | |", "|---|---|---|---|---|"]
    lines += ["| " + " | ".join(map(cell, (
        row.what, row.value, row.target, row.verdict, row.note))) + " |"
        for row in rows]
    return lines


def write(folder: Path, date: str, about: dict, rounds: int,
          parts: list[tuple[str, str, list[Row]]]) -> None:
    """bench.md and bench.json in FOLDER; PARTS are (name, title, rows)."""
    lines = [f"# Ossicle: what it costs ({date})", "", *describe(about),
             f"- medians of {rounds} paired rounds; CPU time where nothing "
             "else is said", ""]
    for name, title, rows in parts:
        lines += [f"## {name}: {title}", "", *table(rows), ""]
    (folder / "bench.md").write_text("\n".join(lines), encoding="utf-8")
    (folder / "bench.json").write_text(json.dumps(
        {"date": date, "machine": about, "rounds": rounds,
         "parts": {name: {"title": title, "rows": [asdict(r) for r in rows]}
                   for name, title, rows in parts}},
        indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

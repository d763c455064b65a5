"""tokpack: the whole process on text pairs against other tokenizers."""
from __future__ import annotations

import json
import sys
from contextlib import ExitStack
from pathlib import Path

import corpora
from context import Context
from measure import in_turn, median, ratio
from report import Row
from runs import Peer, alone, beyond, front, keep, spent

TARGET = 3
# Bytes of text of each sort: enough that most words have been met before, as
# in any real data set.
SIZE = {"English": 12_000_000, "code": 12_000_000, "Chinese": 7_000_000}
LEAST = {"English": 4, "code": 4, "Chinese": 2}     # times bpe-qwen
START_MOST = 0.060      # seconds
HERE = Path(__file__).resolve()
PEERS = ("bpe-qwen", "tiktoken", "hf")
# What peers are asked for: their fastest call by itself, and a script that
# does with it what tokpack does.  Hugging Face's, ten times slower than these,
# is asked once.
ASKED = (("bpe-qwen", "call"), ("bpe-qwen", "whole"), ("tiktoken", "call"),
         ("tiktoken", "whole"))
HOW = {"call": "its best call from Python ({})",
       "whole": "a script that reads JSON and writes ids"}
FULL = {"bpe-qwen": "bpe-qwen", "tiktoken": "tiktoken", "hf": "HF tokenizers"}
EMPTY = {"conversations": [{"from": "human", "value": "a"}],
         "chosen": {"from": "gpt", "value": "b"},
         "rejected": {"from": "gpt", "value": "c"}}


def pack(ctx: Context, *more: str) -> list[str]:
    return ctx.program("tokpack", "-j1", "-m", ctx.model, *more)


def same_ids(ctx: Context, stream: Path, peer: Peer) -> int:
    """How many pairs of STREAM, as tokpack packs them, have Hugging Face's
    ids.  Fails where one has not: then no time counts."""
    sys.path.insert(0, str(HERE.parents[2] / "conformance"))
    import streams

    packed = ctx.work / "tokens.zst"
    alone(pack(ctx), stdin=stream, stdout=packed)
    ids = ctx.work / "ids.jsonl"
    peer.ask("ids", ids)
    same = 0
    with open(ids, encoding="utf-8") as f:
        for line, (_, tensors) in zip(f, streams.read(packed.read_bytes()),
                                      strict=True):
            if json.loads(line) != [tensors["chosen_input_ids"].tolist(),
                                    tensors["rejected_input_ids"].tolist()]:
                raise RuntimeError("tokpack's ids are not Hugging Face's")
            same += 1
    packed.unlink()
    ids.unlink()
    return same


def against(sort: str, size: int, name: str, kind: str, how: str,
            peer: list[float], own: list[float]) -> Row:
    times = ratio(peer, own)
    least = LEAST[sort] if (name, kind) == ("bpe-qwen", "call") else None
    return Row(
        "tokenizer", f"{sort}: tokpack against {FULL[name]}, {how}",
        f"{times:.1f}x ({size / median(own) / 1e6:.0f} against "
        f"{size / median(peer) / 1e6:.1f} MB/s)",
        f"at least {least}x" if least else "",
        times >= least if least else None, "",
        {"bytes": size, "own_s": own, "peer_s": peer, "ratio": times})


def compare(ctx: Context, sort: str, start: Path) -> list[Row]:
    path = ctx.work / f"text-{sort}.jsonl"
    pairs, size = corpora.write(sort, ctx, SIZE[sort], path)
    stream = keep(ctx, f"text-{sort}.zst", front(ctx, path))
    with ExitStack() as stack:
        peers = {name: stack.enter_context(Peer(
            ctx.peers if name == "bpe-qwen" else ctx.originals,
            HERE.parents[1] / "peers" / "tok_encode.py", name, ctx.model,
            path)) for name in PEERS}
        best = {name: peer.line() for name, peer in peers.items()}
        same = same_ids(ctx, stream, peers["hf"])
        slow = peers["hf"].ask("call") * ctx.rounds
        found = in_turn(
            ctx.rounds,
            large=lambda: spent([pack(ctx)], stdin=stream),
            small=lambda: spent([pack(ctx)], stdin=start),
            **{" ".join(asked): peers[asked[0]].asking(asked[1])
               for asked in ASKED})
    own = beyond(found["large"], found["small"])
    rows = [against(sort, size, name, kind, HOW[kind].format(best[name]),
                    found[f"{name} {kind}"], own) for name, kind in ASKED]
    rows.append(against(sort, size, "hf", "call",
                        HOW["call"].format(best["hf"]), slow, own))
    rows.append(Row("tokenizer", f"{sort}: ids equal to Hugging Face's",
                    f"{same} of {pairs} pairs", "all", same == pairs))
    path.unlink()
    stream.unlink()
    return rows


def start_up(ctx: Context, start: Path) -> Row:
    """What it takes to read the real vocabulary, and one record."""
    uses = [alone(pack(ctx), stdin=start) for _ in range(15)]
    cpu = median(u.cpu for u in uses)
    return Row(
        "tokenizer", "start-up with the real vocabulary",
        f"{cpu * 1e3:.0f} ms of CPU", f"at most {START_MOST * 1e3:.0f} ms",
        cpu <= START_MOST, f"{median(u.wall for u in uses) * 1e3:.0f} ms of "
        f"wall time, {median(u.peak for u in uses) / 2**20:.0f} MiB",
        {"cpu_s": [u.cpu for u in uses], "wall_s": [u.wall for u in uses]})


def run(ctx: Context) -> list[Row]:
    single = ctx.work / "single.jsonl"
    single.write_text(json.dumps(EMPTY) + "\n", encoding="utf-8")
    start = keep(ctx, "single.zst", front(ctx, single))
    rows = [row for sort in corpora.SORTS
            for row in compare(ctx, sort, start)]
    return [*rows, start_up(ctx, start)]

"""tok_encode.py NAME MODEL TEXTS: the tokenizer NAME (hf, tiktoken, bpe-qwen)
on the pairs of TEXTS, on demand.

Each line on stdin is answered by CPU seconds: "call" takes the texts once
through the library's fastest call on one thread, and "whole" reads TEXTS,
encodes, and writes the ids to the null device.  "ids FILE" (hf) writes what
LLaMA-Factory makes of each pair: a JSON array [chosen, rejected] a line.
"""
import importlib.util
import json
import os
import sys
import tempfile
import time
import types
from pathlib import Path

import numpy as np

SYSTEM = "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n"
USER = "<|im_start|>user\n{}<|im_end|>\n<|im_start|>assistant\n"
ANSWER = "{}<|im_end|>\n"


def hf(model):
    """The calls of a library, each from texts to ids."""
    from tokenizers import Tokenizer

    t = Tokenizer.from_file(str(model / "tokenizer.json"))
    return {
        "encode_batch_fast": lambda texts: [
            e.ids for e in t.encode_batch_fast(texts, add_special_tokens=False)],
    }


def characters():
    """What GPT-2's byte-level vocabularies write for each byte, to the byte."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [b for b in range(256) if b not in plain]
    return {**{chr(b): b for b in plain},
            **{chr(256 + i): b for i, b in enumerate(others)}}


def tiktoken(model):
    import tiktoken

    t = json.loads((model / "tokenizer.json").read_text(encoding="utf-8"))
    byte = characters()
    t = tiktoken.Encoding(
        "qwen", pat_str=t["pre_tokenizer"]["pretokenizers"][0]["pattern"]["Regex"],
        mergeable_ranks={bytes(byte[c] for c in token): rank
                         for token, rank in t["model"]["vocab"].items()},
        special_tokens={})
    return {
        "encode_ordinary": lambda texts: [t.encode_ordinary(x) for x in texts],
        "encode_ordinary_batch": lambda texts: t.encode_ordinary_batch(
            texts, num_threads=1),
        "encode_to_numpy": lambda texts: [
            t.encode_to_numpy(x, disallowed_special=()) for x in texts],
    }


def bpe_qwen(model):
    # Its own __init__ wants all of transformers: only the extension is used.
    found = importlib.util.find_spec("bpe_qwen").submodule_search_locations
    package = types.ModuleType("bpe_qwen")
    package.__path__ = list(found)
    sys.modules["bpe_qwen"] = package
    from bpe_qwen.bpe_qwen import QwenTokenizer

    parsed = json.loads((model / "tokenizer.json").read_text("utf-8"))["model"]
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "vocab.json").write_text(
            json.dumps(parsed["vocab"], ensure_ascii=False), encoding="utf-8")
        (Path(folder) / "merges.txt").write_text(
            "#version: 0.2\n" + "".join(
                (m if isinstance(m, str) else " ".join(m)) + "\n"
                for m in parsed["merges"]), encoding="utf-8")
        t = QwenTokenizer(folder)
    return {
        "encode": lambda texts: [t.encode(x) for x in texts],
        "encode_bytes": lambda texts: [t.encode_bytes(x) for x in texts],
        "encode_batch_parallel": lambda texts: t.encode_batch_parallel(texts, 1),
    }


def read(path):
    """The pairs in PATH: (prompt, chosen, rejected) each."""
    with open(path, encoding="utf-8") as f:
        for line in f:
            row = json.loads(line)
            yield (row["conversations"][0]["value"], row["chosen"]["value"],
                   row["rejected"]["value"])


def timed(call, *arguments):
    start = time.process_time()
    call(*arguments)
    return time.process_time() - start


def whole(encode, path):
    texts = [x for pair in read(path) for x in pair]
    with open(os.devnull, "wb") as out:
        for ids in encode(texts):
            out.write(ids if isinstance(ids, bytes) else
                      np.asarray(ids, np.int32).tobytes())


def ids(encode, path, to):
    def joined(*slots):
        return [i for part in encode(list(slots)) for i in part]

    with open(to, "w", encoding="utf-8") as out:
        for prompt, *answers in read(path):
            json.dump([joined(SYSTEM, USER.format(prompt), ANSWER.format(a))
                       for a in answers], out)
            out.write("\n")


def main():
    name, model, path = sys.argv[1:]
    calls = {"hf": hf, "tiktoken": tiktoken, "bpe-qwen": bpe_qwen}[name](
        Path(model))
    texts = [x for pair in read(path) for x in pair]
    costs = {call: timed(encode, texts)
             for call, encode in calls.items()}
    best = min(costs, key=costs.get)
    print(best, flush=True)
    encode = calls[best]
    for line in sys.stdin:
        what, *to = line.split()
        if what == "ids":
            ids(encode, path, to[0])
            print(0, flush=True)
        else:
            print(timed(encode, texts) if what == "call" else
                  timed(whole, encode, path), flush=True)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""make_bpe.py [ROOT]

Asks transformers and tokenizers 0.22.2 for the ids of texts, and writes

  tests/golden/bpe.txt        ["text", [ids]] by the demo's model directory
  tests/golden/bpe_odd.json   a small tokenizer.json in which all is out of
                              order that may be
  tests/golden/bpe_odd.txt    ["text", [ids]] by that one
  tests/golden/bpe_random.*   the same, of random merges, in order
  tests/fuzz/corpus/tokenizer/    for the fuzzer to begin with
"""
import json
import random
import sys
from pathlib import Path

import tokenizers
from tokenizers import Tokenizer
from transformers import AutoTokenizer

ROOT = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
sys.path.insert(0, str(ROOT / "tests/conformance"))
from texts import Maker, Vocabulary  # noqa: E402  pylint: disable=wrong-import-position

FIXED = [
    "", " ", "\n", "a", "Hello, world!", "I'll say it's they've we'RE 'S 'ſ", "  indented\n    code = 1234567\n\n\n",
    "<|im_start|>user\nhi<|im_end|>\n", "<|im_start|", "<|AUDIO|><|AUDIO|>", "x<|endoftext|>", "trailing   ",
    "\r\n\r\n", "\u00e9 e\u0301 \u212b", "\u4f60\u597d\uff0c\u4e16\u754c\u3002" * 8, "\uc548\ub155 \u1112\u1161\u11ab",
    "\u0645\u0631\u062d\u0628\u0627 \u0661\u0662\u0663", "\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35", "\U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f1e9\U0001f1ea",
    "\x00\x01\x7f\x80", "\U0010ffff\uffff\ufeff\u0085\u2028", "a" * 300, " " * 300, "=" * 200, "\u0301\u0323" * 40, "ab" * 50 + "\n" * 30,
]


def write(path, encode, texts):
    with open(path, "w", encoding="ascii") as f:
        for text in texts:
            f.write(json.dumps([text, encode(text)], separators=(",", ":")) + "\n")


def odd():
    """Ids in no order; merges in three ways to one token, of tokens that are
    made later, doubled; tokens that no merge gives or no text; members in
    another order; added tokens that overlap, that the vocabulary has, and that
    are sought after NFC; escapes; truncation and a template to be ignored."""
    rng = random.Random(7)
    byte = Vocabulary.alphabet()
    merges = [["a", "b"], ["b", "c"], ["ab", "c"], ["a", "bc"], ["abcd", "e"], ["abc", "d"], ["c", "d"], ["a", "bcd"],
              ["b", "cd"], ["a", "a"], ["aa", "a"], ["a", "aa"], ["aa", "aa"], ["\u0120", "a"], ["\u0120", "\u0120"],
              ["\u0120\u0120", "\u0120"], ["\u010a", "\u010a"], ["0", "1"], ["1", "0"], ["e", "a"], ["ea", "b"],
              ["b", "a"], ["a", "b"], ["'", "s"]]
    for text in ("\u4f60\u597d", "\u00e9", "\u0e2a", "\U0001f600", "\u00fc\u00fc"):
        left = ""
        for c in text.encode():
            if left:
                merges.append([left, byte[c]])
            left += byte[c]
    merges += [[byte[0x80], byte[0xE4]], [byte[0xBD] + byte[0xA0], byte[0xE5]], [byte[0xBD], byte[0xA0]]]
    tokens = {*byte.values(), *("".join(m) for m in merges), "never", "<|in|>", "\u6f22\u5b57"}
    tokens = sorted(tokens)
    rng.shuffle(tokens)
    flags = {"single_word": False, "lstrip": False, "rstrip": False}
    n = len(tokens)
    added = [
        {"id": tokens.index("<|in|>"), "content": "<|in|>", **flags, "normalized": False, "special": True},
        {"id": n, "content": "<|", **flags, "normalized": False, "special": False},
        {"id": n + 1, "content": "<|a|>", **flags, "normalized": False, "special": True},
        {"id": n + 2, "content": "<|a|>b c", **flags, "normalized": False, "special": True},
        {"id": n + 3, "content": "\u212b!", **flags, "normalized": True, "special": False},
        {"id": n + 4, "content": "abce\u0301", **flags, "normalized": True, "special": False},
        {"id": n + 5, "content": "\u4f60\u597d\u4f60", **flags, "normalized": False, "special": False},
    ]
    level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}
    regex = json.loads((ROOT / "examples/demo/model/tokenizer.json").read_text())["pre_tokenizer"]
    return {
        "model": {"merges": merges, "vocab": {t: i for i, t in sorted(enumerate(tokens), key=lambda x: x[1])[::-1]},
                  "type": "BPE", "ignore_merges": False, "unk_token": None},
        "pre_tokenizer": regex, "normalizer": {"type": "NFC"}, "version": "1.0",
        "decoder": level, "added_tokens": added, "padding": None,
        "truncation": {"direction": "Right", "max_length": 4, "strategy": "LongestFirst", "stride": 0},
        "post_processor": {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<|a|>", "type_id": 0}},
                           {"Sequence": {"id": "A", "type_id": 0}}], "pair": [{"Sequence": {"id": "A", "type_id": 0}},
                           {"Sequence": {"id": "B", "type_id": 1}}], "special_tokens": {
                           "<|a|>": {"id": "<|a|>", "ids": [n + 1], "tokens": ["<|a|>"]}}},
    }


def main():
    assert tokenizers.__version__ == "0.22.2"
    golden = ROOT / "tests/golden"
    demo = AutoTokenizer.from_pretrained(ROOT / "examples/demo/model")
    words = [demo.decode([i]) for i in range(len(demo))]
    maker = Maker(3, [w for w in words if "\ufffd" not in w], sorted(demo.added_tokens_encoder))
    write(golden / "bpe.txt", lambda t: demo.encode(t, add_special_tokens=False),
          FIXED + [maker.text() for _ in range(250)])

    file = golden / "bpe_odd.json"
    file.write_text(json.dumps(odd(), indent=1) + "\n")
    odd_one = Tokenizer.from_file(str(file))
    odd_one.no_truncation()
    pieces = ["a", "b", "c", "d", "e", "abc", "abcd", "abcde", " ", "\n", "01", "\u4f60\u597d", "\u4f60", "\u597d", "\u00e9", "e\u0301",
              "\u0301", "<|", "<|in|>", "<|a|>", "<|a|>b c", "<|a|>b", "\u212b!", "\u00c5!", "A\u030a!", "abce\u0301", "abc\u00e9", "never",
              "\u6f22\u5b57", "'s", "\u00fc", "aaaa", "baab", "\U0001f600", "\u0e2a", "|>"]
    rng = random.Random(5)
    texts = FIXED + pieces + ["".join(rng.choice(pieces) for _ in range(rng.randint(2, 14))) for _ in range(300)]
    texts += ["".join(rng.choice("abcde") for _ in range(rng.randint(60, 200))) for _ in range(20)]
    vocabulary = Vocabulary(11)
    file = golden / "bpe_random.json"
    file.write_text(json.dumps(vocabulary.tokenizer(regex=odd()["pre_tokenizer"]), separators=(",", ":")) + "\n")
    random_one = Tokenizer.from_file(str(file))
    write(golden / "bpe_random.txt", lambda t: random_one.encode(t, add_special_tokens=False).ids,
          [vocabulary.text() for _ in range(400)])
    write_seeds(ROOT / "tests/fuzz/corpus/tokenizer")
    write(golden / "bpe_odd.txt", lambda t: odd_one.encode(t, add_special_tokens=False).ids, texts)


def write_seeds(folder):
    """Short ones: what the fuzzer changes should be something."""
    folder.mkdir(parents=True, exist_ok=True)
    whole = odd()
    compact = lambda v: json.dumps(v, ensure_ascii=False, separators=(",", ":")).encode()  # noqa: E731
    (folder / "odd").write_bytes(compact(whole) + b"\0" + "abc\u4f60 <|a|>b c".encode())
    model = whole["model"]
    model["merges"] = [" ".join(m) for m in model["merges"]]
    model = {"type": "BPE", "vocab": model["vocab"], "merges": model["merges"]}
    whole = {**whole, "model": model, "added_tokens": [], "truncation": None, "post_processor": None}
    (folder / "strings").write_bytes(compact(whole))
    whole["model"] = {**model, "vocab": {}, "merges": []}
    (folder / "none").write_bytes(compact(whole))
    (folder / "part").write_bytes(b'{"version":"1.0","added_tokens":[')


main()

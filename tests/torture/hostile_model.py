#!/usr/bin/env python3
"""hostile_model: a model's files that are damaged, or lie.

What is not a model that we know to the letter is refused with 3 and a message
that names the file; nothing is guessed, and nothing is published.
"""
import copy
import json
import os
import random
import shutil
import socket
from pathlib import Path

from hostile_tap import AUDIO, MODEL, SCALE, below, equal, finish, lines, \
    pair, repeat, run, test, write

TOKENIZER = json.loads((MODEL / "tokenizer.json").read_text())
FEATURES = json.loads((MODEL / "preprocessor_config.json").read_text())
CONFIG = json.loads((MODEL / "tokenizer_config.json").read_text())
LIES = [None, True, False, -1, 0, 1, 2 ** 31, 2 ** 64, 0.5, "", "x",
        "x" * 100_000, [], {}, [[]], {"type": "x"}]


# Where tokenizer_config.json has none, added tokens are tokenizer.json's.
PLAIN = {k: v for k, v in CONFIG.items() if k != "added_tokens_decoder"}


def start(config=None):
    """The records that are packed, the model that is damaged, and what it
    packs before it is."""
    write("d.jsonl", lines([pair(), pair(instruction="Où? 中 🍅 12'll  \n x",
                                         system="s")]))
    done = run("jsonl-split d.jsonl | dpo-pair >in.zst")
    equal(done.status, 0, done.err)
    run(["audio-check", "-q", AUDIO / "ok-321.wav", "-o", "pcm.zst"])
    shutil.copytree(MODEL, "m")
    if config is not None:
        save("tokenizer_config.json", config)
    return pack(0)


def use(program, given, *status, mib=64, limit_s=20):
    """What PROGRAM says with the model, and makes of the stream GIVEN."""
    done = run(["sh", "-c", 'exec "$1" -j 1 -m m -o out.zst <"$2"', "sh",
                program, given], limit_s=limit_s)
    assert done.status in status, f"exit {done.status}: {done.err[:600]}"
    below(done, mib)
    if done.status == 0:
        done.out = run("zstd -dcq out.zst").out
        equal(run(["shard-cat", "--check", "out.zst"]).status, 0)
        os.unlink("out.zst")
    else:
        assert f"{program}: error: " in done.err, done.err
        assert not Path("out.zst").exists()
    return done


def pack(*status, **limits):
    return use("tokpack", "in.zst", *status, **limits)


def hear(*status, **limits):
    return use("melspec", "pcm.zst", *status, **limits)


# Who reads what.
READERS = {"tokenizer.json": pack, "tokenizer_config.json": pack,
           "preprocessor_config.json": hear}


def save(name, value):
    Path("m", name).write_text(json.dumps(value), encoding="utf-8")


def refused(name, value, why=""):
    save(name, value)
    done = pack(3)
    assert name in done.err or "token" in done.err, done.err
    return done


def places(value, path=()):
    """Each place in VALUE; of a long list or object, its ends."""
    keys = list(value) if isinstance(value, dict) else \
        list(range(len(value))) if isinstance(value, list) else []
    for key in keys if len(keys) < 20 else keys[:2] + keys[-2:]:
        yield (*path, key)
        yield from places(value[key], (*path, key))


def changed(value, path, new=None, remove=False):
    """VALUE with what is at PATH NEW, or gone."""
    value = copy.deepcopy(value)
    place = value
    for key in path[:-1]:
        place = place[key]
    if remove:
        del place[path[-1]]
    else:
        place[path[-1]] = new
    return value


def every_change(name, whole, config=None):
    """Take away and change each part of the file NAME."""
    start(config)
    again = READERS[name]
    good = again(0).out
    same, no, other = 0, 0, 0
    rng = random.Random(5)
    for path in list(places(whole)):
        lies = LIES if SCALE > 1 else rng.sample(LIES, 1)
        for new in [KeyError, *lies]:
            save(name, changed(whole, path, new, new is KeyError))
            done = again(0, 3)
            no += done.status != 0
            same += done.status == 0 and done.out == good
            other += done.status == 0 and done.out != good
    assert no > 0, (no, same, other)
    return f"{no} refused, {same} of no effect, {other} another model"


@test
def each_part_of_tokenizer_json_may_be_missing_or_another_thing():
    return every_change("tokenizer.json", TOKENIZER, PLAIN)


@test
def so_may_each_part_of_tokenizer_config_json():
    return every_change("tokenizer_config.json", CONFIG)


@test
def and_each_part_of_preprocessor_config_json():
    return every_change("preprocessor_config.json", FEATURES)


@test
def the_mel_of_another_extractor_is_refused_by_melspec():
    start()
    told = 0
    for key, values in {
            "feature_size": (0, -1, 1, 64, 127, 129, 4096, 2 ** 31, "128",
                             None, 128.5, [128]),
            "sampling_rate": (0, 8000, 44100, -16000, "16000", 16000.5),
            "hop_length": (0, 1, 80, 161, 320, -160, None),
            "n_fft": (0, 1, 399, 401, 512, 2 ** 20, 2 ** 31, -400),
            "chunk_length": (0, 1, 29, 31, 3000, -30, "30"),
            "dither": (0.1, 1e-9, "x", -1),
            "padding_value": (1.0, -1.0, "x"),
            "feature_extractor_type": ("", "ClapFeatureExtractor", None, 1),
    }.items():
        for value in values:
            save("preprocessor_config.json", {**FEATURES, key: value})
            done = hear(3, mib=128)
            assert key in done.err, f"{key} {value}: {done.err}"
            told += 1
    save("preprocessor_config.json", FEATURES)
    hear(0)
    return f"{told} settings"


@test
def merges_that_name_no_token_and_ids_that_lie_are_refused():
    start()
    model = TOKENIZER["model"]
    tokens = list(model["vocab"])
    told = 0

    def no(**change):
        nonlocal told
        told += 1
        refused("tokenizer.json", {**TOKENIZER, "model": {**model, **change}})

    for bad in (["Ġ", "\u2603"], ["\u2603", "t"], ["Ġ"], ["Ġ", "t", "x"], [],
                "Ġ", "Ġt", "Ġ t x", "", " ", ["", ""], ["Ġ", ""], [1, 2],
                None, {}, ["Ġ", None], ["qz", "qz"], ["Ġ", "Ġ" * 100_000]):
        for at in (0, len(model["merges"])):
            merges = list(model["merges"])
            merges.insert(at, bad)
            no(merges=merges)
    first, last = tokens[0], tokens[-1]
    for token in (first, last):
        for n in (-1, 0.5, 2 ** 31, 2 ** 32, 2 ** 63, 2 ** 64, 1e300, "1",
                  None, model["vocab"][tokens[5]], 10 ** 9,
                  TOKENIZER["added_tokens"][0]["id"]):
            no(vocab={**model["vocab"], token: n})
    for byte in (first, "Ġ", "a"):       # one that stands for a byte
        no(vocab={t: n for t, n in model["vocab"].items() if t != byte})
    no(vocab={})
    no(vocab={**model["vocab"], "": len(tokens) + 100})
    for key, value in (("dropout", 0.1), ("unk_token", "a"),
                       ("byte_fallback", True), ("fuse_unk", 1),
                       ("continuing_subword_prefix", "##"),
                       ("end_of_word_suffix", "</w>"),
                       ("type", "WordPiece"), ("type", "Unigram")):
        no(**{key: value})
    return f"{told} lies"


@test
def added_tokens_that_collide_or_change_the_rules_are_refused():
    start(PLAIN)
    added = TOKENIZER["added_tokens"]
    told = 0

    def no(tokens):
        nonlocal told
        told += 1
        refused("tokenizer.json", {**TOKENIZER, "added_tokens": tokens})

    for i, token in enumerate(added):
        no(added[:i] + added[i + 1:] if token["content"].startswith(
            ("<|im", "<|au", "<|AU")) else added + [token, {**token,
                                                           "id": 1}])
        for change in ({"lstrip": True}, {"rstrip": True}, {"id": -1},
                       {"single_word": True}, {"content": ""}, {"id": 0},
                       {"id": 2 ** 31}, {"id": "1"}, {"normalized": 1},
                       {"id": added[i - 1]["id"]}):
            no(added[:i] + [{**token, **change}] + added[i + 1:])
    no([])
    for content in ("a\0b", "\0", "\0<|im_end|>", "<|im_end|>\0"):
        refused("tokenizer_config.json", changed(
            CONFIG, ("added_tokens_decoder", "2333", "content"), content))
        told += 1
    return f"{told} lies"


@test
def another_way_to_cut_words_or_to_compose_is_refused():
    start()
    told = 0
    for key, values in {
            "normalizer": ({"type": "NFKC"}, {"type": "Lowercase"},
                           {"type": "Sequence", "normalizers": []},
                           {"type": "Replace"}, {}, "NFC", []),
            "pre_tokenizer": (None, {}, {"type": "ByteLevel"},
                              {"type": "Whitespace"},
                              {"type": "Sequence", "pretokenizers": []}),
            "post_processor": ({"type": "TemplateProcessing"}, "x"),
            "decoder": ({"type": "WordPiece"}, "x"),
    }.items():
        for value in values:
            save("tokenizer.json", {**TOKENIZER, key: value})
            done = pack(0, 3)
            if key in ("normalizer", "pre_tokenizer"):
                equal(done.status, 3, f"{key}: {value}")
                assert "tokenizer.json" in done.err, done.err
            told += 1
    regex = TOKENIZER["pre_tokenizer"]["pretokenizers"][0]["pattern"]["Regex"]
    for pattern in (regex + "|.", "(?i:" * 1000, "(a+)+$", regex[:-1], "",
                    regex.replace("\\p{N}", "\\p{N}{1,3}")):
        bad = copy.deepcopy(TOKENIZER)
        bad["pre_tokenizer"]["pretokenizers"][0]["pattern"] = {
            "Regex": pattern}
        refused("tokenizer.json", bad)
        told += 1
    return f"{told} ways"


@test
def files_that_are_cut_damaged_or_no_json_are_refused():
    start()
    rng = random.Random(5)
    told = 0
    for name in ("tokenizer.json", "preprocessor_config.json",
                 "tokenizer_config.json"):
        path = Path("m", name)
        good = path.read_bytes()
        bad = [good[:rng.randrange(1, len(good.rstrip()) - 1)]
               for _ in range(40 * SCALE)]
        # Inside of a character too.
        wide = [i for i, byte in enumerate(good) if byte >= 0xc2]
        bad += [good[:i + 1] for i in wide[::len(wide) // 20 + 1]]
        bad += [b"", b" ", b"null", b"[]", b"{}x", b"\xef\xbb\xbf", b"[" *
                1_000_000, good + b"{}", good.replace(b'"', b"'"),
                good.replace(b":", b"=", 1), good.replace(b"e", b"\xff", 1),
                b'{"a":1,"a":2}' if name == "preprocessor_config.json"
                else b'{"version":1' + b',"version":1' * 9]
        for text in bad:
            path.write_bytes(text)
            done = READERS[name](0, 3)
            assert name in done.err, (name, text[:50], done.status, done.err)
            told += 1
        path.write_bytes(good)
    for _ in range(100 * SCALE):
        text = bytearray((MODEL / "tokenizer.json").read_bytes())
        for _ in range(rng.choice((1, 3, 20))):
            text[rng.randrange(len(text))] = rng.randrange(256)
        Path("m/tokenizer.json").write_bytes(text)
        pack(0, 3)
        told += 1
    return f"{told} files"


@test
def what_is_no_file_or_too_much_of_one_is_refused():
    start()

    def listen(path):
        with socket.socket(socket.AF_UNIX) as s:
            s.bind(str(path))

    def hole(path):
        with open(path, "wb") as f:
            f.truncate(100 << 30)

    def long(path):
        write(path, b'{"a":"', repeat(b"x", 300 << 20), b'"}')

    makes = [lambda path: None, Path.mkdir, os.mkfifo, listen, hole, long]
    makes += [lambda path, to=to: path.symlink_to(to) for to in (
        "/dev/zero", "/dev/null", "/proc/self/mem", "/", "tokenizer.json",
        "preprocessor_config.json")]
    for name in ("tokenizer.json", "preprocessor_config.json"):
        path = Path("m", name)
        good = path.read_bytes()
        for make in makes:
            path.unlink(missing_ok=True)
            make(path)
            done = READERS[name](3, mib=256)
            assert name in done.err, done.err
            if path.is_dir() and not path.is_symlink():
                path.rmdir()
        path.unlink(missing_ok=True)
        path.write_bytes(good)
    return f"{len(makes)} kinds of 2 files"


@test
def a_vocabulary_made_to_be_slow_is_not():
    start()
    model = copy.deepcopy(TOKENIZER["model"])
    n = max(t["id"] for t in TOKENIZER["added_tokens"]) + 1
    # A chain of merges, each of which makes the longest token longer.
    token = "a"
    for i in range(2000):
        model["vocab"][token + "a"] = n + i
        model["merges"].append([token, "a"])
        token += "a"
    save("tokenizer.json", {**TOKENIZER, "model": model})
    write("d.jsonl", lines([pair(instruction="a" * 1_000_000,
                                 chosen="a" * 1_999 + " " + "b" * 1_000_000)]))
    equal(run("jsonl-split d.jsonl | dpo-pair >in.zst").status, 0)
    done = run("tokpack -j 1 -m m --cutoff-len 4096 -r rejects -o out.zst "
               "<in.zst", limit_s=60)
    assert done.status in (0, 1, 3), done.err
    below(done, 300)
    return f"{done.seconds:.1f} s, {done.rss_mib:.0f} MiB"


finish()

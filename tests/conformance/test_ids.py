"""Ids and labels of every layout, against LLaMA-Factory.

Data are made at test time by a seed.  What LLaMA-Factory accepts and we
refuse must be what was made for that, and what the cut-off would spoil.
"""
import json
import subprocess

import pytest

import pairs
import streams

SEED = 20250301
NAMES = ("chosen_input_ids", "chosen_labels", "rejected_input_ids", "rejected_labels")
BOS, AUDIO, EOS = 151647, 151646, 151648
WHOLE = 1 << 20         # a cut-off that cuts nothing

CHAT_COLUMNS = {"messages": "messages", **pairs.PLAIN}
CHAT_TAGS = {"role_tag": "role", "content_tag": "content", "user_tag": "user", "assistant_tag": "assistant",
             "observation_tag": "tool", "function_tag": "function", "system_tag": "system"}
GERMAN_TAGS = {k + "_tag": pairs.GERMAN[v] for k, v in (
    ("role", "role"), ("content", "content"), ("user", pairs.USER), ("assistant", pairs.BOT),
    ("observation", pairs.RESULT), ("function", pairs.CALL), ("system", "system"))}

# name: (file, what dataset_info.json says, how a pair is written, how long its
# texts are, pairs, cut-offs)
SETS = {
    "sharegpt": ("sharegpt.jsonl", {"formatting": "sharegpt", "columns": {
        "messages": "conversations", **pairs.PLAIN}}, pairs.sharegpt, 12, 400, (300, 2048, WHOLE)),
    "short": ("short.jsonl", {"formatting": "sharegpt", "columns": {
        "messages": "conversations", **pairs.PLAIN}}, pairs.sharegpt, 3, 300, (64, 150)),
    "named": ("named.json", {"formatting": "sharegpt", "columns": {"messages": "dialog", **pairs.NAMED},
                             "tags": GERMAN_TAGS},
              lambda p, i: pairs.sharegpt(p, i, pairs.GERMAN, pairs.NAMED, "dialog"), 12, 300, (WHOLE,)),
    "openai": ("openai.jsonl", {"formatting": "openai", "columns": CHAT_COLUMNS, "tags": CHAT_TAGS},
               pairs.openai, 12, 300, (300, WHOLE)),
    "alpaca": ("alpaca.jsonl", {"formatting": "alpaca", "columns": {
        "prompt": "instruction", "query": "input", "history": "history", **pairs.PLAIN}},
        pairs.alpaca, 12, 300, (300, WHOLE)),
}


def make(name, seed=SEED):
    """The pairs of a set."""
    _, _, write, scale, n, _ = SETS[name]
    maker = pairs.Maker(f"{seed}-{name}", scale)
    made = []
    while len(made) < n:
        p = maker.pair(functions=name != "alpaca")
        if name == "openai" and p["turns"][-1][0] == pairs.RESULT:
            continue    # which the converter drops: tests/bad has one
        if name == "alpaca":
            p["system_turn"] = False
        made.append(p)
    return made, [write(p, i) for i, p in enumerate(made)]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A folder with all sets, and the pairs of each."""
    folder = tmp_path_factory.mktemp("ids")
    pairs.write_clips(folder)
    made = {}
    info = {}
    for name, (file, says, *_) in SETS.items():
        made[name], rows = make(name)
        pairs.write(folder / file, rows, seed=name)
        info[name] = {"file_name": file, "ranking": True, **says}
    (folder / "dataset_info.json").write_text(json.dumps(info))
    return folder, made


@pytest.fixture(scope="module")
def whole(data, oracle):
    """What LLaMA-Factory makes of a set that is not cut, once."""
    results = {}

    def get(name):
        if name not in results:
            results[name] = oracle(data[0], name, cutoff_len=WHOLE, media_dir=data[0])
        return results[name]

    return get


def run(build, model, folder, file, cutoff, *options, threads=1):
    """{n: (record, tensors)} of FILE's shard, and {n: record} of its rejects."""
    b = f"-j{threads}"
    shard, rejects = folder / "shard.zst", folder / "rejects.jsonl"
    steps = [["jsonl-split", b, file], ["dpo-pair", b, *options], ["audio-check", b, "--no-pcm", "-q"],
             ["tokpack", b, "-m", str(model), "--cutoff-len", str(cutoff), "-r", str(rejects), "--max-rejects",
              "100%", "-o", str(shard)]]
    line = "set -o pipefail; " + " | ".join(" ".join(f"'{x}'" for x in [str(build / s[0]), *s[1:]]) for s in steps)
    done = subprocess.run(["bash", "-c", line], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    packed = {r["extra"]["n"]: (r, t) for r, t in streams.read(shard.read_bytes())}
    refused = [json.loads(x) for x in rejects.open()]
    return packed, {(r.get("data") or r.get("extra"))["n"]: r for r in refused}


def infer_seqlen(source, target, cutoff):
    """As LLaMA-Factory's README has it: the answers are more important."""
    most = cutoff
    if target * 2 >= cutoff:
        most = cutoff - source if source * 2 < cutoff else int(cutoff * (target / (source + target)))
    target = min(most, target)
    return min(max(cutoff - target, 0), source), target


def expected_error(pair, row, cutoff):
    """The code with which a record must be refused, by its uncut ids."""
    if pair["error"]:
        return pair["error"]
    source = row["chosen_labels"].count(-100)
    prompt = row["chosen_input_ids"][:source]
    answers = [row["chosen_input_ids"][source:], row["rejected_input_ids"][source:]]
    keep, most = infer_seqlen(source, max(map(len, answers)), cutoff)
    if any(x in (BOS, AUDIO, EOS) for x in prompt[keep:] + answers[0][most:] + answers[1][most:]):
        return "audio-cut"
    return "header-cut" if keep < source else None


@pytest.mark.parametrize("name,cutoff", [(n, c) for n, s in SETS.items() for c in s[-1]])
def test_ids_and_labels_are_those_of_llamafactory(name, cutoff, build, model_dir, data, whole, oracle, tmp_path):
    folder, made = data
    uncut = whole(name)
    rows = uncut if cutoff == WHOLE else oracle(folder, name, cutoff_len=cutoff, media_dir=folder)
    assert len(rows) == len(uncut) == len(made[name])
    packed, refused = run(build, model_dir, folder, SETS[name][0], cutoff, "--info", "dataset_info.json", "--name",
                          name)
    compared = 0
    for i, pair in enumerate(made[name]):
        error = expected_error(pair, uncut[i], cutoff)
        if error is not None:
            assert refused[i]["error"]["code"] == error, refused[i]
            continue
        _, tensors = packed[i]
        for key in NAMES:
            assert tensors[key].tolist() == rows[i][key], (i, key)
        noted = {n["code"] for n in packed[i][0].get("notes", []) if n["stage"] == "tokpack"}
        assert ("cutoff" in noted) == any(len(rows[i][k]) < len(uncut[i][k]) for k in NAMES)
        other = any(x > EOS for k in NAMES[::2] for x in uncut[i][k])    # added tokens that dpo-pair cannot know
        assert ("control-token" in noted) == other
        compared += 1
    assert len(packed) + len(refused) == len(made[name])
    print(f"{name} at {cutoff}: {compared} pairs equal, {len(refused)} refused as they must be")
    assert compared >= (0.1 if cutoff < 2048 else 0.8) * len(made[name])


def same(a, b):
    """Whether two packed records are the same but for where they are from."""
    (ra, ta), (rb, tb) = a, b

    def strip(r):
        r = {k: v for k, v in r.items() if k not in ("at", "extra", "notes")}
        if "tools" in r:    # a list of them is written anew, an empty one not
            r["tools"] = json.loads(r["tools"])
        return {k: v for k, v in r.items() if v != []}

    assert strip(ra) == strip(rb)
    assert [n["code"] for n in ra.get("notes", [])] == [n["code"] for n in rb.get("notes", [])]
    assert ta.keys() == tb.keys() and all((ta[k] == tb[k]).all() for k in ta)


@pytest.mark.parametrize("layout", ["trl", "swift"])
@pytest.mark.parametrize("options", [[], None], ids=["auto", "named"])
def test_other_layouts_give_the_same_shard(layout, options, build, model_dir, data):
    folder, made = data
    write = getattr(pairs, layout)
    pairs.write(folder / f"{layout}.jsonl", [write(p, i) for i, p in enumerate(made["sharegpt"])], seed=layout)
    options = ["--format", layout] if options is None else options
    packed, refused = run(build, model_dir, folder, "sharegpt.jsonl", 2048)
    other, refused_too = run(build, model_dir, folder, f"{layout}.jsonl", 2048, *options)
    assert packed.keys() == other.keys() and len(packed) > 350
    for i, record in packed.items():
        same(record, other[i])
    assert {i: r["error"]["code"] for i, r in refused.items()} == {
        i: r["error"]["code"] for i, r in refused_too.items()}


@pytest.mark.parametrize("name", ["sharegpt", "openai", "alpaca"])
def test_auto_takes_the_usual_names(name, build, model_dir, data):
    folder, _ = data
    file = SETS[name][0]
    auto, _ = run(build, model_dir, folder, file, 2048)
    for options in (["--format", name], ["--info", "dataset_info.json", "--name", name]):
        other, _ = run(build, model_dir, folder, file, 2048, *options, threads=3)
        assert auto.keys() == other.keys()
        for i, record in auto.items():
            same(record, other[i])


def test_the_template_options_are_those_of_llamafactory(build, model_dir, tmp_path):
    """--default-system and --tool-format, whose yaml names differ by a
    hyphen; the oracle has no such options, so its template is asked."""
    import copy
    from types import SimpleNamespace

    from llamafactory.data import template as lf
    from transformers import AutoTokenizer

    maker = pairs.Maker(SEED + 7)
    made = [p for p in (maker.pair(bad=0) for _ in range(600)) if not p["audios"]][:150]
    pairs.write(tmp_path / "data.jsonl", [pairs.sharegpt(p, i) for i, p in enumerate(made)])
    tokenizer = AutoTokenizer.from_pretrained(model_dir)
    saved = copy.deepcopy(lf.TEMPLATES["qwen2_audio"])
    for system, tool_format in ((None, None), ("", None), ("Sei brav. 你好\n", "default"), ("", "default")):
        lf.TEMPLATES["qwen2_audio"] = copy.deepcopy(saved)
        template = lf.get_template_and_fix_tokenizer(tokenizer, SimpleNamespace(
            template="qwen2_audio", train_on_prompt=False, tool_format=tool_format, default_system=system,
            enable_thinking=True, preserve_thinking=False))
        options = (["--default-system", system] if system is not None else []) + (
            ["--tool-format", tool_format] if tool_format else [])
        line = "set -o pipefail; " + f"{build}/jsonl-split data.jsonl | {build}/dpo-pair -q | {build}/tokpack -q" \
            f" -m {model_dir} --cutoff-len {WHOLE} -o shard.zst \"$@\""
        subprocess.run(["bash", "-c", line, "-", *options], cwd=tmp_path, check=True)
        packed = {r["extra"]["n"]: t for r, t in streams.read((tmp_path / "shard.zst").read_bytes())}
        assert len(packed) == len(made)
        for i, p in enumerate(made):
            for side in ("chosen", "rejected"):
                prompt, answer = template.encode_oneturn(
                    tokenizer, [{"role": r, "content": c} for r, c in [*p["turns"], p[side]]], p["system"], p["tools"])
                assert packed[i][side + "_input_ids"].tolist() == prompt + answer
                assert packed[i][side + "_labels"].tolist() == [-100] * len(prompt) + answer
    lf.TEMPLATES["qwen2_audio"] = saved

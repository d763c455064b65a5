#!/usr/bin/env python3
"""make_encode.py [ROOT]

Asks LLaMA-Factory 0.9.5 what ids a pair has, by the demo's tokenizer and the
template qwen2_audio, and writes tests/golden/encode.txt: lines of {"pair",
"tokens", "default_system", "named", "prompt", "chosen", "rejected"}.  TOKENS
are how many each audio has; NAMED, whether the tool format is named.  The
last three are null where LLaMA-Factory stops.
"""
import copy
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import torch
from llamafactory.data import template as lf
from transformers import AutoTokenizer

ROOT = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
sys.path.insert(0, str(ROOT / "tests/conformance"))
import pairs  # noqa: E402  pylint: disable=wrong-import-position

PROCESSOR = SimpleNamespace(audio_bos_token="<|audio_bos|>", audio_eos_token="<|audio_eos|>", feature_extractor=1)
SAVED = copy.deepcopy(lf.TEMPLATES["qwen2_audio"])


def template(tokenizer, system, named):
    lf.TEMPLATES["qwen2_audio"] = copy.deepcopy(SAVED)
    return lf.get_template_and_fix_tokenizer(tokenizer, SimpleNamespace(
        template="qwen2_audio", train_on_prompt=False, tool_format="default" if named else None,
        default_system=system, enable_thinking=True, preserve_thinking=False))


def encode(tokenizer, pair, tokens, system, named):
    t = template(tokenizer, system, named)
    frames = torch.tensor([[4 * n] for n in tokens])    # 4n frames give n tokens
    t.mm_plugin._get_mm_inputs = lambda *_: {"feature_attention_mask": frames} if tokens else {}
    out = {}
    for side in ("chosen", "rejected"):
        messages = t.mm_plugin.process_messages(pair["messages"] + [pair[side]], [], [], ["x"] * len(tokens), PROCESSOR)
        out["prompt"], out[side] = t.encode_oneturn(tokenizer, messages, pair.get("system"), pair.get("tools"))
    return out


def pair(turns, chosen="y", rejected="n", **more):
    def turn(t):
        role, content = t if isinstance(t, tuple) else ("assistant", t)
        return {"role": role, "content": content}
    return {**more, "messages": [turn(t) for t in turns], "chosen": turn(chosen), "rejected": turn(rejected)}


def user(*texts):
    return [("user" if i % 2 == 0 else "assistant", t) for i, t in enumerate(texts)]


CALL = '[{"name": "f", "arguments": {"q": "<audio>"}}]'
CASES = [
    (pair(user("Hello")), []),
    (pair(user("")), []),
    (pair(user("<audio>")), [3]),
    (pair(user("<audio>")), [0]),
    (pair(user("a<audio>b<audio> <audio>\u0338")), [1, 2, 1]),
    (pair(user("a <audio> \n<audio>", "b", "<audio>")), [1, 2, 1]),
    (pair(user("a", "<audio>", "c")), [2]),
    (pair(user("<audio>"), "<audio>x", "y<audio>z"), [2, 5]),
    (pair(user("a"), "<audio>", "<audio>"), [750]),
    (pair(user("{{idx}} {{idx}} {{content}}", "{{idx}}", "<audio>{{idx}}{{idx}}", "b", "{{{idx}}}")), [1]),
    (pair(user("a{{id<audio>x}}{{idx}}")), [1]),
    (pair(user("a", "b", "c"), system="S\n\n"), []),
    (pair(user("a"), system="<audio> in the system"), []),
    (pair(user("a"), tools="[]"), []),
    (pair(user("a"), tools='[{"name": "f", "parameters": {"properties": {"p": {"type": "x"}}}}]', system="S"), []),
    (pair([("user", "a"), ("function", CALL.replace("<audio>", "")), ("observation", "{{idx}} r")]), []),
    (pair([("user", "a"), ("function", CALL), ("observation", "<audio>")]), [2, 3]),
    (pair([("user", "a"), ("function", "<think>\n<audio>\n</think>\n\n" + CALL), ("observation", "r")]), [2, 3]),
    (pair(user("a"), ("function", '{"name": "f", "arguments": "\\u003caudio>"}'), ("function", "[]")), []),
    (pair(user("a"), ("function", CALL), ("assistant", "<audio>")), [4]),
    (pair(user("a"), ("function", "no JSON")), []),
    (pair(user("a"), tools="no JSON"), []),
    (pair(user("<|im_end|>\n<|im_start|>assistant\nx<|endoftext|>")), []),
]


def main():
    tokenizer = AutoTokenizer.from_pretrained(ROOT / "examples/demo/model")
    cases = [(p, t, None, False) for p, t in CASES]
    cases += [(p, t, s, n) for p, t in CASES[:1] + CASES[13:16] for s in ("", "Be good.") for n in (False, True)]
    maker = pairs.Maker(11, scale=3)
    for i in range(40):
        p = maker.pair(bad=0)
        turns = pair(p["turns"], p["chosen"], p["rejected"], **{
            k: p[k] for k in ("system", "tools") if p[k]})
        cases.append((turns, [maker.r.randint(1, 6) for _ in p["audios"]], None, i % 2 == 1))
    with open(ROOT / "tests/golden/encode.txt", "w", encoding="utf-8") as f:
        for p, tokens, system, named in cases:
            try:
                ids = encode(tokenizer, p, tokens, system, named)
            except RuntimeError:
                ids = {"prompt": None, "chosen": None, "rejected": None}
            line = {"pair": p, "tokens": tokens, "default_system": system, "named": named, **ids}
            f.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()

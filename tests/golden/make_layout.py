#!/usr/bin/env python3
"""make_layout.py [ROOT]

Asks LLaMA-Factory 0.9.5's own parser and converters what a record becomes,
and writes tests/golden/layout.txt: lines of {"info", "data", "pair"}: what
dataset_info.json says of the data set, a record of it, and the pair; null
where the record is dropped, or stops it.  What the converters let through
and the template refuses afterwards (a content that is no string) counts as
stopped.
"""
import json
import sys
from pathlib import Path
from types import SimpleNamespace

from llamafactory.data.converter import get_dataset_converter
from llamafactory.data.parser import get_dataset_list

ARGS = SimpleNamespace(media_dir="/nowhere")

CHAT_TAGS = {"role_tag": "role", "content_tag": "content", "user_tag": "user", "assistant_tag": "assistant",
             "observation_tag": "tool", "function_tag": "function", "system_tag": "system"}
COLUMNS = {c: c for c in ("system", "tools", "images", "videos", "audios", "chosen", "rejected")}
SHAREGPT = {"formatting": "sharegpt", "ranking": True, "columns": {"messages": "conversations", **COLUMNS}}
OPENAI = {"formatting": "openai", "ranking": True, "columns": {"messages": "messages", **COLUMNS}, "tags": CHAT_TAGS}
ALPACA = {"formatting": "alpaca", "ranking": True,
          "columns": {"prompt": "instruction", "query": "input", "history": "history", "response": "output", **COLUMNS}}
RENAMED = {"formatting": "sharegpt", "ranking": True,
           "columns": {"messages": "m", "chosen": "good", "rejected": "bad", "audios": "sounds"},
           "tags": {"role_tag": "r", "content_tag": "c", "user_tag": "U", "assistant_tag": "A", "system_tag": "S"}}
TWINS = {**SHAREGPT, "tags": {"role_tag": "from", "content_tag": "value", "user_tag": "u", "assistant_tag": "a",
                              "observation_tag": "u", "function_tag": "f"}}
NO_COLUMN_BUT = {"formatting": "alpaca", "ranking": True,
                 "columns": {"query": "q", "chosen": "chosen", "rejected": "rejected"}}


def g(*turns):
    return [{"from": r, "value": c} for r, c in turns]


def o(*turns):
    return [{"role": r, "content": c} for r, c in turns]


def sharegpt(turns, **more):
    return {"conversations": turns, "chosen": g(("gpt", "yes"))[0], "rejected": g(("gpt", "no"))[0], **more}


def openai(turns, **more):
    return {"messages": turns, "chosen": o(("assistant", "yes"))[0], "rejected": o(("assistant", "no"))[0], **more}


def alpaca(**more):
    return {"chosen": "yes", "rejected": "no", **more}


CALLS = [{"id": "1", "type": "function", "function": {"name": "f", "arguments": {"a": [1, 2.50, "é"], "b": None}}},
         {"type": "function", "function": {"name": "g", "arguments": "{\"x\": 1}"}}]
TOOL = [{"name": "f", "description": "é", "parameters": {"type": "object", "properties": {"a": {"type": "string"}}}}]
HELLO = [("human", "Hello")]
ASK = [("user", "Hello")]

CASES = [
    (SHAREGPT, sharegpt(g(*HELLO))),
    (SHAREGPT, sharegpt(g(("human", "a"), ("gpt", "b"), ("human", "c")))),
    (SHAREGPT, sharegpt(g(("human", "a"), ("function_call", "[]"), ("observation", "c")))),
    (SHAREGPT, sharegpt(g(("system", "S"), *HELLO), system="column")),
    (SHAREGPT, sharegpt(g(("system", ""), *HELLO), system="column")),
    (SHAREGPT, sharegpt(g(("system", None), *HELLO), system="column")),
    (SHAREGPT, sharegpt(g(*HELLO), system="column")),
    (SHAREGPT, sharegpt(g(*HELLO), system="")),
    (SHAREGPT, sharegpt(g(*HELLO), system=None)),
    (SHAREGPT, sharegpt(g(*HELLO), tools="[]")),
    (SHAREGPT, sharegpt(g(*HELLO), tools="")),
    (SHAREGPT, sharegpt(g(*HELLO), tools=None)),
    (SHAREGPT, sharegpt(g(*HELLO), audios=["a.wav", "b.wav"])),
    (SHAREGPT, sharegpt(g(*HELLO), audios=[])),
    (SHAREGPT, sharegpt(g(*HELLO), audios=None)),
    (SHAREGPT, sharegpt(g(*HELLO), audios="a.wav")),
    (SHAREGPT, sharegpt(g(("human", "a"), ("system", "s"), ("human", "b")))),
    (SHAREGPT, sharegpt(g(("human", "a"), ("human", "b"), ("human", "c")))),
    (SHAREGPT, sharegpt(g(("human", "a"), ("gpt", "b")))),
    (SHAREGPT, sharegpt(g(("gpt", "a")))),
    (SHAREGPT, sharegpt(g(("bot", "a")))),
    (SHAREGPT, sharegpt([])),
    (SHAREGPT, sharegpt(g(("system", "S")))),
    (SHAREGPT, {**sharegpt(g(*HELLO)), "chosen": g(("function_call", "[]"))[0]}),
    (SHAREGPT, {**sharegpt(g(*HELLO)), "chosen": None}),
    (SHAREGPT, {**sharegpt(g(*HELLO)), "chosen": "yes"}),
    (SHAREGPT, {**sharegpt(g(*HELLO)), "chosen": g(("bot", "x"))[0]}),
    (SHAREGPT, {**sharegpt(g(*HELLO)), "chosen": None, "rejected": None}),
    (SHAREGPT, sharegpt(g(*HELLO), beside=[1, {"a": None}], **{"more beside": "x"})),
    (SHAREGPT, sharegpt([{"value": "Hello", "from": "human", "weight": 1}])),
    (SHAREGPT, sharegpt([{"from": "human", "value": 1}])),
    (SHAREGPT, sharegpt([{"from": "human", "value": None}])),
    (RENAMED, {"m": [{"r": "S", "c": "s"}, {"r": "U", "c": "u"}], "good": {"r": "A", "c": "x"},
               "bad": {"r": "A", "c": "y"}, "sounds": ["a"], "system": "not a column", "audios": ["nor this"]}),
    (RENAMED, {"m": [{"r": "human", "c": "u"}], "good": {"r": "A", "c": "x"}, "bad": {"r": "A", "c": "y"}}),
    (TWINS, sharegpt(g(("u", "a"), ("f", "[]"), ("u", "c")), chosen=g(("a", "x"))[0], rejected=g(("a", "y"))[0])),
    (TWINS, sharegpt(g(("system", "a"), ("u", "c")), chosen=g(("a", "x"))[0], rejected=g(("a", "y"))[0])),
    (OPENAI, openai(o(*ASK))),
    (OPENAI, openai(o(*ASK), system="S")),
    (OPENAI, openai(o(("system", "S"), *ASK), system="column")),
    (OPENAI, openai(o(("system", "S"), *ASK), tools="[]")),
    (OPENAI, openai(o(*ASK), tools=json.dumps(TOOL))),
    (OPENAI, openai(o(*ASK), tools=TOOL)),
    (OPENAI, openai(o(("system", "S"), *ASK), tools=TOOL)),
    (OPENAI, openai(o(*ASK), tools=[])),
    (OPENAI, openai(o(*ASK), tools={})),
    (OPENAI, openai(o(*ASK), tools=None, system=None)),
    (OPENAI, openai(o(("system", "be\ndetailed thinking on"), *ASK))),
    (OPENAI, openai(o(("system", "detailed thinking off."), *ASK))),
    (OPENAI, openai(o(("system", "detailed thinking o"), *ASK))),
    (OPENAI, openai(o(("system", "ends in\\"), *ASK))),
    (OPENAI, openai(o(("user", "a"), ("assistant", "b"), ("user", "c")))),
    (OPENAI, openai([*o(("user", "a")), {"role": "assistant", "content": None, "tool_calls": CALLS},
                     *o(("tool", "r1"), ("tool", "r\"2"), ("tool", "r3"), ("assistant", "b"), ("user", "c"))])),
    (OPENAI, openai([*o(("user", "a")), {"role": "function", "content": "x", "tool_calls": CALLS[:1]},
                     *o(("tool", "r1"), ("assistant", "b"), ("user", "c"))])),
    (OPENAI, openai([*o(("user", "a")), {"role": "assistant", "content": "b", "tool_calls": []}, *o(("user", "c"))])),
    (OPENAI, openai([*o(("user", "a")), {"role": "assistant", "tool_calls": CALLS}, *o(("user", "c"))])),
    (OPENAI, openai([{"role": "user", "content": "a", "tool_calls": CALLS}])),
    (OPENAI, openai(o(("user", "a"), ("function", "[]"), ("tool", "r")))),
    (OPENAI, openai(o(("user", "a"), ("assistant", "b"), ("tool", "c"), ("assistant", "d"), ("user", "e")))),
    (OPENAI, openai(o(("user", "a"), ("assistant", "b")))),
    (OPENAI, openai(o(("user", "a"), ("developer", "b"), ("user", "c")))),
    (OPENAI, openai(o(("user", "a"), ("system", "b"), ("user", "c")))),
    (OPENAI, openai([{"role": "user", "content": "a"}, {"role": "assistant", "content": "", "tool_calls": [{"a": 1}]},
                     {"role": "user", "content": "c"}])),
    (ALPACA, alpaca(instruction="a", input="b")),
    (ALPACA, alpaca(instruction="a", input="")),
    (ALPACA, alpaca(instruction="", input="b")),
    (ALPACA, alpaca(instruction="a", input=None)),
    (ALPACA, alpaca(instruction="", input="")),
    (ALPACA, alpaca(instruction="a\\", input="\"b", system="S", tools="[]", audios=["x"])),
    (ALPACA, alpaca(instruction="a", input=None, history=[["q", "r"], ["s", "t"]])),
    (ALPACA, alpaca(instruction="a", input=None, history=[])),
    (ALPACA, alpaca(instruction="a", input=None, history=[["q"]])),
    (ALPACA, alpaca(instruction="a", input=None, history=[["q", "r", "s"]])),
    (ALPACA, alpaca(instruction="a", input=None, output="beside")),
    (ALPACA, alpaca(instruction=1, input="b")),
    (ALPACA, {**alpaca(instruction="a", input=None), "chosen": None}),
    (ALPACA, {**alpaca(instruction="a", input=None), "chosen": ["x"]}),
    (NO_COLUMN_BUT, alpaca(q="only a query", instruction="not this")),
]


def ask(info, data):
    """The pair, or None."""
    [attr] = get_dataset_list(["x"], {"x": {"file_name": "x.json", **info}})
    columns = [getattr(attr, c) for c in ("system", "tools", "images", "videos", "audios", "chosen", "rejected",
                                          "prompt", "query", "response", "history", "messages", "kto_tag")]
    row = {**{c: None for c in columns if c}, **data}   # as Arrow has it
    tags = [attr.role_tag, attr.content_tag]
    for turn in row.get(attr.messages) or []:
        if isinstance(turn, dict):
            for t in tags:
                turn.setdefault(t, None)
    out = get_dataset_converter(attr.formatting, attr, ARGS)(row)
    if len(out["_prompt"]) % 2 != 1 or len(out["_response"]) < 2:
        return None
    turns = out["_prompt"] + out["_response"]
    if not all(isinstance(t["content"], str) for t in turns):
        return None
    if any(t["role"] == "system" for t in turns):
        return None
    pair = {"messages": out["_prompt"], "chosen": out["_response"][0], "rejected": out["_response"][1]}
    for key in ("system", "tools", "audios"):
        if out["_" + key]:
            pair[key] = out["_" + key]
    return pair


def main():
    root = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    with open(root / "tests/golden/layout.txt", "w", encoding="utf-8") as f:
        for info, data in CASES:
            text = json.dumps(data, ensure_ascii=False)
            try:
                pair = ask(info, json.loads(text))
            except Exception:  # pylint: disable=broad-exception-caught
                pair = None  # whatever it is, it stops LLaMA-Factory
            line = {"info": info, "data": json.loads(text), "pair": pair}
            f.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()

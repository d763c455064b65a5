"""Pairs made at random, and each layout that they can be written in.

A pair is {"system", "system_turn", "tools", "turns", "chosen", "rejected",
"audios", "error"}: turns and answers are (role, content) in the canonical
words, ERROR the code with which dpo-pair must refuse what LLaMA-Factory
accepts, or None.
"""
import json
import random
import wave
from pathlib import Path

import numpy as np

USER, BOT, RESULT, CALL = "user", "assistant", "observation", "function"

# Names and lengths in samples at 16 kHz; 30 s is the most that is heard.
CLIPS = [("a.wav", 321), ("b b.wav", 640), ("c.wav", 641), ("d.wav", 4000),
         ("é.wav", 16000), ("f.wav", 47999), ("sub/g.wav", 7777),
         ("h.wav", 480000), ("i.wav", 500001)]

PIECES = [
    "Hello", "What's that sound?", " the quick brown fox", "I'LL", "we've",
    "请仔细听这段录音", "，然后用中文回答：", "背景里有没有音乐？", "說話的人是誰",
    "مرحبا بالعالم", "السَّلَامُ", "สวัสดีครับ", "น้ำแข็ง", "नमस्ते", "क्षि", "한국어", "ㅎㅏㄴ",
    "\u1112\u1161\u11ab", "こんにちは", "カ\u3099", "😀", "👩‍👩‍👧‍👦", "🏳️‍🌈", "🇫🇷", "\U0001f44d\U0001f3fd",
    "e\u0301", "\u0338", "\u0301", "\u1e9b\u0323", "ﬁ", "﷽", "Å\u212b", "ö\u0323", "q\u0307\u0323",
    "123", "3.14159", "１２３", "²", "½", "٣٤", "Ⅷ", "1,000,000",
    "def f(x):\n\treturn x ** 2  # ok\n", "{\"a\": [1, 2]}", "</b>", "x<y>z", "a && b || !c",
    "for (int i = 0; i < n; i++) {\n    s += a[i];\n}\n", "https://x.org/?q=a%20b#c",
    " ", "  ", "\n", "\n\n", "\t", "\r\n", "\u00a0", "\u3000", "\u2028", "\u200b", "\ufeff", "\u0085", " \n \n",
    "{{content}}", "{{system}}", "{{idx}}", "{{", "}}", "{idx}", "%s", "\\", "\"", "'", "\\n", "\\u0041",
    "<|im_end|>", "<|im_start|>", "<|endoftext|>", "<|0.02|>", "<|en|>", "<|", "|>", "<|im_end", "< audio>",
    "<Audio>", "<audio", "audio>", "<<", "<", "\U0001d518\U0001d52b", "\U000e0041", "\ue000", "\u0378", "\U0003fffd", "\x7f", "\x01",
    "Straße", "ĳ", "ſ's", "don't", "D'Angelo", "naïve", "Zürich", "łódź", "Việt Nam", "ελληνικά", "ΑΓΓΕΛΟΣ", "русский язык", "עברית",
]


def write_clips(folder):
    """The clips, below FOLDER."""
    r = np.random.default_rng(5)
    for name, n in CLIPS:
        path = Path(folder) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with wave.open(str(path), "wb") as w:
            w.setnchannels(1)
            w.setsampwidth(2)
            w.setframerate(16000)
            w.writeframes(r.integers(-9000, 9000, n).astype("<i2").tobytes())


class Maker:
    """Pairs by a seed."""

    def __init__(self, seed, scale=12):
        self.r = random.Random(seed)
        self.scale = scale      # how long texts are

    def text(self, most=None):
        """Some text, seldom long, that is never empty."""
        r = self.r
        n = max(1, min(int(r.expovariate(1 / (most or self.scale))), 400))
        if r.random() < 0.3:    # one script through and through
            start = r.randrange(len(PIECES) - 8)
            pool = PIECES[start:start + 8]
        else:
            pool = PIECES
        text = "".join(r.choice(pool) + r.choice(["", "", " "]) for _ in range(n))
        return text.replace("<audio>", "<audio >")      # pieces can make one

    def call(self):
        """The content of a function turn."""
        r = self.r
        one = [{"name": r.choice(["get_weather", "播放", "f"]),
                "arguments": r.choice([{}, {"q": self.text(3)}, {"a": [1, 2.5, None], "b": {"c": True}}, self.text(2)])}
               for _ in range(r.choice([1, 1, 1, 2]))]
        text = json.dumps(one if len(one) > 1 or r.random() < 0.3 else one[0],
                          ensure_ascii=r.random() < 0.5, indent=r.choice([None, None, 1]))
        if r.random() < 0.2:
            text = "<think>\n" + self.text(4) + "\n</think>\n\n" + text
        return text

    def tools(self):
        """A tools column."""
        def parameter():
            p = {"type": self.r.choice(["string", "integer", "array"]), "description": self.text(3)}
            if self.r.random() < 0.3:
                p["enum"] = [self.text(1) for _ in range(2)]
            if p["type"] == "array":
                p["items"] = {"type": "string"}
            return p
        tools = []
        for _ in range(self.r.choice([0, 1, 1, 2])):
            names = [self.r.choice(["place", "单位", "q", "n"]) for _ in range(self.r.randint(0, 3))]
            tool = {"name": self.text(1), "description": self.text(4), "parameters": {
                "type": "object", "properties": {n: parameter() for n in names}, "required": names[:1]}}
            tools.append({"type": "function", "function": tool} if self.r.random() < 0.5 else tool)
        return json.dumps(tools, ensure_ascii=self.r.random() < 0.5)

    def place_tags(self, turns, n):
        """Put N tags into the user's turns: at the start, the end, between."""
        for _ in range(n):
            i = self.r.choice([i for i, t in enumerate(turns) if t[0] in (USER, RESULT)])
            role, text = turns[i]
            at = self.r.choice([0, len(text), self.r.randint(0, len(text))])
            while "<audio>" in text[max(0, at - 6):at + 6] and at < len(text):
                at += 1
            turns[i] = (role, text[:at] + "<audio>" + text[at:])

    def pair(self, functions=True, history=2, bad=0.06):
        """One pair; FUNCTIONS: with tools, calls and their results."""
        r = self.r
        turns = []
        for _ in range(r.choice([0, 0, 0, 1, history])):
            role = RESULT if functions and turns and turns[-1][0] == CALL else USER
            turns.append((role, self.text()))
            call = functions and r.random() < 0.35
            turns.append((CALL, self.call()) if call else (BOT, self.text()))
        role = RESULT if turns and turns[-1][0] == CALL else USER
        turns.append((role, self.text()))
        n = r.choice([0, 1, 1, 1, 2, 3])
        self.place_tags(turns, n)
        answer = (lambda: (CALL, self.call()) if functions and r.random() < 0.1 else (BOT, self.text(2 * self.scale)))
        p = {"system": None, "system_turn": False, "tools": None, "turns": turns, "chosen": answer(),
             "rejected": answer(), "audios": [r.choice(CLIPS)[0] for _ in range(n)], "error": None}
        if r.random() < 0.4:
            p["system"] = r.choice(["", self.text()])
        p["system_turn"] = bool(p["system"]) and r.random() < 0.4
        if functions and r.random() < 0.3:
            p["tools"] = self.tools()
        if r.random() < 0.03:   # an answer that has audio
            p["audios"].append(CLIPS[0][0])
            for side in ("chosen", "rejected"):
                p[side] = (BOT, p[side][1].replace("{", "") + "<audio>") if p[side][0] == BOT else (BOT, "<audio>")
        if r.random() < bad:
            self.spoil(p)
        return p

    def spoil(self, p):
        """What LLaMA-Factory takes and we refuse."""
        kind = self.r.choice(["empty", "token"])
        if kind == "empty":
            p["chosen"] = (BOT, "")
            p["rejected"] = (BOT, p["rejected"][1].replace("<audio>", ""))
            p["audios"] = p["audios"][:sum(t.count("<audio>") for _, t in p["turns"])]
            p["error"] = "empty-response"
        else:
            role, text = p["turns"][-1]
            p["turns"][-1] = (role, text + self.r.choice(["<|AUDIO|>", "<|audio_bos|>", "<|audio_eos|>"]))
            p["error"] = "control-token"


SHAREGPT = {"role": "from", "content": "value", USER: "human", BOT: "gpt", RESULT: "observation",
            CALL: "function_call", "system": "system"}
OPENAI = {"role": "role", "content": "content", USER: "user", BOT: "assistant", RESULT: "tool",
          CALL: "function", "system": "system"}
GERMAN = {"role": "wer", "content": "was", USER: "Mensch", BOT: "KI", RESULT: "Werkzeug", CALL: "Aufruf",
          "system": "Vorgabe"}
PLAIN = {c: c for c in ("system", "tools", "audios", "chosen", "rejected")}
NAMED = {"system": "vorgabe", "tools": "geräte", "audios": "töne", "chosen": "gut", "rejected": "schlecht"}


def common(p, i, names, audios=True):
    """The columns that all layouts have."""
    row = {"n": i, names["tools"]: p["tools"], names["system"]: None if p["system_turn"] else p["system"]}
    if audios:
        row[names["audios"]] = p["audios"]
    return row


def message(turn, tags):
    return {tags["role"]: tags[turn[0]], tags["content"]: turn[1]}


def messages(p, tags):
    start = [("system", p["system"])] if p["system_turn"] else []
    return [message(t, tags) for t in start + p["turns"]]


def sharegpt(p, i, tags=SHAREGPT, names=PLAIN, column="conversations"):
    return {**common(p, i, names), column: messages(p, tags), names["chosen"]: message(p["chosen"], tags),
            names["rejected"]: message(p["rejected"], tags)}


def openai(p, i):
    """OpenAI's: calls are tool_calls where they are a plain list; results in
    a row are what the converter joins."""
    out = []
    for m in messages(p, OPENAI):
        m["tool_calls"] = None
        if m["role"] == "function" and m["content"][0] == "[" and i % 2 == 0:
            m = {"role": "assistant", "content": None, "tool_calls": [
                {"type": "function", "function": {"name": c["name"], "arguments": json.dumps(c["arguments"])}}
                for c in json.loads(m["content"])]}
        if m["role"] == "tool" and i % 3 == 0:
            out.append({**m, "content": "first result"})
        out.append(m)
    return {**common(p, i, PLAIN), "messages": out, "chosen": message(p["chosen"], OPENAI),
            "rejected": message(p["rejected"], OPENAI)}


def alpaca(p, i):
    """alpaca's has turns of user and assistant alone, and a system column."""
    texts = [t[1] for t in p["turns"]]
    query = ""
    if i % 3 == 0 and "\n" in texts[-1]:
        texts[-1], query = texts[-1].split("\n", 1)
    return {"n": i, "system": p["system"], "tools": p["tools"], "audios": p["audios"],
            "history": [texts[k:k + 2] for k in range(0, len(texts) - 1, 2)] or None,
            "instruction": texts[-1], "input": query, "chosen": p["chosen"][1], "rejected": p["rejected"][1]}


def parts(text, audios):
    """TRL's content: parts of text and of audio."""
    out = []
    for k, piece in enumerate(text.split("<audio>")):
        if k > 0:
            out.append({"type": "audio", **({"audio": audios.pop(0)} if audios else {})})
        if piece:
            out.append({"type": "text", "text": piece})
    return out


def trl(p, i):
    """TRL's: with a prompt or without, contents as text or as parts, audio
    in the column or in the parts; where an answer has audio, the column."""
    answers = "<audio>" in p["chosen"][1]
    named = list(p["audios"]) if i % 4 == 3 and not answers else []
    row = common(p, i, PLAIN, audios=not named)
    prompt = messages(p, OPENAI)
    if i % 2:
        start = 1 if p["system_turn"] else 0
        for m in prompt[start:]:
            m["content"] = parts(m["content"], named)
    if row["tools"] is not None and i % 3 == 0:
        row["tools"] = json.loads(row["tools"])
    sides = [[message(p[side], OPENAI)] for side in ("chosen", "rejected")]
    if i % 5 == 0:
        return {**row, "chosen": prompt + sides[0], "rejected": prompt + sides[1]}
    return {**row, "prompt": prompt, "chosen": sides[0], "rejected": sides[1]}


def swift(p, i):
    """ms-swift's: the chosen answer ends the messages."""
    tags = {**OPENAI, CALL: "tool_call", RESULT: "tool_response" if i % 2 else "tool"}
    row = {**common(p, i, PLAIN), "messages": messages(p, tags) + [message(p["chosen"], tags)]}
    if p["rejected"][0] == BOT and i % 3:
        return {**row, "rejected_response": p["rejected"][1]}
    return {**row, "rejected_messages": row["messages"][:-1] + [message(p["rejected"], tags)]}


def write(path, rows, seed=0):
    """ROWS to PATH, JSON Lines or an array by its name, escaped in as many
    ways as JSON allows."""
    r = random.Random(seed)

    def dump(row):
        text = json.dumps(row, ensure_ascii=r.random() < 0.5)
        return text.replace("<", "\\u003c") if r.random() < 0.2 else text

    lines = [dump(row) for row in rows]
    text = "\n".join(lines) + "\n"
    if str(path).endswith(".json"):
        text = "[" + ",\n".join(lines) + "]\n"
    Path(path).write_text(text, encoding="utf-8")

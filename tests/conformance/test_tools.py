"""Tools, function calls and the cut-off, as LLaMA-Factory renders them."""
import json
import random
import struct
import subprocess

import pytest

SEED = 20240611


@pytest.fixture(scope="module")
def originals():
    from llamafactory.data.formatter import FunctionFormatter, ToolFormatter
    from llamafactory.data.processor.processor_utils import infer_seqlen
    from llamafactory.data.template import TEMPLATES

    template = TEMPLATES["qwen2_audio"]
    tools = ToolFormatter(tool_format="default")
    calls = FunctionFormatter(slots=["{{content}}"], tool_format="default")

    def load(text):
        return json.dumps(json.loads(text), ensure_ascii=False)

    def as_str(text):
        return "{x}".format(x=json.loads(text))

    def describe(text):
        return tools.apply(content=text)[0]

    def call(text):
        return calls.apply(content=text, thought_words=template.thought_words,
                           tool_call_words=template.tool_call_words)[0]

    return {"load": load, "str": as_str, "tools": describe, "call": call,
            "cutoff": lambda *a: list(infer_seqlen(*a))}


def compare(build, originals, cases):
    """Ask render and the originals about CASES; how many both refuse."""
    def ask(case):
        try:
            text = originals[case[0]](*case[1:])
            if isinstance(text, str):
                text.encode()
            return text
        except Exception:  # whatever it is, it stops LLaMA-Factory
            return None

    lines = "".join(json.dumps(c, ensure_ascii=False) + "\n" for c in cases)
    done = subprocess.run([build / "conformance" / "render"], check=True,
                          input=lines.encode(), capture_output=True)
    ours = [json.loads(line) for line in done.stdout.split(b"\n")[:-1]]
    assert len(ours) == len(cases)
    refused = 0
    for case, got in zip(cases, ours):
        expected = ask(case)
        assert got == expected, json.dumps(case)
        refused += expected is None
    return refused


class Texts:
    """JSON texts as people and programs write them, and worse."""

    WORDS = ["location", "a", "", "días", "温度", "été 😀", 'say "hi"', "it's",
             "both \" and '", "tab\there", "back\\slash", "\u200b\u00ad",
             "\x07bell", "x\u2028y", "{name}", "{{idx}}", "line\nline", "</b>",
             "\U000e0001", "\ue000", "\x7f\x85\xa0"]
    NUMBERS = ["0", "-0", "1", "-12", "3.0", "1e5", "1E+22", "1e16", "1e15",
               "123456789012345678901234567890", "0.1", "1e-5", "0.0001",
               "5e-324", "1.7976931348623157e308", "1e400", "-1e400", "NaN",
               "-0.0", "1e23", "9007199254740993", "2.5e-7", "Infinity",
               "-Infinity", "100000.0", "123456789.123456789", "0e0"]

    def __init__(self, seed):
        self.r = random.Random(seed)

    def space(self):
        return self.r.choice(["", "", "", " ", "\n", "\t ", "\r\n"])

    def string(self, words=None):
        s = self.r.choice(words or self.WORDS)
        return json.dumps(s, ensure_ascii=self.r.random() < 0.3)

    def number(self):
        if self.r.random() < 0.5:
            return self.r.choice(self.NUMBERS)
        bits = self.r.getrandbits(64)
        x = struct.unpack("<d", struct.pack("<Q", bits))[0]
        return repr(x) if x - x == 0 else "1"

    def value(self, depth=0):
        kind = self.r.random()
        if kind < 0.3:
            return self.string()
        if kind < 0.5:
            return self.number()
        if kind < 0.65 or depth > 3:
            return self.r.choice(["true", "false", "null"])
        n = self.r.randint(0, 4)
        if kind < 0.8:
            inner = [self.value(depth + 1) for _ in range(n)]
            return "[" + self.join(inner) + "]"
        return self.object([(self.string(), self.value(depth + 1))
                            for _ in range(n)])

    def join(self, parts):
        return (self.space() + "," + self.space()).join(parts) + self.space()

    def object(self, members):
        return "{" + self.space() + self.join(
            [k + self.space() + ":" + self.space() + v
             for k, v in members]) + "}"

    def mostly(self, usual):
        """USUAL, but now and then something else."""
        return self.value() if self.r.random() < 0.03 else usual

    def parameter(self):
        r, m = self.r, []
        if r.random() < 0.9:
            m.append(('"type"', r.choice(
                ['"string"', '"integer"', '["string", "null"]', "null",
                 '"array"', '{"a": [1, 2.50]}'])))
        if r.random() < 0.9:
            m.append(('"description"', self.mostly(self.string())))
        if r.random() < 0.3:
            m.append(('"enum"', self.mostly(
                "[" + self.join([self.string()
                                 for _ in range(r.randint(0, 3))]) + "]")))
        if r.random() < 0.3:
            m.append(('"items"', self.mostly(r.choice(
                ['{"type": "string"}', "{}", '{"type": ["a", "b"]}',
                 '{"enum": []}']))))
        if r.random() < 0.2:
            m.append(('"default"', self.value()))
        r.shuffle(m)
        return self.object(m)

    def tool(self):
        r = self.r
        members = [(self.string(), self.mostly(self.parameter()))
                   for _ in range(r.randint(0, 4))]
        p = [('"properties"', self.mostly(self.object(members)))]
        if r.random() < 0.7:
            p.append(('"required"', self.mostly(
                "[" + self.join([self.string()
                                 for _ in range(r.randint(0, 5))]) + "]")))
        p.append(('"type"', '"object"'))
        r.shuffle(p)
        m = [('"name"', self.mostly(self.string()))]
        if r.random() < 0.9:
            m.append(('"description"', self.mostly(self.string())))
        if r.random() < 0.98:
            m.append(('"parameters"', self.mostly(self.object(p))))
        if r.random() < 0.05:
            m.append(m[0])
        r.shuffle(m)
        tool = self.object(m)
        if r.random() < 0.4:
            tool = self.object([('"type"', '"function"'),
                                ('"function"', self.mostly(tool))])
        return tool

    def tools(self):
        if self.r.random() < 0.02:
            return self.value()
        return "[" + self.space() + self.join(
            [self.mostly(self.tool())
             for _ in range(self.r.randint(0, 3))]) + "]"

    def one_call(self):
        m = [('"name"', self.mostly(self.string()))]
        if self.r.random() < 0.97:
            m.append(('"arguments"', self.value()))
        if self.r.random() < 0.1:
            m.append(('"arguments"', self.value()))
        return self.object(m)

    def call(self):
        r = self.r
        text = self.one_call()
        if r.random() < 0.5:
            text = "[" + self.join([self.mostly(self.one_call())
                                    for _ in range(r.randint(0, 3))]) + "]"
        if r.random() < 0.2:
            text = f"<tool_call>{text}</tool_call>"
            if r.random() < 0.3:
                text += text
        if r.random() < 0.3:
            thought = r.choice(["hm", "", "two\nlines", "<think>\n", "因为"])
            text = f"<think>\n{thought}\n</think>\n\n" + text
        if r.random() < 0.1:
            text = r.choice(["so: ", " ", "</tool_call>", "<tool_call>",
                             "<think>\n", "\ufeff", "\u00a0"]) + text
        if r.random() < 0.03:
            text = text[:r.randint(0, len(text))]
        return text


def test_json_is_loaded_and_dumped_as_python_does(build, originals):
    t = Texts(SEED)
    cases = [["load", t.space() + t.value() + t.space()]
             for _ in range(20000)]
    compare(build, originals, cases)


def test_floats_are_written_as_python_does(build, originals):
    t = Texts(SEED + 1)
    powers = [repr(2.0 ** e) for e in range(-1074, 1024)]
    tens = [f"{d}e{e}" for d in (1, 9, 25, 123) for e in range(-330, 310)]
    long = [f"{t.r.random() * 10 ** t.r.randint(-20, 20):.{n}e}"
            for n in range(25) for _ in range(100)]
    cases = [["load", x] for x in powers + tens + long]
    cases += [["load", t.number()] for _ in range(20000)]
    compare(build, originals, cases)


def test_values_are_formatted_as_python_does(build, originals):
    t = Texts(SEED + 2)
    compare(build, originals, [["str", t.value()] for _ in range(20000)])


def test_tools_are_described_as_llamafactory_does(build, originals):
    t = Texts(SEED + 3)
    cases = [["tools", t.tools()] for _ in range(20000)]
    refused = compare(build, originals, cases)
    assert 0.02 < refused / len(cases) < 0.6


def test_function_calls_are_written_as_llamafactory_does(build, originals):
    t = Texts(SEED + 4)
    cases = [["call", t.call()] for _ in range(20000)]
    refused = compare(build, originals, cases)
    assert 0.02 < refused / len(cases) < 0.6


def test_odd_tools_and_calls(build, originals):
    texts = ["", " ", "null", "0", "1", '""', '"a"', "[]", " [ ] ", "{}",
             '{"a": 1}', "[[]]", '["x"]', "[1]", "[null]", "tru", "[", '{"a"',
             '[{"name": "n", "parameters": {"properties": {}}}]',
             '[{"name": "n", "parameters": {"properties": {"p": {}}, '
             '"required": "xpx"}}]',
             '[{"name": "n", "parameters": {"properties": {"p": {"enum": '
             '"été"}}, "required": {"p": 1}}}]',
             '[{"name": "n", "parameters": {"properties": {"p": {"enum": '
             '{"a": 1, "b": 2}, "items": ""}}, "required": null}}]',
             '{"name": "n", "arguments": {}}', '{"name": 1, "arguments": 2}',
             '[{"name": ["a", 1.0], "arguments": null}]',
             "<think>\nx\n</think>\n\n[]", "<tool_call>[]</tool_call>",
             "a<tool_call>[]</tool_call>b<tool_call>[]</tool_call>c",
             "1" * 4300, "1" * 4301, "-" + "1" * 4300, "[" * 400 + "]" * 400]
    compare(build, originals, [[kind, text] for text in texts
                               for kind in ("load", "str", "tools", "call")])


def test_the_cutoff_is_inferred_as_llamafactory_does(build, originals):
    r = random.Random(SEED + 5)
    cases = []
    for limit in (1, 2, 3, 16, 64, 300, 1000, 2048, 4096, 131072):
        for _ in range(3000):
            top = r.choice([limit, 3 * limit, 20 * limit])
            cases.append(["cutoff", r.randint(1, top), r.randint(1, top),
                          limit])
    cases += [["cutoff", s, t, limit] for s in range(1, 40)
              for t in range(1, 40) for limit in range(1, 50, 7)]
    assert compare(build, originals, cases) == 0

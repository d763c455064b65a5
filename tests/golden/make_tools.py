#!/usr/bin/env python3
"""make_tools.py [ROOT]

Asks LLaMA-Factory 0.9.5 and Python's json what they make of tools, function
calls and JSON values, and writes tests/golden/tools.txt: lines of
[KIND, TEXT, RESULT], RESULT null where they raise.  KIND is
  load   json.dumps(json.loads(TEXT), ensure_ascii=False)
  str    "{}".format(json.loads(TEXT))
  true   bool(json.loads(TEXT)), as "true" or "false"
  tools  ToolFormatter(tool_format="default")
  call   FunctionFormatter(tool_format="default")
"""
import json
import sys
from pathlib import Path

from llamafactory.data.formatter import FunctionFormatter, ToolFormatter
from llamafactory.data.template import TEMPLATES

TEMPLATE = TEMPLATES["qwen2_audio"]
TOOLS = ToolFormatter(tool_format="default")
CALLS = FunctionFormatter(slots=["{{content}}"], tool_format="default")

ASK = {
    "load": lambda t: json.dumps(json.loads(t), ensure_ascii=False),
    "str": lambda t: "{x}".format(x=json.loads(t)),
    "true": lambda t: str(bool(json.loads(t))).lower(),
    "tools": lambda t: TOOLS.apply(content=t)[0],
    "call": lambda t: CALLS.apply(
        content=t, thought_words=TEMPLATE.thought_words,
        tool_call_words=TEMPLATE.tool_call_words)[0],
}

VALUES = [
    "null", "true", "false", "0", "-0", "0.0", "-0.0", "1", "-17", "1e5",
    "1E+22", "1e16", "1e15", "100000.0", "0.0001", "0.00001", "2.5e-7",
    "5e-324", "1.7976931348623157e308", "1e400", "-1e400", "1e-400", "NaN",
    "Infinity", "-Infinity", "9007199254740993", "9007199254740993.0",
    "123456789012345678901234567890", "0.1", "3.14", "1e23",
    "9.5367431640625e-07", "2.2250738585072014e-308", "1.0e+2",
    '""', '" "', '"a"', r'"a\u0041\n\t\/\"\\\u0000\u001f\u007f"',
    '"été 😀"', r'"\ud83d\ude00"', "[]", "[ ]", "{}", "{ }", "[1,2]",
    '[ 1 , "a" , [ true , null ] ]', '{"a":1,"b":{"c":[]}}',
    '{"a":1,"b":2,"a":3}', '{"a":{"x":1,"x":2},"b":0,"a":[{"y":1,"y":2}]}',
    r'{"a":1,"\u0061":2,"b":3}', '{"b":1,"a":2,"b":3,"a":4,"c":5,"c":6}',
    '["it\'s"]', '["say \\"hi\\""]', '["both \' and \\""]',
    r'["tab\t nl\n cr\r bs\\ bell\u0007 del\u007f"]',
    '["\u00a0\u00ad\u200b\u2028\ue000\U000e0001é温😀"]',
    '[NaN,Infinity,-Infinity,1e400,1.50]', '{"it\'s":{"b":false}}',
    " [1]\n", "\ufeff1", "", " ", "tru", "[1,]", "{1:2}", "[1 2]", '"a',
    "01", "1.", ".5", "+1", "'a'", '["\t"]', "[" * 200 + "]" * 200,
    "1" * 4300, "1" * 4301, "[" + "1" * 4301 + "]",
]

WEATHER = ('{"name": "get_weather", "description": "Weather of a place", '
           '"parameters": {"type": "object", "properties": {"place": '
           '{"type": "string", "description": "City"}, "unit": {"type": '
           '"string", "enum": ["C", "F"]}, "days": {"type": "array", '
           '"items": {"type": "integer"}}}, "required": ["place"]}}')


def tool(properties, rest=""):
    return ('[{"name": "n", "parameters": {"properties": %s%s}}]'
            % (properties, rest))


TOOL_TEXTS = [
    "[" + WEATHER + "]",
    '[{"type": "function", "function": ' + WEATHER + "}]",
    "[" + WEATHER + ", " + WEATHER.replace("get_weather", "天气") + "]",
    "[]", " [ ]\n", "{}", '""', "null", "0", "true", '"a"', '{"a": 1}', "",
    "[", "[null]", "[[]]", '["a"]', "[1]",
    '[{"name": "", "parameters": {"properties": {}}}, '
    '{"name": "b", "parameters": {"properties": {}}}]',
    tool("{}"), tool('{"p": {}}'), tool('{"p": null}'), tool('{"p": "x"}'),
    tool("[]"), tool("null"), tool('{"p": {"type": null}}'),
    tool('{"p": {"type": ["string", "null"], "description": 1.50}}'),
    tool('{"p": {"type": {"a": true}, "description": ["x"]}}'),
    tool('{"p": {"enum": []}}'), tool('{"p": {"enum": ["a"]}}'),
    tool('{"p": {"enum": [1]}}'), tool('{"p": {"enum": "été"}}'),
    tool('{"p": {"enum": {"a": 1, "b": 2}}}'), tool('{"p": {"enum": 1}}'),
    tool('{"p": {"enum": true}}'), tool('{"p": {"enum": false}}'),
    tool('{"p": {"items": {}}}'), tool('{"p": {"items": {"a": 1}}}'),
    tool('{"p": {"items": {"type": ["a"]}}}'), tool('{"p": {"items": "x"}}'),
    tool('{"p": {"items": []}}'), tool('{"p": {"items": true}}'),
    tool('{"p": {}}', ', "required": ["p", 1]'),
    tool('{"p": {}}', ', "required": {"p": 0}'),
    tool('{"p": {}}', ', "required": "xpx"'),
    tool('{"p": {}}', ', "required": "x"'),
    tool('{"p": {}}', ', "required": null'), tool("{}", ', "required": 1'),
    tool('{"p": {}}', ', "required": 1'), tool('{"": {}}', ', "required": ""'),
    tool('{"p": {"type": "a"}, "q": {}, "p": {"type": "b"}}'),
    '[{"parameters": {"properties": {}}}]', '[{"name": "n"}]',
    '[{"name": "n", "parameters": {}}]', '[{"name": "n", "parameters": []}]',
    '[{"name": 1, "parameters": {"properties": {}}}]',
    '[{"name": null, "parameters": {"properties": {}}}]',
    '[{"name": "n", "description": null, "parameters": {"properties": {}}}]',
    '[{"type": "function"}]', '[{"type": "function", "function": ""}]',
    '[{"type": "other", "name": "n", "parameters": {"properties": {}}}]',
    '[{"name": "{x} %s", "parameters": {"properties": {"{y}": {}}}}]',
]

CALL_TEXTS = [
    '{"name": "f", "arguments": {"a": 1}}',
    '{"arguments":{"a":[1,2.50,"é"],"a":{"b":null}},"name":"f"}',
    '[{"name": "f", "arguments": {}}, {"name": "g", "arguments": "x"}]',
    "[]", "{}", "null", "1", '"x"', "", "[", "[1]", "[null]", '["name"]',
    '{"name": "f"}', '{"arguments": {}}',
    '{"name": null, "arguments": null}', '{"name": [1], "arguments": 1}',
    '{"name": "f", "arguments": "{\\"a\\": 1}"}',
    '<think>\nhm\n</think>\n\n{"name": "f", "arguments": {}}',
    '{"name": "f", "arguments": {}}<think>\nhm\n</think>\n\n',
    '<think>\n\n</think>\n\n{"name": "f", "arguments": {}}',
    '<think>hm</think>{"name": "f", "arguments": {}}',
    '<think>\nhm\n</think>\n{"name": "f", "arguments": {}}',
    '<think>\na\n</think>\n\n<think>\na\n</think>\n\n'
    '{"name": "f", "arguments": {}}',
    '<think>\na\n</think>\n\n<think>\nb\n</think>\n\n'
    '{"name": "f", "arguments": {}}',
    '<tool_call>{"name": "f", "arguments": {}}</tool_call>',
    '<think>\nhm\n</think>\n\n<tool_call>\n{"name": "f", "arguments": {}}\n'
    "</tool_call>",
    'so: <tool_call>{"name": "f", "arguments": {}}</tool_call> end',
    "a<tool_call>[]</tool_call>b<tool_call>[]</tool_call>c",
    "<tool_call>[]</tool_call><tool_call>{</tool_call>",
    "<tool_call>x</tool_call>", "<tool_call>[]", "[]</tool_call>",
    '{"name": "<tool_call>", "arguments": {}}',
]


def main():
    root = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    cases = [[kind, text] for kind in ("load", "str", "true")
             for text in VALUES]
    cases += [["tools", text] for text in TOOL_TEXTS]
    cases += [["call", text] for text in CALL_TEXTS]
    with open(root / "tests/golden/tools.txt", "w", encoding="utf-8") as f:
        for kind, text in cases:
            try:
                result = ASK[kind](text)
            except Exception:  # pylint: disable=broad-exception-caught
                result = None  # whatever it is, it stops LLaMA-Factory
            f.write(json.dumps([kind, text, result]) + "\n")


if __name__ == "__main__":
    main()

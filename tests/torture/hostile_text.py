#!/usr/bin/env python3
"""hostile_text: JSON that is deep, long, wide or no text at all.

Each bad record costs itself alone, is told with its file, line and code, in
words that harm no terminal, in memory that does not grow with it.
"""
import json
import os
from pathlib import Path

from hostile_tap import MIB, MODEL, SCALE, below, code, equal, finish, \
    lines, pair, records, repeat, run, test, write

GOOD = lines([pair()])
PACK = "jsonl-split d.jsonl | dpo-pair | audio-check | " \
    f"tokpack -m '{MODEL}' -r rejects"


def beside(*bad, want, options=(), mib=64, limit_s=60):
    """What comes of the record BAD between two good ones: WANT is its code,
    and its memory is below MIB."""
    write("d.jsonl", GOOD, *bad, b"\n", GOOD)
    done = run(["jsonl-split", "-j", "1", *options, "d.jsonl"],
               limit_s=limit_s)
    equal(done.status, 0, done.err)
    equal([code(r) for r in records(done.out)], ["ok", want, "ok"], want)
    equal(done.messages(), [] if want == "ok" else [("d.jsonl", 2, want)],
          done.err)
    below(done, mib)
    return done


@test
def json_ten_million_deep_costs_one_record():
    n = 10_000_000
    shapes = (
        lambda: [repeat(b"[", n)],
        lambda: [repeat(b"[", n), repeat(b"]", n)],
        lambda: [repeat(b'{"a":', n)],
        lambda: [repeat(b'[{"a":', n // 2)],
        lambda: [b'{"a":', repeat(b"[", n), repeat(b"]", n), b"}"],
    )
    most = []
    for options, want, mib in (
            ((), "record-too-long", 64),
            (("--max-record", "63MiB"), "too-deep", 320)):
        most.append(max(beside(*shape(), want=want, options=options,
                               mib=mib).rss_mib for shape in shapes))
    return f"{most[0]:.0f} MiB, {most[1]:.0f} with --max-record 63MiB"


@test
def depth_is_counted_to_the_level_in_records_and_in_what_strings_hold():
    def deep(n):
        return b'{"a":' + b"[" * (n - 1) + b"]" * (n - 1) + b"}"

    beside(deep(512), want="ok")
    beside(deep(513), want="too-deep")
    beside(b'{"a":' * 512 + b"1" + b"}" * 512, want="ok")
    beside(b'{"a":' * 513 + b"1" + b"}" * 513, want="too-deep")
    hostile = [pair(tools="[" * 100_000),
               pair(tools="[" * 100_000 + "]" * 100_000),
               {"conversations": [
                   {"from": "human", "value": "a"},
                   {"from": "function_call", "value": "[" * 100_000},
                   {"from": "observation", "value": "b"}],
                "chosen": {"from": "gpt", "value": "c"},
                "rejected": {"from": "gpt", "value": "d"}}]
    write("d.jsonl", lines(hostile), GOOD)
    done = run("jsonl-split d.jsonl | dpo-pair")
    equal([code(r) for r in records(done.out)],
          ["bad-tools"] * 3 + ["ok"], done.err)


@test
def a_record_of_gigabytes_costs_itself_and_no_memory():
    size = SCALE * (2 << 30)

    def pieces():
        yield GOOD + b'{"instruction":"'
        yield from repeat(b"x", size)
        yield b'"}\n' + GOOD

    done = run(["jsonl-split", "-j", "1"], pieces(), limit_s=300)
    equal(done.status, 0, done.err)
    equal([code(r) for r in records(done.out)],
          ["ok", "record-too-long", "ok"])
    equal(done.codes(), ["record-too-long"])
    below(done, 64)
    return f"{size >> 30} GiB, {done.rss_mib:.0f} MiB, {done.seconds:.1f} s"


@test
def so_does_a_hole_in_a_file():
    size = SCALE << 28
    with open("d.jsonl", "wb") as f:      # a hole reads as NUL
        f.write(GOOD + b'{"instruction":"')
        f.seek(size)
        f.write(b"\n" + GOOD)
    done = run(["jsonl-split", "-j", "1", "d.jsonl"], limit_s=300)
    equal(done.status, 0, done.err)
    equal([code(r) for r in records(done.out)],
          ["ok", "record-too-long", "ok"])
    equal(done.messages(), [("d.jsonl", 2, "record-too-long")])
    below(done, 64)
    return f"{size >> 20} MiB, {done.rss_mib:.0f} MiB of memory"


@test
def so_do_one_in_an_array_and_one_that_is_all_white_space():
    size = 32 * SCALE * MIB
    for begin, middle, end, want in (
            (b"[" + GOOD[:-1] + b',{"x":"', b"y", b'"},' + GOOD[:-1] + b"]",
             ["ok", "record-too-long", "ok"]),
            (b"[" + GOOD[:-1] + b",", b" ", GOOD[:-1] + b"]", ["ok", "ok"]),
            (GOOD, b"\n", GOOD, ["ok", "ok"]),
            (GOOD, b" ", b"\n" + GOOD, None)):
        write("d.json", begin, repeat(middle, size), end)
        done = run(["jsonl-split", "-j", "1", "d.json"], limit_s=300)
        equal(done.status, 0, done.err)
        got = [code(r) for r in records(done.out)]
        assert got == want or want is None and got[0] == got[-1] == "ok", got
        below(done, 64)


@test
def an_object_of_a_million_keys_takes_its_time_but_no_more():
    def keys(n, last=b""):
        yield b"{"
        for i in range(0, n, 1000):
            yield b"".join(b'"k%d":1,' % k for k in range(i, i + 1000))
        yield last + b'"end":1}'

    n = 1_000_000
    wide = ["--max-record", "63MiB"]
    a = beside(keys(n), want="ok", options=wide, mib=400)
    b = beside(keys(n, b'"k0":2,'), want="duplicate-key", options=wide,
               mib=400)
    done = run("jsonl-split -j 1 --max-record 63MiB d.jsonl | dpo-pair -j 1")
    equal(done.status, 0, done.err)
    # Keys that differ by their escapes alone are the same.
    beside(b'{"\\u0061":1,"a":2}', want="duplicate-key")
    return f"{a.seconds:.1f} s, {max(a.rss_mib, b.rss_mib):.0f} MiB"


@test
def keys_made_to_collide_cost_no_more_than_others():
    # Such as a weak hash cannot tell apart: they differ in few places.
    n = 100_000
    kinds = {
        "counted": lambda i: b"%08d" % i,
        "long": lambda i: b"a" * 200 + b"%d" % i,
        "permuted": lambda i: bytes(b"aB"[i >> k & 1] for k in range(17)),
        "Aa and BB": lambda i: b"".join(
            (b"Aa", b"BB")[i >> k & 1] for k in range(17)),
        "NULs": lambda i: b"\\u0000" * (i % 100) + b"%d" % (i // 100),
    }
    slowest = 0
    for make in kinds.values():
        done = beside(b"{" + b",".join(b'"%s":0' % make(i)
                                       for i in range(n)) + b"}",
                      want="ok", options=["--max-record", "63MiB"], mib=512,
                      limit_s=20)
        slowest = max(slowest, done.seconds)
    return f"{len(kinds)} kinds of {n}, {slowest:.1f} s at most"


@test
def numbers_out_of_any_range_pass_as_they_are():
    numbers = ["1e400", "-1e400", "1e-400", "9" * 400, "-" + "9" * 400,
               "0." + "1" * 4000, "1E+999999999999999999999",
               "18446744073709551616", "-9223372036854775809", "-0", "-0.0"]
    write("d.jsonl", "".join('{"instruction":"a","chosen":"b","rejected":'
                             f'"c","n":{n}}}\n' for n in numbers).encode())
    done = run("jsonl-split d.jsonl | dpo-pair")
    write("s.zst", done.out)
    text = run(["shard-cat", "s.zst"]).out.decode().splitlines()
    equal(len(text), len(numbers))
    for n, line in zip(numbers, text):
        assert f'"n":{n}}}' in line, line[:300]
    for n in ("NaN", "Infinity", "-Infinity", "01", "+1", ".5", "1.", "1e",
              "0x10", "1_0", "- 1", "--1", "1e+", "٣"):
        beside(b'{"n":' + n.encode() + b"}", want="bad-json")
    return f"{len(numbers)} kept, 14 refused"


@test
def numbers_where_a_path_or_a_text_belongs_are_told():
    for n in ("1e400", "9" * 400, "-1", "0.5", "true", "null", "{}", "[]",
              "[[[]]]"):
        for field in ("chosen", "rejected", "instruction", "system",
                      "tools", "audios", "history"):
            write("d.jsonl", lines([{k: v for k, v in pair().items()
                                     if k != field}])[:-2] +
                  f',"{field}":{n}}}\n'.encode(), GOOD)
            done = run("jsonl-split d.jsonl | dpo-pair")
            equal(done.status, 0, done.err)
            equal(code(records(done.out)[1]), "ok")


# What RFC 3629 forbids, by class.
NOT_UTF8 = [
    b"\x80", b"\xbf", b"\x80\xbf\x80",                  # continuation alone
    b"\xc3", b"\xe4\xb8", b"\xf0\x9f\x8d", b"\xe4", b"\xf0",    # cut
    b"\xc0\x80", b"\xc1\xbf", b"\xe0\x80\x80", b"\xe0\x9f\xbf",  # too long
    b"\xf0\x80\x80\x80", b"\xf0\x8f\xbf\xbf", b"\xc0\xaf", b"\xe0\x80\xaf",
    b"\xed\xa0\x80", b"\xed\xbf\xbf", b"\xed\xa0\xbd\xed\xb8\x80",  # surrogate
    b"\xf4\x90\x80\x80", b"\xf5\x80\x80\x80", b"\xf7\xbf\xbf\xbf",  # > 10ffff
    b"\xf8\x88\x80\x80\x80", b"\xfc\x84\x80\x80\x80\x80", b"\xfe", b"\xff",
    b"\xff\xfe", b"\xe4\xc3\xbf", b"\xf0\x9f\x28\x80", b"\xc3\x28",
    b"\x1b[31m\x9b31m",
]


@test
def every_class_of_what_is_not_utf8_is_told_wherever_it_stands():
    tried = 0
    for bad in NOT_UTF8:
        for before, after in ((b'{"a":"', b'"}'), (b'{"', b'":1}'),
                              (b'{"a":"' + b"x" * 61, b'"}'),
                              (b'{"a":"\xc3\xa9', b"y" * 61 + b'"}')):
            write("d.jsonl", GOOD, before + bad + after + b"\n", GOOD)
            done = run(["jsonl-split", "d.jsonl"])
            got = [code(r) for r in records(done.out)]
            assert got in (["ok", "bad-utf8", "ok"],) or (
                b"\x1b" in bad and got == ["ok", "bad-json", "ok"]), \
                (bad, got)
            tried += 1
    for bad in ("\\ud800", "\\udc00", "\\ud83d\\u0041", "\\udc00\\ud800",
                "\\uD83D", "\\ud83dx"):
        beside(f'{{"a":"{bad}"}}'.encode(), want="bad-utf8")
        tried += 1
    return f"{tried} tried"


def names():
    """Texts that do something to a terminal, or are hard to see."""
    return ["\x1b[31mred\x1b[0m", "\x1b]0;title\x07", "\x1bc", "\x9b2J",
            "\x85next", "a\rb", "a\bb", "\x7f", "\x00nul", "tab\t", "new\nline",
            "\u202etxt.exe", "\u2066x\u2069", "\u2028", "\u200f", "\ufeff",
            "\\", '"', "%s%n%d", "\x90q\x9c", "é中🍅", "\U000e0041",
            "x: error: y [bad-json]", "\n  hint: rm -rf /"]


@test
def what_data_call_their_fields_and_write_in_them_is_shown_escaped():
    tried = 0
    for name in names():
        hostile = [
            {name: 1}, pair(audios=[name], instruction="<audio>"),
            pair(instruction=name + "<audio>"), pair(chosen="", system=name),
            pair(tools=name), pair(tools=json.dumps([{"name": name}])),
            pair(chosen=name, rejected=name), pair(**{name: {name: name}}),
            {"messages": [{"role": name, "content": name}],
             "chosen": {"role": name, "content": ""},
             "rejected": {"role": "assistant", "content": name}},
            {"conversations": [{"from": name, "value": "<|AUDIO|>" + name}],
             "chosen": {"from": "gpt", "value": "<|audio_bos|>"},
             "rejected": {"from": "gpt", "value": name}},
        ]
        # Escaped, and as bytes: many of these are bad JSON then.
        raw = json.dumps(hostile[1], ensure_ascii=False).replace(
            json.dumps(name, ensure_ascii=False)[1:-1], name.replace(
                "\n", "\v"))
        write("d.jsonl", lines(hostile) + json.dumps(hostile[0]).encode() +
              b"\n" + raw.encode() + b"\n" + name.encode())
        done = run(PACK + " >/dev/null")
        assert done.status in (0, 1), done.err
        for line in done.err.split("\n"):
            assert line == "" or line.startswith((
                "d.jsonl:", "  hint: ", "tokpack: ")), done.err
        assert done.codes(), done.err
        done = run("jsonl-split d.jsonl | dpo-pair -q --strict | "
                   "audio-check --strict >/dev/null")
        equal(done.status, 0, done.err)
        tried += len(hostile) + 2
    return f"{tried} texts"


@test
def names_of_files_and_arguments_are_shown_escaped():
    tried = turn = 0
    for name in names():
        if "\0" in name:
            continue
        for path in (name, os.fsencode(name) + b"\xff\x1b[1m"):
            path = os.fsencode(path)[:200].replace(b"/", b"_")
            Path(os.fsdecode(path)).write_bytes(b'{"a"\n{}x\n' + GOOD)
            os.makedirs(b"dir" + path, exist_ok=True)
            commands = (["jsonl-split"], ["audio-check"], ["shard-cat"],
                        ["shard-cat", "--check"],
                        ["tokpack", "-m"], ["melspec", "-m"],
                        ["dpo-pair", "--name"], ["dpo-pair", "--info"],
                        ["audio-check", "--root"], ["dpo-pair", "-o"],
                        ["dpo-pair", "--format"], ["dpo-pair", "-j"])
            if SCALE == 1:
                commands = commands[turn % 3::3]
                turn += 1
            for command in commands:
                for operand in (path, b"dir" + path, b"none" + path):
                    if len(command) == 1 and operand.startswith(b"-"):
                        continue
                    done = run([*command, operand])
                    assert done.status in (0, 1, 2, 3), done.status
                    tried += 1
            done = run(["dpo-pair", b"--" + path])
            equal(done.status, 2, done.err)
    return f"{tried} runs"


finish() if __name__ == "__main__" else None

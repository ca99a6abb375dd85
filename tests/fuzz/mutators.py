"""Bytes and JSON values with something changed, and how they are refused."""

import copy
import json

from fastmlp.errors import FastmlpError

DEEP = "[" * 100_000 + "]" * 100_000
# As JSON text, as some of them are what json.dumps would never write.
VALUES = (
    *("null", "true", "false", "0", "-1", "1", "2", "7", "1.5", "-0.0", "1e-400", "1e308", "1e400", "-1e400"),
    *("NaN", "Infinity", "-Infinity", "9007199254740993", "9" * 30, "-" + "9" * 400, "9" * 5000),
    *('""', '"0"', '"tanh"', '"nan"', '".."', '"../../x"', '"a/b"', '"é\\u0000"', '"\\ud800"', '"' + "x" * 5000 + '"'),
    *("[]", "{}", "[null]", "[[]]", "[1, 2]", "[1, 2, 3]", '{"name": "adam"}', '{"name": 3}', '{"": {}}', DEEP),
    *("[" * 40 + "]" * 40, '{"a": ' * 600 + "1" + "}" * 600),
)
PLACE = "\ue000"  # stands for a value that is put into the text


def places(value, path=()):
    """The paths of all values in a JSON value, but for its own."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield (*path, key)
        yield from places(item, (*path, key))


def mutated(value, choose):
    """The text of a JSON value with one thing changed."""
    value = copy.deepcopy(value)
    *path, last = choose.choice(list(places(value)))
    outer = value
    for key in path:
        outer = outer[key]
    kind = choose.randrange(8)
    if kind == 0:
        del outer[last]
    elif kind == 1 and isinstance(outer, dict):
        outer[choose.choice(["format", "slug", "threads", "x", ""])] = outer.pop(last)
    elif kind == 2:
        outer[last] = [outer[last]]
    elif kind == 3 and isinstance(outer, list):
        outer.append(copy.deepcopy(outer[last]))
    elif kind == 4 and isinstance(outer, dict):
        outer[last] = copy.deepcopy(outer[choose.choice(list(outer))])
    else:
        outer[last] = PLACE
    return json.dumps(value, ensure_ascii=False).replace(f'"{PLACE}"', choose.choice(VALUES))


def mutated_bytes(data, choose):
    """Bytes with one to three things changed: bits, runs, pieces that are cut out, repeated, moved or cut off."""
    data = bytearray(data)
    for _ in range(choose.choice((1, 1, 1, 2, 3))):
        if not data:
            data += choose.randbytes(8)
        place, length = choose.randrange(len(data)), choose.choice((1, 1, 2, 4, 8, 16, 64, 256))
        kind = choose.randrange(9)
        if kind == 0:
            data[place] ^= 1 << choose.randrange(8)
        elif kind == 1:
            data[place] = choose.choice((0, 1, 127, 128, 255, *b'0123456789"[]{},:-.e \n'))
        elif kind == 2:
            data[place : place + length] = choose.randbytes(length)
        elif kind == 3:
            data[place : place + length] = bytes(length)
        elif kind == 4:
            del data[place : place + length]
        elif kind == 5:
            data[place:place] = choose.randbytes(length)
        elif kind == 6:
            data[place:place] = data[place : place + length] * choose.choice((1, 2, 50))
        elif kind == 7:
            other = choose.randrange(len(data))
            data[place : place + length] = data[other : other + length]
        else:
            del data[place:]
    return bytes(data)


def refusal(read, *arguments):
    """The line with which a function refuses a file; "" when it takes it."""
    try:
        read(*arguments)
    except FastmlpError as error:
        message = str(error)
    else:
        return ""
    assert message.isprintable(), repr(message)
    assert 0 < len(message) < 1500, len(message)
    return message


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}

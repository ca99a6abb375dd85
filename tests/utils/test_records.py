"""Records: what is written comes back equal, and what does not fit is refused with the place where it is."""

import json
import os
import tracemalloc

import pytest

from fastmlp.errors import InputError
from fastmlp.utils.records import (
    Count,
    DamagedRecord,
    Record,
    Share,
    as_json,
    check_nesting,
    convert_record,
    decode_record,
    encode_record,
    read_record,
    to_record,
    write_record,
)


class Part(Record, frozen=True, kw_only=True):
    share: Share


class Whole(Record, frozen=True, kw_only=True):
    FORMAT = 7

    format: int = FORMAT
    count: Count
    parts: tuple[Part, ...] = ()
    values: dict[str, object] = {}  # noqa: RUF012  # msgspec copies it

    def __post_init__(self):
        check_nesting(self.values)


WHOLE = Whole(count=3, parts=(Part(share=0.1 + 0.2),), values={"é": [1, None, True, 1e-300]})


def test_a_record_comes_back_equal_from_a_file(tmp_path):
    write_record(tmp_path / "whole.json", WHOLE)
    assert read_record(tmp_path / "whole.json", Whole, "write it again") == WHOLE
    assert json.loads((tmp_path / "whole.json").read_text(encoding="utf-8"))["values"] == WHOLE.values


def test_plain_values_become_the_record_that_reading_gives():
    values = {"format": 7, "count": 3, "parts": [{"share": 1}], "values": {"hidden": (3, 2)}}
    assert to_record(values, Whole, "values").values == {"hidden": [3, 2]}
    assert as_json({1: (2.0, "x")}) == {"1": [2.0, "x"]}


def test_a_file_that_is_too_large_is_refused_unread(tmp_path):
    path = tmp_path / "whole.json"
    path.touch()
    os.truncate(path, 3_000_000_000)
    tracemalloc.start()
    with pytest.raises(DamagedRecord, match=r"whole.json has 3 GB; expected at most 500 MB: write it again"):
        read_record(path, Whole, "write it again")
    assert tracemalloc.get_traced_memory()[1] < 100_000
    tracemalloc.stop()


@pytest.mark.skipif(os.name == "nt", reason="Windows has neither")
def test_what_has_no_end_is_no_record(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "zeros").symlink_to("/dev/zero")
    for name in ("pipe", "zeros"):
        with pytest.raises(DamagedRecord, match="is not a file; write it again"):
            read_record(tmp_path / name, Whole, "write it again")


def test_a_number_that_is_not_finite_is_not_written(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        encode_record(Whole(count=1, values={"loss": float("nan")}))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"format": 7, "count": 1.5}', "count: expected `int`, got `float`"),
        ('{"format": 7, "count": true}', "count: expected `int`, got `bool`"),
        ('{"format": 7, "count": -1}', "count: expected `int` >= 0"),
        ('{"format": 7, "count": 1e400}', "count: number out of range"),
        ('{"format": 7, "count": NaN}', "JSON is malformed"),
        ('{"format": 7}', "bject missing required field `count`"),
        ('{"format": 7, "count": 1, "x": 2}', "bject contains unknown field `x`"),
        (
            '{"format": 7, "count": 1, "parts": [{"share": 1}, {"share": 1.5}]}',
            r"parts\[1\]\.share: expected `float` <= 1",
        ),
        ('{"format": 7, "count": 1, "values": {"a": ' + "[" * 20 + "]" * 20 + "}}", "nested more than 8 levels deep"),
        ('{"format": 7, "count": 1, "values": ' + "[" * 100_000, "nested too deeply"),
        ('{"format": 7, "count": ' + "9" * 5000 + "}", "count: "),
        ("[]", "xpected `object`, got `array`"),
        ("", "truncated"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_place(text, message):
    with pytest.raises(DamagedRecord, match=message) as caught:
        decode_record(text, Whole, "whole.json", "write it again")
    assert str(caught.value).startswith("whole.json cannot be read (")
    assert str(caught.value).endswith("; write it again")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("version", ["6", "8", "true", '"7"', "null", "[]", "9" * 30])
def test_another_format_is_refused_before_anything_else(version):
    with pytest.raises(InputError, match=r"whole\.json has format .*; expected 7: write it again") as caught:
        decode_record('{"format": ' + version + ', "other": 1}', Whole, "whole.json", "write it again")
    assert not isinstance(caught.value, DamagedRecord)


def test_a_file_that_cannot_be_opened_is_named(tmp_path):
    with pytest.raises(DamagedRecord, match=r"nowhere\.json cannot be read .*; write it again"):
        read_record(tmp_path / "nowhere.json", Whole, "write it again")


def test_a_whole_number_beyond_all_floats_is_refused_as_such():
    class Number(Record, frozen=True, kw_only=True):
        value: float

    with pytest.raises(DamagedRecord, match=r"number cannot be read .*; write it again"):
        convert_record({"value": 10**400}, Number, "number", "write it again")

"""No submission stops the others: it is read all the same, or refused in one sentence."""

import json
import time
import zipfile

import pytest
from fuzz_intake import fuzz_intake
from handing_in import ANSWERED, COURSE, STAGE, answered, by_id, extra, handed_in, refusal, zipped

from autograder.exam.intake import IntakeLimits, rebuild
from autograder.exam.records import EXTRA, Cell


@pytest.mark.parametrize("metadata", [[], [1], "x", None, {"nbgrader": []}, {"nbgrader": {"grade_id": {}}}])
def test_metadata_of_any_kind_is_no_obstacle(metadata):
    tree = answered()
    tree["metadata"] = metadata
    for cell in tree["cells"]:
        cell["metadata"] = metadata
    assert by_id(handed_in(tree))["answer-mean"].source == ANSWERED
    for cell in tree["cells"]:
        del cell["metadata"]
    assert by_id(handed_in(tree))["answer-mean"].source == ANSWERED


def test_five_megabytes_of_metadata_are_no_obstacle():
    tree = answered()
    tree["metadata"]["ballast"] = "x" * 5_000_000
    tree["cells"][3]["metadata"]["ballast"] = ["x"] * 100_000
    assert by_id(handed_in(tree))["answer-mean"].source == ANSWERED


@pytest.mark.parametrize("piece", [b"[", b'{"a":', b'[{"a":'])
def test_json_nested_a_hundred_thousand_deep_is_refused(piece):
    assert "nested more than 64 deep" in refusal(b'{"cells": ' + piece * 100_000)


def test_depth_is_counted_outside_of_texts_only():
    tree = answered(source='x = "[[[[[[[[[\\"{{{{{{\\\\"')
    tree["metadata"] = {'\\"[[[[[[[\\\\': "[" * 5_000_000}
    deepest = [[[[["]"]]]]]
    tree["cells"][0]["metadata"] = deepest
    assert handed_in(tree, IntakeLimits(depth=8)).repairs == ()
    assert "nested" in refusal(tree, IntakeLimits(depth=7))


def test_a_notebook_of_too_many_values_is_refused_before_it_is_parsed(monkeypatch):
    monkeypatch.setattr(json, "loads", None)
    assert "more than 2,000,000 values" in refusal(b'{"cells": [' + b"[]," * 2_000_000)
    assert "more than 2,000,000 values" in refusal(b'{"cells": [' + b'"",' * 2_000_001)
    assert "more than 2,000,000 values" in refusal(b'{"cells": [' + b"]" * 2_000_001)


def test_what_cannot_be_read_takes_time_in_proportion_to_its_size():
    start = time.process_time()
    for piece in (b'"\\"', b"\\", b'"', b"]", b"[]", b"9", b"\\\\", b'{"'):
        refusal((b'{"cells": [' + piece * 10_000_000)[:10_000_000])
    assert time.process_time() - start < 10


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"\xff\xfe{\x00}\x00", "not UTF-8 text (byte 0)"),
        (b'{"cells": ["\xed\xa0\x80"]}', "not UTF-8 text (byte 12)"),
        (b"", "not valid JSON (line 1)"),
        (b'{"cells": [\n}', "not valid JSON (line 2)"),
        (b"<html></html>", "not valid JSON"),
        (b"[]", "not a notebook"),
        (b"NaN", "not a notebook"),
        (b"{}", "no list of cells"),
        (b'{"cells": {}}', "no list of cells"),
        (b'{"nbformat": 3, "worksheets": []}', "old format 3; open and save it in JupyterLab"),
        (b'{"nbformat": 5, "cells": []}', "format 5"),
    ],
)
def test_what_is_no_notebook_is_refused_with_the_reason(data, said):
    assert said in refusal(data)


def test_odd_numbers_are_no_obstacle():
    text = json.dumps(answered())
    for number in ("9" * 1_000_000, "-Infinity", "NaN", "1e999999999"):
        data = text.replace('"metadata": {}', f'"metadata": {{"x": {number}}}', 1).encode()
        assert by_id(rebuild(data, COURSE, STAGE))["answer-mean"].source == ANSWERED


def test_of_a_key_written_twice_the_last_counts_as_it_does_in_jupyterlab():
    text = json.dumps(answered()).replace(
        json.dumps(ANSWERED), '"first", "source": ' + json.dumps(ANSWERED), 1
    )
    assert by_id(rebuild(text.encode(), COURSE, STAGE))["answer-mean"].source == ANSWERED


@pytest.mark.parametrize("odd", ["\x00", "\ud800"])
def test_what_is_no_text_is_replaced_and_said(odd):
    rebuilt = handed_in(answered(source=f"x = '{odd}\N{GRINNING FACE}'"))
    assert by_id(rebuilt)["answer-mean"].source == "x = '\ufffd\N{GRINNING FACE}'"
    assert "1 cell, what is no text" in rebuilt.repairs[0]


@pytest.mark.parametrize("source", [None, 3, {}, [1, {}, None], True])
def test_a_source_of_the_wrong_type_is_an_empty_one(source):
    assert by_id(handed_in(answered(source=source)))["answer-mean"].source == ""


def test_cells_that_are_no_cells_are_left_out_and_said():
    tree = answered()
    tree["cells"] += [3, None, []]
    tree["cells"].append({"cell_type": ["code"], "source": "x"})
    rebuilt = handed_in(tree)
    assert rebuilt.repairs == ("3 cells could not be read and had to be left out.",)
    assert rebuilt.cells[-1] == Cell("extra-1", EXTRA, "raw", "x")


def test_fifty_thousand_cells_are_refused():
    assert "50,000 cells; at most 2,000" in refusal({"cells": [extra("")] * 50_000})


def test_too_many_added_cells_are_refused():
    assert "501 added cells; at most 500" in refusal({"cells": [extra("x = 1")] * 501})
    assert len(handed_in({"cells": [extra("x = 1")] * 500}).cells) == len(COURSE) + 500


def test_a_cell_that_is_too_long_costs_only_itself():
    tree = answered()
    tree["cells"].append(extra("x" * 200_001))
    rebuilt = handed_in(tree)
    assert by_id(rebuilt)["answer-mean"].source == ANSWERED
    assert rebuilt.repairs == ("1 cell of more than 200,000 characters had to be left out.",)


def test_too_much_text_is_refused():
    assert "2,200,000 characters of text" in refusal({"cells": [extra("x" * 200_000)] * 11})


def test_a_large_image_in_an_output_is_ignored_and_a_huge_one_refused():
    tree = answered()
    tree["cells"][3]["outputs"] = [{"output_type": "display_data", "data": {"image/png": "A" * 40_000_000}}]
    data = json.dumps(tree).encode()
    assert by_id(rebuild(data, COURSE, STAGE))["answer-mean"].source == ANSWERED
    assert "at most 50 MB" in refusal(data + b" " * 11_000_000)


def test_outputs_are_never_looked_at():
    tree = answered()
    tree["cells"][3] |= {"outputs": {"not": "a list"}, "execution_count": "many"}
    assert handed_in(tree).repairs == ()


# --- zip files


def honest():
    return json.dumps(answered()).encode()


@pytest.mark.parametrize(
    "name", [f"{STAGE}.ipynb", f"a/b/{STAGE}.ipynb", f"../../../tmp/{STAGE}.ipynb", f"C:\\a\\{STAGE}.ipynb"]
)
def test_a_notebook_in_a_zip_is_read_in_memory_whatever_its_path(name, tmp_path, monkeypatch):
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    monkeypatch.chdir(inner)
    data = zipped({name: honest(), f"__MACOSX/{STAGE}.ipynb": b"x", "../evil.py": b"x", "notes.txt": b"x"})
    assert by_id(rebuild(data, COURSE, STAGE))["answer-mean"].source == ANSWERED
    assert sorted(tmp_path.rglob("*")) == [tmp_path / "a", inner]


def test_a_zip_bomb_is_refused_by_what_it_declares():
    assert "at most 50 MB" in refusal(zipped({f"{STAGE}.ipynb": b"\0" * 60_000_000}))


def test_a_zip_bomb_that_lies_about_its_size_is_refused():
    data = zipped({f"{STAGE}.ipynb": b"\0" * 60_000_000})
    small = data.replace((60_000_000).to_bytes(4, "little"), (100).to_bytes(4, "little"))
    assert small != data
    assert "damaged" in refusal(small)


def test_a_zip_with_a_flood_of_entries_is_refused_before_it_is_opened(monkeypatch):
    data = zipped({str(number): b"" for number in range(1001)} | {f"{STAGE}.ipynb": honest()})
    monkeypatch.setattr(zipfile, "ZipFile", None)
    assert "more than 1,000 entries" in refusal(data)


def test_an_encrypted_zip_is_refused():
    data = bytearray(zipped({f"{STAGE}.ipynb": honest()}, zipfile.ZIP_STORED))
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    assert "encrypted" in refusal(bytes(data))


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_packed_in_an_unusual_way_is_refused(method):
    assert "unusual" in refusal(zipped({f"{STAGE}.ipynb": honest()}, method))


def test_a_zip_without_exactly_one_notebook_is_refused():
    nested = zipped({f"{STAGE}.ipynb": honest()})
    assert "holds 0 notebooks" in refusal(zipped({}))
    assert "not inside another zip" in refusal(zipped({"inner.zip": nested}))
    assert "holds 2 notebooks" in refusal(zipped({f"{STAGE}.ipynb": b"", f"a/{STAGE}.ipynb": b""}))
    assert "not UTF-8 text" in refusal(zipped({f"{STAGE}.ipynb": nested}))


def test_a_damaged_zip_is_refused():
    data = zipped({f"{STAGE}.ipynb": honest()})
    assert "damaged" in refusal(data[:-30])
    assert "damaged" in refusal(data[:60] + bytes(20) + data[80:])


def test_no_input_costs_more_than_itself():
    assert fuzz_intake(2000, seed=1) == 2000

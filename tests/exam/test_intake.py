"""Honest work keeps its place, and everything else is mended."""

import copy
import json

import pytest
from handing_in import (
    ANSWERED,
    COURSE,
    IDS,
    MEAN,
    STAGE,
    answered,
    by_id,
    cell_json,
    extra,
    handed_in,
    notebook,
    order,
)

from autograder.exam.intake import rebuild
from autograder.exam.records import EXTRA, Cell


@pytest.mark.parametrize("style", ["nbgrader", "self-study", "old", "ties", "bare"])
def test_an_honest_notebook_comes_through_unrepaired_however_its_cells_are_known(style):
    rebuilt = handed_in(answered(style))
    assert order(rebuilt) == IDS
    assert rebuilt.repairs == ()
    assert by_id(rebuilt)["answer-mean"].source == ANSWERED
    assert not by_id(rebuilt)["answer-mean"].untouched
    assert by_id(rebuilt)["answer-limit"].untouched


@pytest.mark.parametrize("style", ["nbgrader", "self-study", "old", "ties"])
def test_an_answer_is_known_by_its_name_even_if_it_defines_nothing(style):
    rebuilt = handed_in(answered(style, source="pass"))
    assert (by_id(rebuilt)["answer-mean"].source, rebuilt.repairs) == ("pass", ())


def test_text_may_be_lines_and_come_with_a_byte_order_mark():
    tree = answered(source=ANSWERED.splitlines(keepends=True))
    data = b"\xef\xbb\xbf" + json.dumps(tree).encode()
    assert by_id(rebuild(data, COURSE, STAGE))["answer-mean"].source == ANSWERED


def test_free_text_is_taken_whether_it_is_markdown_or_code():
    for cell_type in ("markdown", "code"):
        tree = notebook()
        tree["cells"][IDS.index("explain-why")] |= {"source": "# Because.", "cell_type": cell_type}
        rebuilt = handed_in(tree)
        why = by_id(rebuilt)["explain-why"]
        assert (why.source, why.cell_type, why.untouched) == ("# Because.", "markdown", False)


def test_extra_cells_stay_where_they_stood():
    tree = answered()
    tree["cells"].insert(4, extra("after = 1"))
    tree["cells"].insert(3, extra("before = 1"))
    tree["cells"].insert(0, extra("Mine.", "markdown"))
    tree["cells"].append(extra("last = 1", "raw"))
    rebuilt = handed_in(tree)
    assert order(rebuilt) == [
        "extra-1",
        *IDS[:3],
        "extra-2",
        "answer-mean",
        "extra-3",
        *IDS[4:],
        "extra-4",
    ]
    kinds = [(cell.kind, cell.cell_type) for cell in rebuilt.cells if cell.id.startswith("extra")]
    assert kinds == [(EXTRA, "markdown"), (EXTRA, "code"), (EXTRA, "code"), (EXTRA, "raw")]
    assert rebuilt.repairs == ()


def test_empty_extra_cells_are_dropped_without_a_word():
    tree = answered()
    tree["cells"] += [extra(""), extra(" \n"), extra([], "markdown")]
    rebuilt = handed_in(tree)
    assert order(rebuilt) == IDS
    assert rebuilt.repairs == ()


def test_a_split_answer_keeps_its_order_and_the_later_part_runs_later():
    tree = answered(source="import math")
    part = cell_json(COURSE[3]) | {"source": ANSWERED, "id": "new"}
    tree["cells"].insert(4, part)
    rebuilt = handed_in(tree)
    assert order(rebuilt) == [*IDS[:4], "extra-1", *IDS[4:]]
    assert by_id(rebuilt)["extra-1"].source == ANSWERED


def test_a_copy_put_far_before_its_original_leaves_other_cells_where_they_stood():
    tree = answered()
    copied = cell_json(COURSE[6]) | {"source": "limit = 1", "id": "new"}
    tree["cells"][6]["source"] = "limit = 2"
    tree["cells"].insert(3, extra("helper = 1"))
    tree["cells"].insert(1, copied)
    rebuilt = handed_in(tree)
    # The original comes after its copy, as it did; the helper still comes before the answer that needs it.
    assert order(rebuilt) == [*IDS[:3], "extra-1", *IDS[3:7], "extra-2", *IDS[7:]]
    assert by_id(rebuilt)["answer-limit"].source == "limit = 1"
    assert by_id(rebuilt)["extra-2"].source == "limit = 2"


def test_an_answer_written_in_an_own_cell_takes_the_place_of_a_deleted_one():
    tree = notebook()
    tree["cells"][3] = extra(ANSWERED)
    rebuilt = handed_in(tree)
    assert order(rebuilt) == IDS
    assert by_id(rebuilt)["answer-mean"].source == ANSWERED
    assert rebuilt.repairs == ()


def test_a_starter_put_back_never_undoes_what_was_defined_elsewhere():
    tree = notebook()
    tree["cells"][3] = extra(ANSWERED + "\n\nlimit: int = 3")
    del tree["cells"][6]
    rebuilt = handed_in(tree)
    limit = by_id(rebuilt)["answer-limit"]
    assert (limit.source, limit.untouched) == ("", False)
    assert rebuilt.repairs == (
        "The answer cell of `limit` had been removed; what was defined elsewhere counts.",
    )


@pytest.mark.parametrize("line", ["print(limit)", "if limit == 3: pass", "limit == 3", "    limit = 3"])
def test_only_a_definition_at_the_margin_counts_as_one(line):
    tree = notebook()
    tree["cells"][6] = extra("if True:\n" + line if line.startswith(" ") else line)
    assert by_id(handed_in(tree))["answer-limit"] == COURSE[6]


def test_an_answer_is_touched_if_it_stands_in_a_cell_of_ones_own():
    tree = notebook()
    tree["cells"].insert(4, extra(ANSWERED))
    rebuilt = by_id(handed_in(tree))
    assert not rebuilt["answer-mean"].untouched
    assert rebuilt["answer-limit"].untouched


@pytest.mark.parametrize(
    ("source", "untouched"),
    [
        (MEAN + "\n\n", True),
        ("# my try\n" + MEAN.replace('"""\n', '"""\n    # later\n'), True),
        (MEAN.replace("    ...", "    return 1"), False),
        (MEAN.replace("Return", "Give"), False),
        (MEAN.replace("the mean.", "the mean.\n# not a comment\n"), False),
        (MEAN.replace("    ...", "  ..."), True),
        ("# my try\n" + MEAN.replace("    ...", "  ..."), False),
        ("-" * 100_000 + "1", False),
        ("", False),
    ],
)
def test_only_blank_space_and_comments_leave_a_starter_untouched(source, untouched):
    assert by_id(handed_in(answered(source=source)))["answer-mean"].untouched is untouched


@pytest.mark.parametrize(
    ("kind", "cell_type", "starter"),
    [("answer", "code", 'text = """\nhere"""'), ("explain", "markdown", "...")],
)
def test_a_line_of_text_that_looks_like_a_comment_is_an_answer(kind, cell_type, starter):
    course = (Cell(f"{kind}-text", kind, cell_type, starter, "text", True),)
    for source, untouched in ((starter, True), (starter.replace("here", "# Mine\nhere") + "\n# why", False)):
        tree = {"cells": [cell_json(course[0]) | {"source": source}]}
        (cell,) = rebuild(json.dumps(tree).encode(), course, STAGE).cells
        assert (cell.source, cell.untouched) == (source, untouched)


def test_a_notebook_of_the_real_stage_comes_through_whole():
    from autograder import notebooks
    from autograder.exam.records import course_cells
    from autograder.stage import load_stage, stage_folder

    folder = stage_folder("02_data_metrics")
    exercises = load_stage(folder)
    course = course_cells(folder, exercises)
    solved, learner = (
        json.loads(notebooks.to_text(build(folder, exercises)))
        for build in (notebooks.build_solved, notebooks.build_learner)
    )
    for tree, untouched in ((solved, False), (learner, True)):
        for cell in tree["cells"]:
            cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "[{" * 1000}]
        rebuilt = rebuild(json.dumps(tree).encode(), course, folder.name)
        assert [(cell.id, cell.source) for cell in rebuilt.cells] == [
            (cell["id"], cell["source"]) for cell in tree["cells"]
        ]
        assert {cell.untouched for cell in rebuilt.cells if cell.kind == "answer"} == {untouched}
        assert rebuilt.repairs == ()


# --- repairs


def test_a_copied_check_cell_is_shown_but_not_run():
    tree = answered()
    tree["cells"].insert(5, copy.deepcopy(tree["cells"][4]))
    tree["cells"].append(extra(COURSE[4].source + "\n"))
    tree["cells"].append(cell_json(COURSE[4]) | {"source": 'stage . check("mean", other)'})
    rebuilt = handed_in(tree)
    extras = [cell for cell in rebuilt.cells if cell.kind == EXTRA]
    assert [cell.cell_type for cell in extras] == ["raw"] * 3
    assert by_id(rebuilt)["check-mean"] == COURSE[4]
    (said,) = rebuilt.repairs
    assert said == "A copy of the check of `mean` is shown but was not run."


def test_own_code_in_the_copy_of_a_check_cell_runs():
    tree = answered()
    tree["cells"].insert(5, cell_json(COURSE[4]) | {"source": "helper = 1"})
    rebuilt = handed_in(tree)
    assert (by_id(rebuilt)["extra-1"].cell_type, rebuilt.repairs) == ("code", ())


def test_missing_cells_are_put_back_and_said():
    tree = notebook()
    tree["cells"] = [cell for cell in tree["cells"] if cell["id"] in ("code-2", "check-limit")]
    rebuilt = handed_in(tree)
    assert rebuilt.cells == COURSE
    assert set(rebuilt.repairs) == {
        "The course's text or code in 4 cells had been removed; the course's own was put back.",
        "The check of `mean` had been removed; the course's own was put back.",
        "The answer cells of `mean`, `limit`, `why` had been removed; the course's starter was put back.",
    }


def test_changed_cells_of_the_course_are_the_courses_again():
    tree = answered()
    tree["cells"][0]["source"] = "# Mine"
    tree["cells"][1]["source"] = "stage = None"
    tree["cells"][4]["source"] = 'stage.check("mean", faked)'
    rebuilt = handed_in(tree)
    assert [cell for cell in rebuilt.cells if cell.id != "answer-mean"] == [*COURSE[:3], *COURSE[4:]]
    assert rebuilt.repairs == (
        "The course's text or code in 2 cells had been changed; the course's own was used.",
        "The check of `mean` had been changed; the course's own was used.",
    )


def test_blank_space_in_a_check_is_nothing_to_speak_of():
    tree = answered()
    tree["cells"][4]["source"] = "\n " + COURSE[4].source + "  \r\n"
    rebuilt = handed_in(tree)
    assert (by_id(rebuilt)["check-mean"], rebuilt.repairs) == (COURSE[4], ())


def test_flipped_grade_and_solution_flags_change_nothing_but_are_said():
    tree = answered()
    tree["cells"][4]["metadata"]["nbgrader"] |= {"grade": False, "solution": True, "locked": False}
    rebuilt = handed_in(tree)
    assert by_id(rebuilt)["check-mean"] == COURSE[4]
    assert rebuilt.repairs == (
        "The nbgrader settings of 1 cell had been changed; the course's own were used.",
    )


@pytest.mark.parametrize("version", [1, 99, None, "3", [3]])
def test_a_wrong_or_missing_schema_version_is_nobodys_business(version):
    tree = answered()
    for cell in tree["cells"]:
        settings = cell["metadata"].get("nbgrader", {})
        settings.pop("schema_version", None)
        if version is not None:
            settings["schema_version"] = version
    rebuilt = handed_in(tree)
    assert (by_id(rebuilt)["answer-mean"].source, rebuilt.repairs) == (ANSWERED, ())


def test_an_answer_turned_into_markdown_keeps_its_text_and_gets_the_starter_back():
    tree = answered()
    tree["cells"][3]["cell_type"] = "markdown"
    rebuilt = handed_in(tree)
    assert by_id(rebuilt)["answer-mean"] == COURSE[3]
    kept = by_id(rebuilt)["extra-1"]
    assert (kept.kind, kept.cell_type, kept.source) == (EXTRA, "markdown", ANSWERED)
    assert order(rebuilt) == [*IDS[:4], "extra-1", *IDS[4:]]
    (said,) = rebuilt.repairs
    assert said.startswith("The answer cell of `mean` had been turned into text, which is kept;")


def test_an_answer_moved_after_its_check_is_put_before_it():
    tree = answered()
    tree["cells"].insert(5, tree["cells"].pop(3))
    rebuilt = handed_in(tree)
    assert order(rebuilt) == IDS
    assert by_id(rebuilt)["answer-mean"].source == ANSWERED
    assert rebuilt.repairs == ("The answer of `mean` stood after the check and had to be put before it.",)


def test_moved_cells_of_the_course_go_back_and_leave_own_cells_where_they_stood():
    tree = answered()
    tree["cells"].insert(3, extra("helper = 1"))
    tree["cells"] = [*tree["cells"][-2:], extra("first = 1"), *tree["cells"][:-2]]
    rebuilt = handed_in(tree)
    assert order(rebuilt) == ["extra-1", *IDS[:3], "extra-2", *IDS[3:]]
    assert rebuilt.repairs == ("Cells of the course had been moved; the course's own order was used.",)


def test_one_answer_known_by_two_cells_takes_the_first_that_is_code():
    tree = answered()
    tree["cells"].insert(1, cell_json(COURSE[3]) | {"cell_type": "markdown", "source": "notes"})
    rebuilt = handed_in(tree)
    assert by_id(rebuilt)["answer-mean"].source == ANSWERED


def test_ids_of_own_cells_never_clash_with_the_courses():
    course = (Cell("extra-1", "prose", "markdown", "Hello."), *COURSE)
    rebuilt = rebuild(json.dumps({"cells": [extra("a = 1"), extra("b = 1")]}).encode(), course, STAGE)
    ids = [cell.id for cell in rebuilt.cells]
    assert len(set(ids)) == len(ids) == len(course) + 2

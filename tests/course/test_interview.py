"""The interviewer understands free text, gives one fact a turn, and judges what was learned as a set."""

import ast
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from course import interview, scenario, widgets
from course.interview import Interview, conversation, understand, world
from course.interview.scenarios import WORTH

ROOT = Path(interview.__file__).parent
EVERYTHING = tuple(world.LEVELS)


def drawn(n, seed=0):
    return interview.draw_scenarios(np.random.default_rng(seed), n)


def mean_regret(topics, scenarios):
    return np.mean([interview.regret(one.world, topics) for one in scenarios])


# ---- understanding


@pytest.mark.parametrize(
    ("question", "topic"),
    [
        ("does it have to run on the device?", "hardware"),
        ("it need not run in the cloud, right?", "hardware"),
        ("what hapens after a detecton", "after"),
        ("whose faces it is filming", "people"),
        ("I am quite new to all this. Is that legal at all?", "law"),
        ("false positives or false negatives?", "costs"),
        ("how offen are peoples angry", "rate"),
        ("latency", "speed"),
        ("should I use PyTorch or TensorFlow?", "tools"),
    ],
)
def test_a_question_in_ones_own_words_gets_its_topic(question, topic):
    assert understand(question).topic == topic


@pytest.mark.parametrize(
    "question", ["", "???", "what is the capital of France", "tell me more", "hm", "为什么"]
)
def test_what_is_about_no_topic_gets_no_fact_and_costs_no_turn(question):
    talk = Interview()
    reply = talk.ask(question)
    assert reply.understood is None
    assert reply.turns_left == interview.TURNS
    assert not talk.topics()
    assert not any(fact.text in reply.text for fact in talk.scenario.facts.values())


def test_an_ambiguous_question_is_offered_three_topics():
    reading = understand("what about the people and the machine?")
    assert reading.topic is None
    assert len(reading.likely) == 3
    reply = Interview().ask("what about the people and the machine?")
    assert all(interview.topic_name(topic) in reply.text for topic in reading.likely)


def test_two_questions_at_once_are_answered_one_at_a_time():
    reply = Interview().ask("How fast must it be? And what hardware does it run on?")
    assert reply.understood is None
    assert reply.likely == ("speed", "hardware")
    assert "One question at a time" in reply.text


def test_a_text_is_read_the_same_alone_in_company_and_however_long():
    texts = ["is it legal?", "how many people are in view?", "x" * 100_000]
    together = interview.understand_all(texts)
    assert together == [understand(text) for text in texts]


def test_no_paraphrase_of_the_benchmark_stands_among_the_phrases():
    def plain(text):
        return "".join(letter for letter in text.lower() if letter.isalnum() or letter == " ").strip()

    file = ROOT.parents[1] / "benchmarks" / "interviewer_paraphrases.tsv"
    asked = {plain(line.split("\t")[1]) for line in file.read_text("utf-8").splitlines() if line}
    phrases = {
        plain(line) for path in (ROOT / "phrases").glob("*.txt") for line in path.read_text().splitlines()
    }
    assert len(asked) >= 300
    assert not asked & phrases


def test_every_topic_has_phrases_and_every_phrase_a_topic():
    files = {path.stem for path in (ROOT / "phrases").glob("*.txt")}
    assert files == {*interview.topics(), "none"}


# ---- the conversation


def test_a_question_costs_a_turn_and_brings_one_fact():
    talk = Interview()
    reply = talk.ask("what hardware is there?")
    assert reply.turns_left == interview.TURNS - 1
    assert str(scenario.WEIGHT_BYTES // 1000) in reply.text
    assert "I understood: the hardware" in str(reply)
    assert list(talk.facts().index) == ["the hardware"]


def test_a_misreading_is_taken_back_without_loss():
    talk = Interview()
    talk.ask("what hardware is there?")
    reply = talk.take_back()
    assert reply.turns_left == interview.TURNS
    assert talk.facts().empty
    assert talk.take_back().text == "There is nothing to take back."


def test_the_same_question_again_costs_a_turn_and_says_so():
    talk = Interview()
    talk.choose("costs")
    assert talk.choose("costs").text.startswith("You asked that before.")
    assert talk.turns_left == interview.TURNS - 2
    assert talk.topics() == ("costs",)


def test_when_the_turns_are_used_up_there_are_no_more_facts():
    talk = Interview(turns=1)
    talk.choose("costs")
    for reply in (talk.choose("law"), talk.ask("is it legal?")):
        assert reply.understood is None
        assert "time is up" in reply.text
    assert talk.topics() == ("costs",)


def test_a_function_leads_interviews_and_sees_text_only():
    seen = []

    def ask(history):
        seen.append(history)
        return ["what is it for?", "blub", "is it legal?", ""][len(history)]

    histories = interview.converse(ask, drawn(3))
    assert [[entry["understood"] for entry in one] for one in histories] == [["use", None, "law"]] * 3
    assert all(set(entry) == {"question", "understood", "fact"} for one in histories for entry in one)
    assert all(isinstance(entry["fact"], str) for history in seen for entry in history)


def test_twelve_questions_are_answered_a_repeated_one_included():
    (history,) = interview.converse(lambda history: "is it legal?", drawn(1))
    assert len(history) == interview.TURNS == 12
    (history,) = interview.converse(
        lambda history: ["blub", "is it legal?"][len(history) % 2], drawn(1), turns=2
    )
    assert [entry["understood"] for entry in history] == [None, "law", None, "law"]


def test_who_is_never_understood_comes_to_an_end():
    (history,) = interview.converse(lambda history: "blub", drawn(1))
    assert len(history) == interview.TURNS + conversation.FREE_MISSES


# ---- scenarios


def test_there_are_four_written_scenarios_and_each_knows_every_topic():
    assert set(interview.scenario_names()) == {"lobby", "driver", "photos", "calls"}
    for name in interview.scenario_names():
        read = interview.load_scenario(name)
        assert set(read.facts) == set(interview.topics())
        assert all(fact.text and fact.worth in WORTH for fact in read.facts.values())
        assert all(read.facts[topic].follows for topic in EVERYTHING)


@pytest.mark.parametrize("name", ["lobby", "driver", "photos", "calls"])
def test_what_a_fact_is_worth_is_true(name):
    read = interview.load_scenario(name)
    little = [topic for topic, fact in read.facts.items() if fact.worth == "little"]
    others = [topic for topic in read.facts if topic not in little]
    shaping = [topic for topic in read.facts if read.facts[topic].worth == "shapes"]
    assert interview.regret(read.world, others) == 0
    assert interview.regret(read.world, shaping) >= interview.regret(read.world, others)


def test_the_call_centre_ends_in_another_scope_with_the_law_cited():
    talk = Interview("calls")
    for topic in ("after", "people", "law"):
        talk.choose(topic)
    judged = talk.judge()
    assert judged.best["scope"] in world.DECISIONS["scope"][2:]
    assert judged.design == judged.best
    assert judged.regret == 0
    assert "Article 5(1)(f)" in talk.facts().loc["what is allowed", "fact"]
    assert "Refuse" in str(judged)


@pytest.mark.parametrize("name", ["lobby", "driver", "photos"])
def test_the_others_end_in_something_built_once_enough_is_known(name):
    read = interview.load_scenario(name)
    best = interview.judge_facts(read, EVERYTHING)
    assert best.regret == 0
    assert best.design["scope"] == ("staff left out" if name == "lobby" else "as asked")
    assert interview.judge_facts(read, ()).regret > 0


def test_the_numbers_of_the_lobby_are_those_of_the_scenario(monkeypatch):
    interview.load_scenario.cache_clear()
    monkeypatch.setattr(scenario, "REACTION_MS", 1234)
    assert "1234 ms" in interview.load_scenario("lobby").facts["speed"].text
    interview.load_scenario.cache_clear()
    typed = (ROOT / "scenarios" / "lobby.toml").read_text("utf-8")
    assert not any(str(number) in typed for number in (scenario.REACTION_MS, scenario.WEIGHT_BYTES // 1000))


def test_a_scenario_that_contradicts_itself_is_refused(tmp_path, monkeypatch):
    text = (ROOT / "scenarios" / "calls.toml").read_text("utf-8")
    (tmp_path / "odd.toml").write_text(text.replace('level = "prohibited"', 'level = "high-risk"'), "utf-8")
    monkeypatch.setattr("course.interview.scenarios._FOLDER", tmp_path)
    with pytest.raises(ValueError, match=r"law is 'high-risk'; accepted is 'prohibited'"):
        interview.load_scenario("odd")


def test_drawn_scenarios_differ_and_the_same_seed_gives_the_same():
    one, two = drawn(30), drawn(30)
    assert [dict(a.world) for a in one] == [dict(b.world) for b in two]
    assert len({tuple(a.world.values()) for a in one}) == 30
    assert all(np.bincount([a.world["use"] for a in one]) == 6)


# ---- judgement


def test_who_knows_everything_loses_nothing_and_order_does_not_count():
    for one in drawn(20):
        assert interview.regret(one.world, EVERYTHING) == 0
        some = ["costs", "after", "rate", "law"]
        assert interview.regret(one.world, some) == interview.regret(
            one.world, [*reversed(some), "costs", "model"]
        )


def test_what_the_lawyer_says_stands_in_for_whom_it_sees():
    unseen = drawn(40)
    full = [*EVERYTHING, "law"]
    without = {
        gap: mean_regret([topic for topic in full if topic not in gap], unseen)
        for gap in [("law",), ("people",), ("people", "law")]
    }
    assert without["law",] == 0
    assert without["people",] < 0.2 * without["people", "law"]


def test_two_facts_can_be_worth_more_together_than_the_sum_of_each():
    unseen = drawn(120)
    nothing, people, success, both = (
        mean_regret(topics, unseen) for topics in ([], ["people"], ["success"], ["people", "success"])
    )
    assert nothing - both > 1.5 * ((nothing - people) + (nothing - success))


def test_every_variable_matters_somewhere():
    unseen = drawn(150, seed=3)
    for name in EVERYTHING:
        if name in ("use", "after", "people"):
            continue  # What they say can be told from other topics.
        known = [topic for topic in EVERYTHING if topic != name]
        assert any(interview.regret(one.world, known) > 0 for one in unseen), name


def test_an_unlawful_design_is_never_the_best():
    rng = np.random.default_rng(5)
    parts = [world.draw_worlds(rng, 60, use) for use in range(5)]
    worlds = {name: np.concatenate([part[name] for part in parts]) for name in world.LEVELS}
    scope = world.designs()["scope"][world.yearly_costs(worlds).argmin(axis=1)]
    law = world.derived(worlds)["law"]
    assert (scope[law == 0] >= 2).all()
    assert (scope[law == 1] >= 1).all()
    assert (scope[law == 2] == 0).mean() > 0.4


# ---- in the notebook


def test_enter_sends_a_button_chooses_and_the_menu_asks():
    panel = widgets.chat("lobby")
    panel.line.value = "what hardware is there?"
    panel.line._handle_custom_msg({"event": "submit"}, [])
    assert panel.line.value == ""
    assert "I understood: the hardware" in panel.transcript.value
    panel.ask("what about the people and the machine?")
    shown = [button for button in panel.choices if button.layout.display != "none"]
    assert len(shown) == 3
    shown[1].click()
    panel.topics.value = "law"
    assert "Article 5(1)(f)" in panel.transcript.value
    assert panel.interview.turns_left == interview.TURNS - 3
    panel.not_that.click()
    assert "law" not in panel.interview.topics()
    panel.judge.click()
    assert "€" in panel.transcript.value


def test_enter_sends_the_whole_line_also_when_it_arrives_after_the_key():
    panel = widgets.chat("lobby")
    panel.line._handle_custom_msg({"event": "submit"}, [])
    panel.line.value = "what hardware is there?"
    assert panel.line.value == ""
    assert list(panel.interview.topics()) == ["hardware"]


def test_a_line_that_was_left_without_enter_is_not_sent():
    panel = widgets.chat("lobby")
    panel.line.value = "what hardware is there?"
    assert not panel.interview.topics()
    panel.send.click()
    assert list(panel.interview.topics()) == ["hardware"]


def test_the_panel_can_be_read_aloud_and_does_not_run_what_is_typed():
    panel = widgets.chat(Interview("photos", turns=1))
    panel.ask("<script>alert(1)</script>")
    assert "<script>" not in panel.transcript.value
    assert 'aria-live="polite"' in panel.transcript.value
    panel.choose("law")
    assert panel.line.disabled
    assert panel._repr_mimebundle_()["text/plain"] == panel.describe()


def test_importing_and_understanding_need_no_heavy_library():
    code = (
        "import sys; from course.interview import understand; understand('is it legal?');"
        "print({'sklearn', 'torch', 'matplotlib', 'ipywidgets'} & set(sys.modules) or 'light')"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "light"


def test_the_interviewer_stays_offline():
    for file in ROOT.glob("*.py"):
        names = {
            (node.module or "") if isinstance(node, ast.ImportFrom) else node.names[0].name
            for node in ast.walk(ast.parse(file.read_text("utf-8")))
            if isinstance(node, (ast.Import, ast.ImportFrom))
        }
        assert not {name.split(".")[0] for name in names} & {"urllib", "http", "socket", "requests"}


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: Interview("bank"), ["'bank'", "lobby"]),
        (lambda: Interview(turns=0), ["turns is 0"]),
        (lambda: Interview().ask(3), ["question is 3"]),
        (lambda: Interview().choose("weather"), ["'weather'", "hardware"]),
        (lambda: interview.topic_name("x"), ["topic is 'x'"]),
        (lambda: interview.converse(lambda history: 5, drawn(1)), ["int", "text"]),
        (lambda: widgets.chat(5), ["interview is a int"]),
    ],
)
def test_bad_input_is_named_in_one_sentence(call, words):
    with pytest.raises(ValueError, match="accepted") as caught:
        call()
    assert all(word in str(caught.value) for word in words), str(caught.value)

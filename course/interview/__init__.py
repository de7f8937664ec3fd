"""The interviewer: a person with a vague request who knows a hidden scenario and understands free text.

Understanding (what is the question about?) is kept apart from judgement (what are the facts good for?), and
both work offline. Knows the numbers of the lobby; nothing of exercises or grading.
"""

from course.interview.conversation import TURNS, Interview, Reply, converse
from course.interview.deployments import deployments
from course.interview.judging import Judgement, judge_facts
from course.interview.scenarios import Scenario, draw_scenarios, load_scenario, scenario_names
from course.interview.topics import menu, topic_name, topics
from course.interview.understanding import Reading, understand, understand_all
from course.interview.world import regret

__all__ = [
    "TURNS",
    "Interview",
    "Judgement",
    "Reading",
    "Reply",
    "Scenario",
    "converse",
    "deployments",
    "draw_scenarios",
    "judge_facts",
    "load_scenario",
    "menu",
    "regret",
    "scenario_names",
    "topic_name",
    "topics",
    "understand",
    "understand_all",
]

"""Judges answers: knows exercises, notebooks and grades, knows nothing of anger."""

from autograder.compare import told_apart
from autograder.exercise import Case, Exercise, Literal, Mistake, Unreadable, Verdict
from autograder.stage import Stage

__all__ = ["Case", "Exercise", "Literal", "Mistake", "Stage", "Unreadable", "Verdict", "told_apart"]

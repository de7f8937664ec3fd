"""What people move and click in the notebooks, each with a static figure and a text that say the same.

Knows the course's world; nothing of exercises or grading. Importing it loads neither ipywidgets nor
matplotlib.
"""

from course.widgets.action_units import describe_action_units, move_action_units, static_action_units
from course.widgets.chat import chat
from course.widgets.labelling import describe_labelling, label_faces, static_labelling
from course.widgets.liars import catch_liars, describe_liars, static_liars

__all__ = [
    "catch_liars",
    "chat",
    "describe_action_units",
    "describe_labelling",
    "describe_liars",
    "label_faces",
    "move_action_units",
    "static_action_units",
    "static_labelling",
    "static_liars",
]

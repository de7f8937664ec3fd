"""Collections of faces with votes: the built-in lobby, small fresh ones, and real data in the same form.

A `Dataset` holds what a team finds in its store: a table of faces, a table of votes, the pictures. Where
the data were generated, `hidden` keeps the truth apart. Knows faces and annotators; nothing of exercises
or grading.
"""

from course.datasets.faults import FAULTS, default_plan, plant_faults
from course.datasets.lobby import load_lobby, sample_lobby, small_lobby
from course.datasets.real import load_fer2013, load_ferplus, load_folder, real_data_or_default
from course.datasets.tables import (
    FACE_COLUMNS,
    LABELS,
    VOTE_COLUMNS,
    Dataset,
    Hidden,
    majority_label,
    raw_table,
)
from course.store import CacheError

__all__ = [
    "FACE_COLUMNS",
    "FAULTS",
    "LABELS",
    "VOTE_COLUMNS",
    "CacheError",
    "Dataset",
    "Hidden",
    "default_plan",
    "load_fer2013",
    "load_ferplus",
    "load_folder",
    "load_lobby",
    "majority_label",
    "plant_faults",
    "raw_table",
    "real_data_or_default",
    "sample_lobby",
    "small_lobby",
]

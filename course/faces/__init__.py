"""Faces as rows: sample people, expressions and scenes, join them, turn rows into pixels.

One row of a table is one face (`COLUMNS` describes every column), and `render(table)` turns rows
into pixels. Knows nothing of labels, annotators, exercises or grading.
"""

from course.faces.cache import render_cached
from course.faces.clips import sample_clip
from course.faces.columns import COLUMNS
from course.faces.geometry import landmarks, measures
from course.faces.people import sample_people
from course.faces.rendering import render
from course.faces.sample import sample_faces
from course.faces.scenes import SITES, Site, sample_scenes
from course.faces.units import ACTION_UNITS, EXPRESSIONS, NATURAL_MIX, sample_expressions

__all__ = [
    "ACTION_UNITS",
    "COLUMNS",
    "EXPRESSIONS",
    "NATURAL_MIX",
    "SITES",
    "Site",
    "landmarks",
    "measures",
    "render",
    "render_cached",
    "sample_clip",
    "sample_expressions",
    "sample_faces",
    "sample_people",
    "sample_scenes",
]

"""Eight deployments of one model, as plain facts."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pandas as pd


def deployments() -> pd.DataFrame:
    """Return eight deployments, one a row, the index holds their names.

    Columns: seen (list of str, the kinds of people in view), left_out (list of str, those of them who are
    left out by design), place, infers, from, purpose (str), consent (bool).
    """
    text = (Path(__file__).parent / "deployments.toml").read_text(encoding="utf-8")
    return pd.DataFrame(tomllib.loads(text)["deployment"]).set_index("name")

"""The world the notebooks import: faces, annotators, data. It knows nothing of grading."""

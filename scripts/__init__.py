"""Commands for people who work on the course or try it out."""

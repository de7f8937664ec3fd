"""The exam: learners' code on one side of a wall, the checks on the other, the gradebook out of reach.

The way of a submission: `intake` turns bytes into cells; a `candidate` runs the learner's cells inside the
wall; an `examiner`, in a process of its own, asks it for answers and judges them; the `registrar` writes what
came of it. `room` holds the processes together on one worker.
"""

import sys

# Reading a notebook imports a grammar of web addresses that nothing here needs, and that takes over a second
# in each of the exam's processes. jsonschema does without it where it is missing.
sys.modules.setdefault("rfc3987_syntax", None)

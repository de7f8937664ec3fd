"""`python -m autograder`: the command, where no scripts are on the path."""

import sys

from autograder.cli import main

sys.exit(main())

"""`python3 -m agent` is the command."""

import sys

from agent.cli import main

sys.exit(main())

"""`python -m tapwise`."""

import sys

from tapwise.cli import main

sys.exit(main())

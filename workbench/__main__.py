"""`python -m workbench` is the console script."""

import sys

from workbench.cli import main

sys.exit(main())

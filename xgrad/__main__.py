"""`python -m xgrad` is the `xgrad` command."""

import sys

from xgrad.cli import main

sys.exit(main())

"""`python -m defocus_core`: the `defocus` command."""

import sys

from defocus_core.cli.parser import main

sys.exit(main())

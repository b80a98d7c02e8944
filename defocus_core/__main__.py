"""``python -m defocus_core``: the ``defocus`` command."""

import sys

from .cli import main

sys.exit(main())

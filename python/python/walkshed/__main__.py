"""`python -m walkshed`."""

import sys

from walkshed.cli import main

sys.exit(main())

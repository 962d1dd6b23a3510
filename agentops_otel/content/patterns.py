"""Regular expressions that are compiled when a text is searched with them: all at once would be half of the import."""

import re
from functools import cache

compiled = cache(re.compile)
"""The compiled pattern; flags are in the pattern's text."""

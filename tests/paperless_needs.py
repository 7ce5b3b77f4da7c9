"""Prints the packages that paperless-ngx needs, but for those of its artificial intelligence, which bring gigabytes.

python tests/paperless_needs.py FOLDER
"""

import re
import sys
import tomllib
from pathlib import Path

NOT_NEEDED = re.compile(r"azure-|llama-index|openai|sentence-transformers|sqlite-vec|torch")

project = tomllib.loads((Path(sys.argv[1]) / "pyproject.toml").read_text(encoding="utf-8"))["project"]
print("\n".join(needed for needed in project["dependencies"] if not NOT_NEEDED.match(needed)))

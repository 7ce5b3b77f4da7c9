"""Build the documentation site into target/docs, as `make docs` does.

Its sources are docs/, documents of the project's own folder, and pages that are made of the program. They are put
together in target/docs-source, where links lead from page to page. Warnings are errors, and nothing is fetched.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote

import docs_gallery
import docs_pages

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "target" / "docs-source"
SITE = ROOT / "target" / "docs"

PAGES = {
    "ARCHITECTURE.md": "architecture.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "README.md": "index.md",
    "deploy": "deploy.md",
    "examples": "examples.md",
}
"""Files and folders outside of docs/, and the pages that stand for them."""

LINK = re.compile(r"(?<=\]\()[^)\s]+(?=\))")
CODE = re.compile(r"^```.*?^```$|`[^`\n]+`", re.DOTALL | re.MULTILINE)
FOREIGN = re.compile(r"<(?:link|script|img|iframe)[^>]*\s(?:src|href)=[\"']?(?:https?:)?//[^>]*>|url\(\s*[\"']?https?:")
"""Anything that a page would fetch from another host."""


class LinkError(Exception):
    """A link that leads nowhere on the site."""


def moved(target: str, page: Path) -> str:
    """Return what a link of a file of the project is called on the site."""
    if re.match(r"[a-z]+:|#", target):
        return target
    path, _, anchor = unquote(target).partition("#")
    whole = Path(os.path.normpath(page.parent / path))
    if whole.parts[0] == "docs" and len(whole.parts) == 2:
        name = whole.name
    elif whole.as_posix() in PAGES:
        name = PAGES[whole.as_posix()]
    elif whole.parts[0] in PAGES and (ROOT / whole).is_file():
        name, anchor = PAGES[whole.parts[0]], re.sub(r"[^\w-]", "", whole.name)
    else:
        message = f"{page}: {target} is not on the site: give it a row in PAGES of tools/build_docs.py"
        raise LinkError(message)
    return f"{name}#{anchor}" if anchor else name


def with_moved_links(text: str, page: Path) -> str:
    """Return a page with links for the site; code stays as it is."""
    ends = [0, *(end for found in CODE.finditer(text) for end in found.span()), len(text)]
    parts = [text[start:end] for start, end in pairwise(ends)]
    parts[::2] = [LINK.sub(lambda found: moved(found[0], page), part) for part in parts[::2]]
    return "".join(parts)


def put_together() -> None:
    """Write the sources of all pages."""
    shutil.rmtree(SOURCE, ignore_errors=True)
    shutil.copytree(ROOT / "docs", SOURCE, ignore=shutil.ignore_patterns("__pycache__"))
    for path in SOURCE.glob("*.md"):
        path.write_text(with_moved_links(path.read_text(encoding="utf-8"), Path("docs", path.name)), encoding="utf-8")
    for name, page in PAGES.items():
        if name.endswith(".md") and name != "README.md":
            text = (ROOT / name).read_text(encoding="utf-8")
            (SOURCE / page).write_text(with_moved_links(text, Path(name)), encoding="utf-8")
    made = {
        "api.md": docs_pages.api(),
        "commands.md": docs_pages.commands(),
        "examples.md": docs_pages.files("Examples", ROOT),
        "deploy.md": docs_pages.files("Running the service", ROOT),
        "gallery.md": docs_gallery.gallery(SOURCE / "gallery"),
    }
    for name, text in made.items():
        (SOURCE / name).write_text(text, encoding="utf-8")


def foreign(site: Path) -> Iterator[str]:
    """Give what pages would fetch from elsewhere: fonts, scripts, pictures."""
    for path in sorted(site.rglob("*")):
        if path.suffix in (".html", ".css"):
            for found in FOREIGN.finditer(path.read_text(encoding="utf-8")):
                yield f"{path.relative_to(site)}: {found[0]}"


def main() -> int:
    """Build the site; 1 where a page has a fault."""
    try:
        put_together()
    except LinkError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    shutil.rmtree(SITE, ignore_errors=True)
    options = ("-b", "html", "--fail-on-warning", "--keep-going", "--nitpicky", "--quiet", "--jobs", "auto")
    doctrees = str(ROOT / "target" / "docs-doctrees")
    shutil.rmtree(doctrees, ignore_errors=True)
    command = [sys.executable, "-m", "sphinx", *options, "-d", doctrees, str(SOURCE), str(SITE)]
    if subprocess.run(command, check=False).returncode:
        return 1
    fetched = list(foreign(SITE))
    for found in fetched:
        print(f"error: another host would be asked: {found}", file=sys.stderr)
    print(SITE / "index.html")
    return 1 if fetched else 0


if __name__ == "__main__":
    sys.exit(main())

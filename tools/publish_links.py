"""Have the README's links lead to the forge, for an index of packages, where files beside it are not.

The address is named in one place: the workflow that builds what is published, which knows where it runs::

    python3 tools/publish_links.py https://forge.example/owner/ferrocr v0.1.0

It changes README.md, and gives pyproject.toml and Cargo.toml the addresses that an index shows. In the sources links
stay relative, so that they lead on in every clone.
"""

import re
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parent.parent

LINK = re.compile(r"(!?)(\[[^]]*\]\()([^)\s]+)(?=\))")


def absolute(target: str, address: str, ref: str, *, is_picture: bool) -> str:
    """Return a link as an address."""
    if re.match(r"[a-z]+:|#", target):
        return target
    path = target.partition("#")[0]
    if not (ROOT / path).exists():
        message = f"README.md leads to {path}, which is not there"
        raise FileNotFoundError(message)
    kind = "raw" if is_picture else "tree" if (ROOT / path).is_dir() else "blob"
    return f"{address}/{kind}/{ref}/{target}"


def with_addresses(readme: str, address: str, ref: str) -> str:
    """Return the README with addresses in the place of relative links."""
    return LINK.sub(
        lambda found: found[1] + found[2] + absolute(found[3], address, ref, is_picture=bool(found[1])), readme
    )


def project_urls(address: str, ref: str) -> str:
    """Return the table of addresses for pyproject.toml."""
    rows = {
        "Source": address,
        "Documentation": f"{address}/blob/{ref}/docs/index.md",
        "Changelog": f"{address}/blob/{ref}/CHANGELOG.md",
        "Issues": f"{address}/issues",
    }
    return "[project.urls]\n" + "".join(f'{name} = "{url}"\n' for name, url in rows.items())


def main(arguments: list[str]) -> int:
    """Change the three files."""
    if len(arguments) != 2 or not arguments[0].startswith("https://"):
        print(f"usage: {sys.argv[0]} ADDRESS REF", file=sys.stderr)
        return 2
    address, ref = arguments[0].rstrip("/"), arguments[1]
    changed: dict[str, Callable[[str], str]] = {
        "README.md": lambda text: with_addresses(text, address, ref),
        "pyproject.toml": lambda text: text.replace(
            "[project.optional-dependencies]", f"{project_urls(address, ref)}\n[project.optional-dependencies]", 1
        ),
        "Cargo.toml": lambda text: text.replace("\nreadme = ", f'\nrepository = "{address}"\nreadme = ', 1),
    }
    for name, change in changed.items():
        path = ROOT / name
        path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Prints the version that a tag stands for, which has to be the one in Cargo.toml. Needs only Python.

    python3 package/version.py v1.2.3
"""

import pathlib
import sys
import tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent


def main():
    (tag,) = sys.argv[1:]
    version = tomllib.loads((ROOT / "Cargo.toml").read_text(encoding="utf-8"))["package"]["version"]
    if tag != f"v{version}":
        print(f"refused: tag {tag} for version {version} of Cargo.toml", file=sys.stderr)
        sys.exit(2)
    print(version)


main()

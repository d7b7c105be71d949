"""Writes copies of the templates and forms whose package is the one at a given address.

    python3 package/pin.py --package-uri URI --out FOLDER

The address has to name the same bytes for ever and to answer without a redirect: the raw address of released-package.zip at
a full commit id. A branch or a tag can be moved, and then an app would run what nobody looked at. Needs only Python.

The address tells the repository too, so the boxes of the forms that name a guide get a link to it. It leads to the guide as it
is now, not as it was: nothing is run from there, and what is corrected about a step that cannot be undone has to reach who
opens the form of an earlier release.
"""

import argparse
import json
import pathlib
import re
import sys

from layout import written

TEMPLATES = ("azuredeploy.json", "azuredeploy-dedicated.json")
FORMS = ("createUiDefinition.json", "createUiDefinition-dedicated.json")
ROOT = pathlib.Path(__file__).resolve().parent.parent
PACKAGE = "released-package.zip"
ADDRESS = re.compile(r"https://raw\.githubusercontent\.com/([A-Za-z0-9][A-Za-z0-9_-]*/(?!\.{1,2}/)[A-Za-z0-9._-]+)/([^/?#]+)/([^/?#]+)")
# Boxes of the forms, and where in the repository each leads.
LINKS = {
    "again": "docs/deploy.md#update-roll-back-uninstall",
    "migrate": "docs/migrate.md#2-from-the-data-collector-api-to-the-logs-ingestion-api",
}


class Refused(Exception):
    """An address that must not stand in a template."""


def accepted(uri):
    """The address, if the package behind it can never be another one."""
    if not uri.startswith("https://"):
        raise Refused(f"{uri}: the address has to begin with https://")
    match = ADDRESS.fullmatch(uri)
    if not match:
        raise Refused(f"{uri}: the address has to be https://raw.githubusercontent.com/OWNER/REPOSITORY/COMMIT/{PACKAGE}")
    _, commit, file = match.groups()
    if not re.fullmatch(r"[0-9a-f]{40}", commit):
        raise Refused(f"{uri}: {commit} is no full commit id (40 hex digits), so the package could be replaced")
    if file != PACKAGE:
        raise Refused(f"{uri}: the file has to be called {PACKAGE}, not {file}")
    return uri


def pinned_template(template, uri):
    """The parameter with its default in second place, where the other parameters have theirs."""
    about = template["parameters"]["PackageUri"]
    rest = {name: each for name, each in about.items() if name not in ("type", "defaultValue")}
    template["parameters"]["PackageUri"] = {"type": about["type"], "defaultValue": uri, **rest}
    return template


def links(uri):
    """The address of the guide for each box."""
    repository = ADDRESS.fullmatch(uri)[1]
    return {name: f"https://github.com/{repository}/blob/HEAD/{place}" for name, place in LINKS.items()}


def pinned_form(form, uri):
    parameters = form["parameters"]
    elements = [*parameters["basics"], *(each for step in parameters["steps"] for each in step["elements"])]

    def element(name):
        found = [each for each in elements if each["name"] == name]
        if len(found) != 1:
            raise Refused(f"the form has {len(found)} elements {name}")
        return found[0]

    element("packageUri")["defaultValue"] = uri
    for name, link in links(uri).items():
        options = element(name)["options"]
        # In front of the text, so that no other line changes.
        element(name)["options"] = {"icon": options["icon"], "uri": link, "text": options["text"]}
    return form


def pin(uri, out, sources=ROOT):
    """All four copies are made before the first one is written."""
    accepted(uri)
    out = pathlib.Path(out)
    if out.resolve() == pathlib.Path(sources).resolve():
        raise Refused(f"{out} holds the sources, which have no package of their own")
    copies = {}
    for names, change in ((TEMPLATES, pinned_template), (FORMS, pinned_form)):
        for name in names:
            value = json.loads((pathlib.Path(sources) / name).read_text(encoding="utf-8"))
            copies[name] = written(change(value, uri)) + "\n"
    out.mkdir(parents=True, exist_ok=True)
    for name, text in copies.items():
        (out / name).write_text(text, encoding="utf-8", newline="\n")


def main():
    parser = argparse.ArgumentParser(description="Writes the templates and forms with the address of a package in them.")
    parser.add_argument("--package-uri", required=True, help=f"raw address of {PACKAGE} at a full commit id")
    parser.add_argument("--out", required=True, help="folder for the copies")
    arguments = parser.parse_args()
    try:
        pin(arguments.package_uri, arguments.out)
    except Refused as refused:
        print(f"refused: {refused}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()

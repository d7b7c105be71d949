"""Writes the notes of a release: what it holds, buttons that deploy it, how to verify and compare it. Needs only Python.

    python3 package/notes.py --version 1.2.3 --repository OWNER/REPOSITORY --templates COMMIT --package FOLDER --out FILE
"""

import argparse
import hashlib
import pathlib
import re
import sys
import urllib.parse
import zipfile

from pin import FORMS, PACKAGE, TEMPLATES

PORTALS = {"Azure": "https://portal.azure.com", "Azure US Government": "https://portal.azure.us", "Azure China": "https://portal.azure.cn"}
PLANS = ("Flex Consumption", "Dedicated or Elastic Premium")
IMAGE = "https://aka.ms/deploytoazurebutton"


class Refused(Exception):
    """Notes that would not tell the truth."""


def button(portal, address, template, form):
    """The portal reads the two addresses as one part of a path each, so that no character of them may stand as it is."""
    quoted = [urllib.parse.quote(f"{address}/{name}", safe="") for name in (template, form)]
    return f"{portal}/#create/Microsoft.Template/uri/{quoted[0]}/createUIDefinitionUri/{quoted[1]}"


def sum_of(content):
    return hashlib.sha256(content).hexdigest()


def sums(folder):
    """SHA-256 of the package and of the handler, which has to be the one in the package."""
    package, handler = ((pathlib.Path(folder) / name).read_bytes() for name in (PACKAGE, "handler"))
    with zipfile.ZipFile(pathlib.Path(folder) / PACKAGE) as archive:
        if archive.read("handler") != handler:
            raise Refused(f"the handler in {PACKAGE} is not the file handler beside it")
    return sum_of(package), sum_of(handler)


def notes(version, repository, templates, folder):
    if not re.fullmatch(r"[0-9a-f]{40}", templates):
        raise Refused(f"{templates} is no full commit id")
    package, handler = sums(folder)
    address = f"https://raw.githubusercontent.com/{repository}/{templates}"
    rows = []
    for cloud, portal in PORTALS.items():
        links = [f"[![Deploy to {cloud}]({IMAGE})]({button(portal, address, *names)})" for names in zip(TEMPLATES, FORMS)]
        rows.append(f"| {cloud} | {' | '.join(links)} |")
    workflow = f"{repository}/.github/workflows/release.yml"
    table = "\n".join([f"| | {' | '.join(PLANS)} |", "|---|---|---|", *rows])
    # GitHub breaks a line of notes wherever the text does, so that a paragraph has to be one line.
    return f"""duo-sentinel {version}

## Deploy

{table}

What is needed and what each field means: [docs/deploy.md](https://github.com/{repository}/blob/v{version}/docs/deploy.md). The \
buttons open templates at commit `{templates}`, which deploy the package of this release and no other. Where a cloud or a \
region lacks Flex Consumption, take the second column.

To update an app, deploy again with the same resource group and *Function name*. To use these templates as code, ADDRESS in \
the guide is `{address}`.

## Verify

| file | SHA-256 |
|---|---|
| `{PACKAGE}` | `{package}` |
| `handler` in it | `{handler}` |

```sh
sha256sum --check --ignore-missing SHA256SUMS
gh attestation verify {PACKAGE} --repo {repository} --signer-workflow {workflow} --source-ref refs/tags/v{version}
gh attestation verify {PACKAGE} --repo {repository} --predicate-type https://cyclonedx.org/bom
```

The first attestation says that the package was built from tag `v{version}` by the workflow of this repository, the second \
one what is in it (`duo-sentinel.cdx.json`); the licences of all of it are in `THIRD-PARTY-LICENSES.txt`.

The handler can be compared on its own. What runs tells its SHA-256 in the log stream when it starts (`sha256="…"`), and \
`duo-sentinel check` in its first line; `package/build` at tag `v{version}` gives the same on your machine; and the one in a package:

```sh
unzip -p {PACKAGE} handler | sha256sum
```
"""


def main():
    parser = argparse.ArgumentParser(description="Writes the notes of a release.")
    for name in ("version", "repository", "templates", "package", "out"):
        parser.add_argument(f"--{name}", required=True)
    arguments = parser.parse_args()
    try:
        text = notes(arguments.version, arguments.repository, arguments.templates, arguments.package)
    except Refused as refused:
        print(f"refused: {refused}", file=sys.stderr)
        sys.exit(2)
    pathlib.Path(arguments.out).write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()

"""Writes the notes of a release: what it holds, buttons that deploy it, how to verify and compare it. Needs only Python.

    python3 package/notes.py --version 1.2.3 --repository OWNER/REPOSITORY --templates COMMIT --package FOLDER \\
        --published FOLDER --schema FILE [--previous v1.2.2 --previous-schema FILE] --out FILE

--published is where the templates and forms of the release lie; --previous is the release before it, if there is one.
"""

import argparse
import hashlib
import json
import pathlib
import re
import sys
import urllib.parse
import zipfile

from pin import FORMS, PACKAGE, TEMPLATES

PORTALS = {"Azure": "https://portal.azure.com", "Azure US Government": "https://portal.azure.us", "Azure China": "https://portal.azure.cn"}
PLANS = ("Flex Consumption", "Dedicated or Elastic Premium")
IMAGE = "https://aka.ms/deploytoazurebutton"
RUST = (pathlib.Path(__file__).resolve().parent / "rust-version").read_text(encoding="utf-8").strip()


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


def columns(schema):
    tables = json.loads(pathlib.Path(schema).read_text(encoding="utf-8"))["tables"]
    return {f"{table}.{name} {kind}" for table, of in tables.items() for name, kind in of.items()}


def new_columns(previous, before, now, guide):
    """What has to be done first where the table is kept: nothing, if the schema is that of the release before."""
    if not previous or pathlib.Path(before).read_bytes() == pathlib.Path(now).read_bytes():
        return ""
    added = ", ".join(f"`{column}`" for column in sorted(columns(now) - columns(before)))
    return f"""**New columns since {previous}**{f": {added}" if added else ""}. Before you deploy with the Logs Ingestion API over a table \
that is kept (`keep`), add them to it as [docs/migrate.md, section 2, step 3]\
({guide}/docs/migrate.md#2-from-the-data-collector-api-to-the-logs-ingestion-api) says. Its data collection rule takes them only \
once the template is deployed again; the new version alone does not change the rule.

"""


def notes(version, repository, templates, folder, published, changed):
    if not re.fullmatch(r"[0-9a-f]{40}", templates):
        raise Refused(f"{templates} is no full commit id")
    package, handler = sums(folder)
    address = f"https://raw.githubusercontent.com/{repository}/{templates}"
    rows = []
    for cloud, portal in PORTALS.items():
        links = [f"[![Deploy to {cloud}]({IMAGE})]({button(portal, address, *names)})" for names in zip(TEMPLATES, FORMS)]
        rows.append(f"| {cloud} | {' | '.join(links)} |")
    proven = f"--repo {repository} --signer-workflow {repository}/.github/workflows/release.yml --source-ref refs/tags/v{version}"
    files = "\n".join(f"| `{name}` | `{sum_of((pathlib.Path(published) / name).read_bytes())}` |" for name in (*TEMPLATES, *FORMS))
    table = "\n".join([f"| | {' | '.join(PLANS)} |", "|---|---|---|", *rows])
    # GitHub breaks a line of notes wherever the text does, so that a paragraph has to be one line.
    return f"""duo-sentinel {version}

## Deploy

{table}

What is needed and what each field means: [docs/deploy.md](https://github.com/{repository}/blob/v{version}/docs/deploy.md). The \
buttons open templates at commit `{templates}`, which deploy the package of this release and no other. Where a cloud or a \
region lacks Flex Consumption, take the second column.

To use these templates as code, ADDRESS in the guide is `{address}`.

## Update

{changed}For the new version alone, all settings left as they are, on Flex Consumption:

```sh
az functionapp deployment source config-zip --name APP --resource-group GROUP --src {PACKAGE}
```

To change settings too, deploy again with the same resource group and *Function name*. The form remembers nothing: give every \
value again as before, the API, `keep` for the table, the bridge, the transformation and the advanced settings included.

## Verify

| file | SHA-256 |
|---|---|
| `{PACKAGE}` | `{package}` |
| `handler` in it | `{handler}` |
{files}

```sh
sha256sum --check --ignore-missing SHA256SUMS
gh attestation verify {PACKAGE} {proven}
gh attestation verify {PACKAGE} {proven} --predicate-type https://cyclonedx.org/bom
```

The first attestation says that the package was built from tag `v{version}` by the workflow of this repository, the second \
one what is in it (`duo-sentinel.cdx.json`); the licences of all of it are in `THIRD-PARTY-LICENSES.txt`. Templates and forms, which have no attestation, lie at `{address}/`: \
their sums stand above.

The handler can be compared on its own. What runs tells its SHA-256 in the log stream when it starts (`sha256="…"`), and \
`duo-sentinel check` in its first line; `package/build` at tag `v{version}` \
gives the same with Rust {RUST} and the locked tools; and the one in a package:

```sh
unzip -p {PACKAGE} handler | sha256sum
```
"""


def main():
    parser = argparse.ArgumentParser(description="Writes the notes of a release.")
    for name in ("version", "repository", "templates", "package", "published", "schema", "out"):
        parser.add_argument(f"--{name}", required=True)
    for name in ("previous", "previous-schema"):
        parser.add_argument(f"--{name}")
    told = parser.parse_args()
    try:
        guide = f"https://github.com/{told.repository}/blob/v{told.version}"
        changed = new_columns(told.previous, told.previous_schema, told.schema, guide)
        text = notes(told.version, told.repository, told.templates, told.package, told.published, changed)
    except Refused as refused:
        print(f"refused: {refused}", file=sys.stderr)
        sys.exit(2)
    pathlib.Path(told.out).write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()

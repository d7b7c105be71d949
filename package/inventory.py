"""Writes what the program is made of: python package/inventory.py TRIPLE FOLDER

duo-sentinel.cdx.json       every crate that is linked into FOLDER/handler, and those that only its build runs (CycloneDX 1.6)
THIRD-PARTY-LICENSES.txt    the licences of the linked ones, with their texts
"""

import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
import tomllib
import uuid
from datetime import datetime, timezone

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, XsUri
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentScope, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = "duo-sentinel"
LICENCE_FILES = re.compile(r"(?i)^(licen[sc]e|copying|copyright|notice|unlicense)")
# The text for crates that were published without one.
MIT = (ROOT / "package/MIT.txt").read_text(encoding="utf-8")


def output(*command):
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


def tree(triple, *edges):
    """Pairs of depth and (name, version): what Cargo builds into the program for a target, without its tests."""
    lines = output(
        "cargo", "tree", "--locked", "--package", PROGRAM, "--no-default-features", "--target", triple,
        "--prefix", "depth", "--format", " {p}", "--no-dedupe", "--edges", *edges,
    ).splitlines()  # fmt: skip
    for line in lines:
        depth, name, version = re.match(r"(\d+) (\S+) v(\S+)", line).groups()
        yield int(depth), (name, version)


def packages():
    """What Cargo knows of each crate, by name and version."""
    known = json.loads(output("cargo", "metadata", "--locked", "--format-version", "1"))["packages"]
    return {(each["name"], each["version"]): each for each in known}


def checksums():
    """SHA-256 of each crate's archive, from Cargo.lock."""
    locked = tomllib.loads((ROOT / "Cargo.lock").read_text(encoding="utf-8"))["package"]
    return {(each["name"], each["version"]): each.get("checksum") for each in locked}


def is_macro(package):
    """Whether a crate runs in the compiler, and is not linked."""
    return any("proc-macro" in target["kind"] for target in package["targets"])


def linked(triple, known):
    """The crates that are linked into the program, without what a macro needs to run."""
    found, inside_macro = set(), None
    for depth, key in tree(triple, "normal"):
        if inside_macro is not None and depth > inside_macro:
            continue
        inside_macro = depth if is_macro(known[key]) else None
        if inside_macro is None:
            found.add(key)
    return found


def dependencies(triple):
    """Which crates each crate needs, directly."""
    needs, path = {}, []
    for depth, key in tree(triple, "normal,build"):
        del path[depth:]
        if path:
            needs.setdefault(path[-1], set()).add(key)
        path.append(key)
    return needs


def component(key, package, checksum, scope):
    name, version = key
    references = []
    if package["repository"]:
        references.append(ExternalReference(type=ExternalReferenceType.VCS, url=XsUri(package["repository"])))
    return Component(
        name=name,
        version=version,
        type=ComponentType.LIBRARY,
        bom_ref=f"{name}@{version}",
        scope=scope,
        # Old crates write "MIT/Apache-2.0".
        licenses=[LicenseFactory().make_from_string(package["license"].replace("/", " OR "))],
        purl=PackageURL("cargo", None, name, version),
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=checksum)] if checksum else [],
        external_references=references,
    )


def built_at():
    """Time of the commit that is built, so that equal sources give an equal list."""
    seconds = os.environ.get("SOURCE_DATE_EPOCH") or output("git", "log", "-1", "--format=%ct")
    return datetime.fromtimestamp(int(seconds), timezone.utc)


def tools_of(requirements):
    """Name and version of each tool that the build runs, without what only these tools need themselves."""
    lines = [line for line in requirements.splitlines() if line and not line.startswith("#")]
    return {re.sub(r"\[.*", "", name): version for name, version in (line.split("==") for line in lines)}


def bill(triple, handler, known):
    """The bill of materials."""
    inside, needs, sums = linked(triple, known), dependencies(triple), checksums()
    sha256 = hashlib.sha256(handler).hexdigest()
    (root,) = [key for key in needs if key[0] == PROGRAM]
    every = set(needs) | set().union(*needs.values())
    components = {
        key: component(key, known[key], sums[key], ComponentScope.REQUIRED if key in inside else ComponentScope.EXCLUDED)
        for key in every - {root}
    }
    program = component(root, known[root], None, None)
    program.type = ComponentType.APPLICATION
    program.hashes = [HashType(alg=HashAlgorithm.SHA_256, content=sha256)]
    compiler = re.match(r"rustc (\S+)", output("rustc", "--version")).group(1)
    library = Component(
        name="rust-std",
        version=compiler,
        type=ComponentType.LIBRARY,
        bom_ref=f"rust-std@{compiler}",
        scope=ComponentScope.REQUIRED,
        description="Rust's standard library",
        licenses=[LicenseFactory().make_from_string("MIT OR Apache-2.0")],
        external_references=[ExternalReference(type=ExternalReferenceType.VCS, url=XsUri("https://github.com/rust-lang/rust"))],
    )
    result = Bom(serial_number=uuid.uuid5(uuid.NAMESPACE_OID, sha256), components=[*components.values(), library])
    result.metadata.timestamp = built_at()
    result.metadata.component = program
    tools = tools_of((ROOT / "package/requirements.in").read_text(encoding="utf-8"))
    for name, version in {"rustc": compiler, **tools}.items():
        result.metadata.tools.components.add(Component(name=name, version=version, type=ComponentType.APPLICATION))
    for key in every:
        of = program if key == root else components[key]
        result.register_dependency(of, [components[each] for each in needs.get(key, [])] + ([library] if key == root else []))
    text = JsonV1Dot6(result).output_as_string(indent=2) + "\n"
    fault = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    if fault:
        sys.exit(f"duo-sentinel.cdx.json is not as CycloneDX wants it: {fault}")
    return text


def texts_of(package):
    """The licence texts that a crate brings along; for one that brings none and is under MIT, that text."""
    folder = pathlib.Path(package["manifest_path"]).parent
    files = sorted(file for file in folder.iterdir() if file.is_file() and LICENCE_FILES.match(file.name))
    if files:
        return [file.read_text(encoding="utf-8", errors="replace").replace("\r\n", "\n").strip() for file in files]
    if "MIT" not in package["license"] or not package["authors"]:
        sys.exit(f"{package['name']} {package['version']} ({package['license']}) has no licence text: add it to package/")
    return [MIT.format(authors=", ".join(package["authors"])).strip()]


def licences(triple, known):
    """The linked crates and their licences, then each text once."""
    texts, rows = {}, []
    for key in sorted(linked(triple, known)):
        package = known[key]
        if package["name"] == PROGRAM:
            continue
        label = f"{key[0]} {key[1]}"
        rows.append(f"{label}: {package['license']}  {package['repository'] or ''}".rstrip())
        for text in texts_of(package):
            texts.setdefault(text, []).append(label)
    parts = [
        f"The program of {PROGRAM} contains the following libraries, and Rust's standard library (MIT OR Apache-2.0).",
        "\n".join(rows),
    ]
    for text, labels in texts.items():
        parts.append("=" * 100 + "\nLicence text of " + ", ".join(labels) + ":\n\n" + text)
    return "\n\n".join(parts) + "\n"


def main():
    triple, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    known = packages()
    files = {
        "duo-sentinel.cdx.json": bill(triple, (folder / "handler").read_bytes(), known),
        "THIRD-PARTY-LICENSES.txt": licences(triple, known),
    }
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")


main()

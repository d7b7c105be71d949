"""Checks the output of package/build and unpacks it: python tools/check_package.py PACKAGE_FOLDER [UNPACK_TO]

PACKAGE_FOLDER is the output folder of package/build; UNPACK_TO is emptied, and filled as Azure Functions would.
"""

import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile

# C library of the oldest image of Azure Functions on which the program must start.
C_LIBRARY = (2, 17)
BESIDE = {"released-package.zip", "handler"}


def sums(folder):
    """SHA256SUMS lists every file with the right checksum."""
    lines = (folder / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    listed = {name: digest for digest, name in (line.split("  ") for line in lines)}
    assert set(listed) == BESIDE, sorted(listed)
    for name, digest in listed.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest, f"SHA256SUMS: {name}"


def archive(folder):
    """The package contains exactly the program and the functions, with the modes that the host needs."""
    functions = {str(file) for file in pathlib.Path(".").glob("*/function.json")}
    with zipfile.ZipFile(folder / "released-package.zip") as package:
        entries = {entry.filename: entry for entry in package.infolist()}
        assert set(entries) == {"handler", "host.json", *functions}, sorted(entries)
        for name, entry in entries.items():
            mode = entry.external_attr >> 16
            assert mode == (0o100755 if name == "handler" else 0o100644), f"{name}: {mode:o}"
            # Modes are valid only in entries created on Unix (3).
            assert entry.create_system == 3 and entry.date_time == (1980, 1, 1, 0, 0, 0), name
            source = folder / name if name == "handler" else pathlib.Path(name)
            assert package.read(name) == source.read_bytes(), f"{name} differs from its source"
    host = json.loads(pathlib.Path("host.json").read_text(encoding="utf-8"))
    assert host["customHandler"]["description"]["defaultExecutablePath"] == "handler"


def program(file):
    """It runs on 64-bit Intel Linux with an old C library, has no demo, and contains no path of the build machine."""
    content = file.read_bytes()
    assert content[:7] == b"\x7fELF\x02\x01\x01" and content[18:20] == b"\x3e\x00", "not a program for 64-bit Intel Linux"
    found = [tuple(map(int, version.split(b"."))) for version in re.findall(rb"\0GLIBC_([\d.]+)(?=\0)", content)]
    assert found and max(found) <= C_LIBRARY, f"needs the C library {max(found)}"
    for folder in {str(pathlib.Path.home()), os.getcwd()}:
        assert folder == "/" or f"{folder}/".encode() not in content, f"{file} contains {folder}"
    version = tomllib.loads(pathlib.Path("Cargo.toml").read_text(encoding="utf-8"))["package"]["version"]
    output = subprocess.run([file, "--version"], check=True, capture_output=True, text=True).stdout
    assert output.split() == ["duo-sentinel", version], output
    commands = subprocess.run([file, "--help"], check=True, capture_output=True, text=True).stdout
    assert "serve" in commands and "demo" not in commands and "simulate" not in commands, commands


def unpack(package, folder):
    """Unpacks like Azure Functions: every file with its mode in the package."""
    shutil.rmtree(folder, ignore_errors=True)
    with zipfile.ZipFile(package) as content:
        for entry in content.infolist():
            file = pathlib.Path(content.extract(entry, folder))
            file.chmod((entry.external_attr >> 16) & 0o777)


def main():
    folder = pathlib.Path(sys.argv[1])
    sums(folder)
    archive(folder)
    program(folder / "handler")
    print(f"{folder / 'released-package.zip'}: ok")
    if len(sys.argv) > 2:
        unpack(folder / "released-package.zip", pathlib.Path(sys.argv[2]))


main()

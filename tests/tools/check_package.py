"""Checks what package/build made, and unpacks it: python tests/tools/check_package.py PACKAGE_FOLDER [UNPACK_TO]

PACKAGE_FOLDER is where package/build wrote to; UNPACK_TO is emptied, and filled as Azure Functions would.
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

from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerNeedSection

# C library of the oldest image of Azure Functions that it must start on.
C_LIBRARY = (2, 17)
BESIDE = {"released-package.zip", "handler", "duo-sentinel.cdx.json", "THIRD-PARTY-LICENSES.txt"}


def sums(folder):
    """SHA256SUMS names everything, rightly."""
    lines = (folder / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    told = {name: digest for digest, name in (line.split("  ") for line in lines)}
    assert set(told) == BESIDE, sorted(told)
    for name, digest in told.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest, f"SHA256SUMS: {name}"


def archive(folder):
    """The package holds the program and the functions with the modes that the host needs, and nothing else."""
    functions = {str(file) for file in pathlib.Path(".").glob("*/function.json")}
    with zipfile.ZipFile(folder / "released-package.zip") as package:
        entries = {entry.filename: entry for entry in package.infolist()}
        assert set(entries) == {"handler", "host.json", *functions}, sorted(entries)
        for name, entry in entries.items():
            mode = entry.external_attr >> 16
            assert mode == (0o100755 if name == "handler" else 0o100644), f"{name}: {mode:o}"
            # Of another system than Unix (3) the modes would not count.
            assert entry.create_system == 3 and entry.date_time == (1980, 1, 1, 0, 0, 0), name
            source = folder / name if name == "handler" else pathlib.Path(name)
            assert package.read(name) == source.read_bytes(), f"{name} is not what it was made of"
    host = json.loads(pathlib.Path("host.json").read_text(encoding="utf-8"))
    assert host["customHandler"]["description"]["defaultExecutablePath"] == "handler"


def program(file):
    """It runs on 64-bit Intel Linux with an old C library, has no demo, and names no folder of the machine that built it."""
    with open(file, "rb") as binary:
        elf = ELFFile(binary)
        assert elf.get_machine_arch() == "x64" and elf.header.e_ident.EI_OSABI in ("ELFOSABI_SYSV", "ELFOSABI_LINUX")
        needed = [section for section in elf.iter_sections() if isinstance(section, GNUVerNeedSection)]
        versions = {version.name for section in needed for _, every in section.iter_versions() for version in every}
    found = [tuple(map(int, name[6:].split("."))) for name in versions if re.fullmatch(r"GLIBC_[\d.]+", name)]
    assert found and max(found) <= C_LIBRARY, f"needs the C library {max(found)}"
    content = file.read_bytes()
    for folder in {str(pathlib.Path.home()), os.getcwd()}:
        assert folder == "/" or f"{folder}/".encode() not in content, f"{file} names {folder}"
    version = tomllib.loads(pathlib.Path("Cargo.toml").read_text(encoding="utf-8"))["package"]["version"]
    told = subprocess.run([file, "--version"], check=True, capture_output=True, text=True).stdout
    assert told.split() == ["duo-sentinel", version], told
    commands = subprocess.run([file, "--help"], check=True, capture_output=True, text=True).stdout
    assert "serve" in commands and "demo" not in commands and "simulate" not in commands, commands


def bill_of_materials(folder):
    """It names the program as it is, and every crate that Cargo links, each with a licence in the list."""
    bill = json.loads((folder / "duo-sentinel.cdx.json").read_text(encoding="utf-8"))
    (digest,) = bill["metadata"]["component"]["hashes"]
    assert digest["content"] == hashlib.sha256((folder / "handler").read_bytes()).hexdigest()
    tools = {f"{each['name']}=={each['version']}" for each in bill["metadata"]["tools"]["components"] if each["name"] != "rustc"}
    wanted = pathlib.Path("package/requirements.in").read_text(encoding="utf-8").splitlines()
    assert tools == {re.sub(r"\[.*]", "", line) for line in wanted if "==" in line}, tools
    listed = {f"{each['name']} {each['version']}" for each in bill["components"]}
    assert len(listed) == len(bill["components"]) > 100
    required = {f"{each['name']} {each['version']}" for each in bill["components"] if each["scope"] == "required"}
    licences = (folder / "THIRD-PARTY-LICENSES.txt").read_text(encoding="utf-8")
    for name in required:
        if not name.startswith("rust-std "):
            assert f"\n{name}: " in licences, f"{name} has no licence in the list"
    # Crates that leave their mark in the program: messages of a panic name the file.
    traces = set(re.findall(rb"/crates/([a-z0-9_-]+)-(\d+\.\d+\.\d+[0-9a-z.+-]*)/", (folder / "handler").read_bytes()))
    assert len(traces) > 20, traces
    missing = {f"{name.decode()} {version.decode()}" for name, version in traces} - required
    assert not missing, f"in the program, not in the list: {missing}"
    # Those of the simulators and of the tests are not in it.
    for absent in ("duo-sentinel-simulator", "bolero", "rcgen", "tempfile", "openssl-sys"):
        assert not any(name.startswith(f"{absent} ") for name in listed), absent


def unpack(package, folder):
    """As Azure Functions does: every file with the mode that the package gives it."""
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
    bill_of_materials(folder)
    print(f"{folder / 'released-package.zip'}: holds what it must")
    if len(sys.argv) > 2:
        unpack(folder / "released-package.zip", pathlib.Path(sys.argv[2]))


main()

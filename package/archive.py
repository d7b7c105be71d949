"""Writes released-package.zip to a folder that contains the program as `handler`: python package/archive.py FOLDER

Equal content gives equal bytes: sorted names, no times, and no compression, because compressors differ between versions
and machines.
"""

import pathlib
import stat
import sys
import zipfile

# The files that func and VS Code would send, with the modes that the Functions host needs: `handler` must be executable,
# and all files readable by others.
EXECUTABLE, READABLE = 0o755, 0o644
# The earliest time of the format.
NO_TIME = (1980, 1, 1, 0, 0, 0)
UNIX = 3


def content(program, sources):
    """Name, mode and bytes of each file: the program, host.json, and function.json of every function."""
    yield "handler", EXECUTABLE, program.read_bytes()
    for file in [sources / "host.json", *sources.glob("*/function.json")]:
        # A clone on Windows may have other line endings.
        yield file.relative_to(sources).as_posix(), READABLE, file.read_bytes().replace(b"\r\n", b"\n")


def write(package, files):
    with zipfile.ZipFile(package, "w", zipfile.ZIP_STORED) as archive:
        for name, mode, data in sorted(files):
            entry = zipfile.ZipInfo(name, NO_TIME)
            entry.create_system = UNIX
            entry.external_attr = (stat.S_IFREG | mode) << 16
            archive.writestr(entry, data)


def main():
    folder = pathlib.Path(sys.argv[1])
    sources = pathlib.Path(__file__).resolve().parent.parent
    write(folder / "released-package.zip", content(folder / "handler", sources))


main()

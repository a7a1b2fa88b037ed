"""What is in an image: the files of its layers, as they lie on the disk of a container."""

import hashlib
import subprocess
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.containers.engine import DOCKER, docker

# The engine puts these into every container.
_OF_THE_ENGINE = {".dockerenv", "dev/console", "etc/hosts", "etc/hostname", "etc/resolv.conf", "etc/mtab"}


@dataclass(frozen=True)
class Entry:
    """A file, a link or a directory: what it is, who may do what with it, its time, and a digest of its content."""

    kind: bytes
    mode: int
    owner: tuple[int, int]
    changed_at: float
    content: str


def tree_of(image: str) -> dict[str, Entry]:
    """All of an image, by path."""
    container = docker("create", image).strip()
    try:
        with subprocess.Popen([DOCKER, "export", container], stdout=subprocess.PIPE) as exporting:
            assert exporting.stdout is not None
            with tarfile.open(fileobj=exporting.stdout, mode="r|") as archive:
                return {path: entry for path, entry in _entries(archive) if path not in _OF_THE_ENGINE}
    finally:
        docker("rm", container)


def _entries(archive: tarfile.TarFile) -> Iterator[tuple[str, Entry]]:
    for member in archive:
        file = archive.extractfile(member) if member.isreg() else None
        content = hashlib.sha256(file.read()).hexdigest() if file else member.linkname
        owner = (member.uid, member.gid)
        yield member.name, Entry(member.type, member.mode, owner, 0.0 if member.isdir() else member.mtime, content)


def layers_with(text: bytes, image: str, directory: Path) -> list[str]:
    """What has these bytes: files of all layers, also those that a later one hides, and notes about the image."""
    saved = directory / "saved.tar"
    docker("save", "-o", str(saved), image, seconds=300)
    found = []
    with tarfile.open(saved) as outer:
        for member in outer:
            file = outer.extractfile(member) if member.isreg() else None
            if file is None:
                continue
            if member.name.endswith((".json", "repositories", "VERSION")) or not _is_archive(file.read(512)):
                file.seek(0)
                found += [member.name] if text in file.read() else []
                continue
            file.seek(0)
            with tarfile.open(fileobj=file) as layer:
                for inner in layer:
                    content = layer.extractfile(inner) if inner.isreg() else None
                    if text in inner.name.encode() or (content and text in content.read()):
                        found.append(f"{member.name}:{inner.name}")
    saved.unlink()
    return found


def _is_archive(beginning: bytes) -> bool:
    return beginning[257:262] == b"ustar" or beginning[:2] == b"\x1f\x8b"

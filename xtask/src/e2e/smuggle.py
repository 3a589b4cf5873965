"""Writes archives into a folder that are made to harm whoever unpacks them."""

import io
import pathlib
import sys
import tarfile
import zipfile

FOLDER = pathlib.Path(sys.argv[1])
RELEASE = 'set = "shop"\ntag = "9"\n[contexts]\nbackend = "app"\n'
FILES = {"release.toml": RELEASE, "app/Dockerfile": "FROM scratch\n"}


def tar(name, *entries, files=FILES):
    with tarfile.open(FOLDER / f"{name}.tar.gz", "w:gz") as archive:
        for path, text in files.items():
            add(archive, path, text=text)
        for entry in entries:
            add(archive, **entry)


def add(archive, path, text="", kind=tarfile.REGTYPE, to=""):
    it = tarfile.TarInfo(path)
    it.type, it.linkname, it.size = kind, to, len(text)
    archive.addfile(it, io.BytesIO(text.encode()))


def zipped(name, *entries, files=FILES):
    path = FOLDER / f"{name}.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for inner, text in [*files.items(), *entries]:
            archive.writestr(inner, text)
    return path


def link(path, to):
    return {"path": path, "kind": tarfile.SYMTYPE, "to": to}


tar("absolute", {"path": "/etc/cron.d/a"})
tar("outside", {"path": "app/../../a"})
tar("twice", {"path": "app/Dockerfile", "text": "FROM other\n"})
tar("link-outside", link("app/a", "../../a"))
tar("link-absolute", link("app/a", "/etc/passwd"))
tar("below-link", link("app/a", "b"), {"path": "app/a/c"})
tar("hard-link", {"path": "app/a", "kind": tarfile.LNKTYPE, "to": "release.toml"})
tar("device", {"path": "app/a", "kind": tarfile.CHRTYPE})
tar("many", *({"path": f"app/{n}"} for n in range(20_001)))
tar("stranger", files={**FILES, "release.toml": RELEASE.replace("shop", "another")})
tar("broken", files={**FILES, "release.toml": 'set = "shop"\ntag 9\n'})
tar("two-streams")
with open(FOLDER / "two-streams.tar.gz", "ab") as second:
    second.write((FOLDER / "absolute.tar.gz").read_bytes())

zipped("dots", ("../a", ""))
zipped("backslash", ("app\\a", ""))
zipped("deep", ("app/" * 32 + "a", ""))
zipped("empty", files={"app/Dockerfile": "FROM scratch\n"})
mebibytes = "\0" * (64 << 20)
zipped("bomb", *((f"app/{n}", mebibytes) for n in range(33)))
hidden = zipped("hidden")
hidden.write_bytes(b"PK-hidden" + hidden.read_bytes())

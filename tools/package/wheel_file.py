"""A wheel of a tree of programs, by the binary distribution format of packaging.python.org: what is in bin becomes a script, all else lies
under the environment's own prefix."""
import base64
import hashlib
import zipfile


def names_in_wheel(tree, data):
    for file in sorted(path for path in tree.rglob("*") if path.is_file()):
        name = file.relative_to(tree).as_posix()
        yield file, f"{data}/scripts/{name.removeprefix('bin/')}" if name.startswith("bin/") else f"{data}/data/{name}"


def entry(name, content):
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    return f"{name},sha256={digest},{len(content)}\n"


def write_wheel(tree, into, package, version, platform, metadata):
    """Writes into/PACKAGE-VERSION-py3-none-PLATFORM.whl."""
    information, data = f"{package}-{version}.dist-info", f"{package}-{version}.data"
    texts = {f"{information}/METADATA": metadata, f"{information}/WHEEL": f"Wheel-Version: 1.0\nGenerator: sft-dist\nRoot-Is-Purelib: false\nTag: py3-none-{platform}\n"}
    record = ""
    with zipfile.ZipFile(into / f"{package}-{version}-py3-none-{platform}.whl", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as wheel:
        def add(name, content, mode):
            nonlocal record
            member = zipfile.ZipInfo(name)
            member.external_attr = (0o100000 | mode) << 16
            member.compress_type = zipfile.ZIP_DEFLATED
            wheel.writestr(member, content)
            record += entry(name, content)
        for file, name in names_in_wheel(tree, data):
            add(name, file.read_bytes(), file.stat().st_mode & 0o777)
        for name, text in texts.items():
            add(name, text.encode(), 0o644)
        wheel.writestr(f"{information}/RECORD", record + f"{information}/RECORD,,\n")

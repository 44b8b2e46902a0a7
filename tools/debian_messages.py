"""Messages of programs with their Chinese translations: the catalogues (.mo) that Debian's packages bring. Only the standard library is
needed, and apt where packages are fetched.
"""
import pathlib
import re
import struct
import subprocess
import tempfile

from debian_descriptions import apt_options, fail, package_lists, say

# With the most pairs a megabyte, 40 MB in all; their programs are never run.
PACKAGES = ["audacity-data", "binutils-common", "coreutils", "dpkg", "evolution-common", "gedit-common", "gettext", "gnome-control-center-data",
            "gnucash-common", "gnupg-l10n", "libglib2.0-data", "libgtk-3-common", "libreoffice-l10n-zh-cn", "nautilus-data", "synaptic", "tellico-data"]
LOCALE = pathlib.Path("/usr/share/locale/zh_CN/LC_MESSAGES")
HAN = re.compile("[\u3400-\u9fff]")
# %s, %d, %1$s, %-5.2f, %(name)s, {0}, %1 and the like: what a program fills in.
FILLED_IN = re.compile(r"%(?:\d+\$)?[-+#0 ]*(?:\d+|\*)?(?:\.(?:\d+|\*))?(?:hh|h|ll|l|z|j|t)?[diouxXeEfgGcsp@]|%\([^)]*\)[sd]|\{[^{}]*\}|%\d")


def catalogue(content):
    """[(message, translation)] of a .mo file, in its order; a message in a context without it, of plurals the first form."""
    for order in "<>":
        if len(content) >= 20 and struct.unpack_from(order + "I", content)[0] == 0x950412DE:
            break
    else:
        return []
    count, messages, translations = struct.unpack_from(order + "3I", content, 8)

    def texts(table):
        for i in range(count):
            size, begin = struct.unpack_from(order + "2I", content, table + 8 * i)
            yield content[begin:begin + size].decode("utf-8", "replace").split("\0")[0].split("\4")[-1]

    return list(zip(texts(messages), texts(translations)))


def without_keys(message, translation):
    """Both without what marks the key of a menu's entry: "_Open" and "打开(_O)", "Sa~ve" and "保存(~V)", "_OK" and "_确定"."""
    key = re.search(r"\s*[(（][_~&](\w)[)）]", translation)
    if key:
        return re.sub(f"[_~&](?={key[1]})", "", message, count=1, flags=re.I), translation.replace(key[0], "", 1)
    marks = [re.findall(r"(?<!\w)[_~](?=\w)", text) for text in (message, translation)]
    if len(marks[0]) == len(marks[1]) == 1:
        return message.replace(marks[0][0], "", 1), translation.replace(marks[1][0], "", 1)
    return message, translation


def filled_in(text):
    return sorted(FILLED_IN.findall(text.replace("%%", "")))


def clean(message, translation):
    """One line each, or None where they are no pair of English and Chinese."""
    pair = [re.sub(r"\s+", " ", text).strip() for text in without_keys(message, translation)]
    is_pair = re.search("[A-Za-z]{2}", pair[0]) and HAN.search(pair[1]) and not HAN.search(pair[0]) and "\ufffd" not in pair[0] + pair[1]
    return tuple(pair) if is_pair and filled_in(pair[0]) == filled_in(pair[1]) else None


def pairs_in(files):
    """[(English, Chinese)] of catalogues, each English text once, in the order of the files' names."""
    found = {}
    for path in sorted(files, key=lambda path: path.name):
        for message, translation in catalogue(path.read_bytes()):
            pair = clean(message, translation) if message else None
            if pair:
                found.setdefault(*pair)
    return list(found.items())


def installed_pairs():
    """Of what this machine has installed; none where it has no Chinese catalogues."""
    return pairs_in(LOCALE.glob("*.mo")) if LOCALE.is_dir() else []


def fetch_pairs():
    """Of PACKAGES."""
    say(f"fetching {len(PACKAGES)} Debian packages for their messages (40 MB)")
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        package_lists(folder)
        done = subprocess.run(["apt-get", "download", "-qq"] + apt_options(folder) + PACKAGES, cwd=folder, capture_output=True, text=True)
        found = sorted(folder.glob("*.deb"))
        if not found:
            fail(f"apt brought no package: {done.stderr.strip()[:400]}", "Bring pairs of your own instead; see docs/translation.md.")
        for package in found:
            files = subprocess.run(["dpkg-deb", "--fsys-tarfile", str(package)], capture_output=True, check=True).stdout
            subprocess.run(["tar", "-x", "-C", str(folder), "--wildcards", "*zh_CN*.mo"], input=files, capture_output=True)
        return pairs_in(folder.rglob("*.mo"))

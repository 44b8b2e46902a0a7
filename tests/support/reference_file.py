"""Committed files of what a reference library gives: a script writes its own, and every test run holds it against the library that is installed.

    SCRIPT FILE             writes it
    SCRIPT --check FILE     ends with a message where it is out of date
"""
import json
import sys


def near(a, b, absolute=0.0, relative=0.0):
    """Of dictionaries, lists and what they hold; fractions may differ by the two tolerances together."""
    if isinstance(a, dict):
        return isinstance(b, dict) and a.keys() == b.keys() and all(near(a[key], b[key], absolute, relative) for key in a)
    if isinstance(a, list):
        return isinstance(b, list) and len(a) == len(b) and all(near(x, y, absolute, relative) for x, y in zip(a, b))
    if isinstance(a, float) and isinstance(b, float):
        return a == b or abs(a - b) <= absolute + relative * abs(b)
    return a == b


def rows_text(cases):
    """A list, a case a line."""
    return "[" + ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases) + "]\n"


def keep(wanted, text, absolute=0.0, relative=0.0):
    """What the command line asks for, of a value and of the text that a file has it in."""
    path = sys.argv[-1]
    if sys.argv[1] != "--check":
        open(path, "w").write(text)
    elif not near(json.loads(json.dumps(wanted)), json.load(open(path)), absolute, relative):
        sys.exit(f"{path} is out of date")

#!/usr/bin/env python3
"""The manual page of a program whose --help says all: man_page.py PROGRAM > sft-dist.1"""
import re
import subprocess
import sys

PAGES = "the pages beside README.md in share/doc/sft-dist"


def output(*words):
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


def roff(text):
    """A line of roff that shows `text` as it is."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-").replace("`", "\\(ga").replace("'", "\\(aq")
    return "\\&" + escaped if escaped.startswith(".") else escaped


def verbatim(text):
    return "\n".join([".nf", *(roff(line) for line in text.strip("\n").split("\n")), ".fi"])


def entries(lines):
    """`name TYPE   meaning` of CLI11's lists as tagged paragraphs; a long name has its meaning below it."""
    for line in lines:
        if found := re.match(r"  (\S.*?)(?: {2,}(\S.*))?$", line):
            yield f".TP\n.B {roff(found[1])}"
            if found[2]:
                yield roff(found[2])
        elif line.strip():
            yield roff(line.strip())


def command(program, name):
    """A command's summary, arguments and options, and its examples."""
    told = output(program, name, "--help")
    summary, rest = told.split("\nUsage: ", 1)
    usage, rest = rest.split("\n", 1)
    lists, _, examples = rest.partition("Examples:\n")
    lines = [line for line in lists.split("\n") if line.startswith(" ") and not re.match(r"  (-h,--help|--help-all) ", line)]
    return [f".SS {roff(name)}", roff(" ".join(summary.split())), ".PP", f".B {roff(usage)}", *entries(lines), ".PP", verbatim(examples)]


def main():
    program = sys.argv[1]
    told = output(program, "--help")
    introduction, rest = told.split("\nUsage: ", 1)
    what, examples = introduction.split("\n\n", 1)
    names = re.findall(r"^  ([a-z][a-z-]*)  ", rest.split("\nSubcommands:\n", 1)[1], re.M)
    codes = told.split("\nExit codes: ", 1)[1].strip().rstrip(".")
    version = re.search(r"\d+\.\d+\.\d+", output(program, "--version"))[0]
    page = [f'.TH SFT\\-DIST 1 "" "sft\\-dist {version}"', ".SH NAME", "sft\\-dist \\- distributed supervised fine\\-tuning", ".SH SYNOPSIS", "[\\fBmpirun \\-np\\fR \\fIN\\fR]",
            "\\fBsft\\-dist\\fR \\fICOMMAND\\fR [\\fIOPTIONS\\fR] [\\fIkey\\fR=\\fIvalue\\fR ...]", ".SH DESCRIPTION", roff(" ".join(what.split())), ".PP", verbatim(examples), ".SH COMMANDS"]
    for name in names:
        page += command(program, name)
    page.append(".SH EXIT STATUS")
    for code in re.split(r",\s+(?=\d)", codes):
        number, meaning = code.split(None, 1)
        page += [f".TP\n.B {number}", roff(" ".join(meaning.split()))]
    page += [".SH SEE ALSO", roff(f"sft-dist help keys: every key of a config; {PAGES}.")]
    print("\n".join(page))


if __name__ == "__main__":
    main()

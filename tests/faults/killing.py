"""A program that is ended at the Nth change of files under a directory (programs/kill_at.c)."""
import os
import subprocess


class Killing:
    def __init__(self, library, under, rank=None):
        self.settings = {"LD_PRELOAD": str(library), "KILL_UNDER": str(under), **({"KILL_RANK": str(rank)} if rank is not None else {})}

    def run(self, command, **settings):
        environment = {**os.environ, **self.settings, **{name: str(value) for name, value in settings.items()}}
        # A program under the address sanitizer refuses to have anything loaded before the sanitizer's library.
        environment["ASAN_OPTIONS"] = os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"
        return subprocess.run([str(word) for word in command], env=environment, capture_output=True, text=True, timeout=300)

    def changes(self, command, listing):
        """What the command changes, in order: "write", "rename", …; it must end well."""
        done = self.run(command, KILL_LIST=listing)
        if done.returncode != 0:
            raise RuntimeError(f"{command} ends with {done.returncode}: {done.stderr}")
        return [line.split()[1] for line in listing.read_text().splitlines()]


def points(changes, at_most):
    """(number, how) of every change: before it, after it, and half of what is written; of many, so many of all, evenly."""
    every = [(number, how) for number, change in enumerate(changes, 1) for how in (("before", "half", "after") if change == "write" else ("before", "after"))]
    if at_most is None or len(every) <= at_most:
        return every
    return [every[i * len(every) // at_most] for i in range(at_most)]

"""Each wrong edit finds the text that it replaces, once: `make mutations`, which takes hours, never stops at the first."""
import pathlib
import sys

from mutations import MUTATIONS

ROOT = pathlib.Path(__file__).parents[2]

lost = [f"{m.name}: {m.file} no longer holds, once: {m.right}" for m in MUTATIONS
        if (ROOT / m.file).read_text().count(m.right) != 1]
print("\n".join(lost) or f"{len(MUTATIONS)} wrong edits apply")
sys.exit(1 if lost else 0)

"""The report as it is seen in a browser: wide and narrow, by day and by night."""
import pathlib
import sys

from browser import PROGRAM, Browser
from harness import EndToEnd

if PROGRAM is None:
    print("skipped: no Chromium here", file=sys.stderr)
    sys.exit(77)

# What reaches beyond the window, and in nothing that scrolls by itself.
BEYOND = """(() => {
  const scrolls = element => { for (; element; element = element.parentElement) if (/auto|scroll|hidden/.test(getComputedStyle(element).overflowX)) return true; };
  return [...document.querySelectorAll("main *")].filter(element => element.getClientRects().length && element.getBoundingClientRect().right > innerWidth + 1 && !scrolls(element.parentElement))
    .map(element => element.tagName + "." + element.className);
})()"""

# Texts with less than WCAG's contrast (https://www.w3.org/TR/WCAG21/#contrast-minimum) on the nearest plain ground below them.
FAINT = """(() => {
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const rgba = colour => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); return [...canvas.getImageData(0, 0, 1, 1).data]; };
  const light = ([r, g, b]) => { const f = v => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; return 0.2126 * f(r) + 0.7152 * f(g) + 0.0722 * f(b); };
  const ground = element => {
    for (; element; element = element.parentElement) {
      const style = getComputedStyle(element), colour = rgba(style.backgroundColor);
      if (style.backgroundImage !== "none") return null;
      if (colour[3] === 255) return colour;
      if (colour[3] > 0) return null;
    }
    return rgba(getComputedStyle(document.body).backgroundColor);
  };
  const faint = [], walker = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement, style = getComputedStyle(element), below = ground(element);
    if (!node.textContent.trim() || !element.getClientRects().length || !below || /SCRIPT|STYLE/.test(element.tagName)) continue;
    const [a, b] = [light(rgba(style.color)), light(below)], ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && parseInt(style.fontWeight) >= 700);
    if (ratio < (large ? 3 : 4.5)) faint.push([node.textContent.trim().slice(0, 40), element.tagName + "." + element.className, ratio.toFixed(2)]);
  }
  return faint;
})()"""

# Neighbouring numbers of an axis that lie over one another.
CROWDED = """[...document.querySelectorAll(".chart")].flatMap(chart => ["x", "y"].flatMap(axis => {
  const boxes = [...chart.querySelectorAll("span." + axis)].map(label => label.getBoundingClientRect());
  return boxes.flatMap((a, i) => boxes.slice(i + 1).filter(b => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom).map(() => chart.innerText.slice(0, 60)));
}))"""

# Of each chart the line that is drawn over the others.
LINES = """[...document.querySelectorAll(".chart svg")].map(svg => [...svg.querySelectorAll("path.line:not(.faint)")].at(-1)).filter(Boolean).map(line => {
  const box = line.getBoundingClientRect();
  return {left: box.left + scrollX, top: box.top + scrollY, right: box.right + scrollX, bottom: box.bottom + scrollY, colour: getComputedStyle(line).stroke.match(/\\d+/g).map(Number)};
})"""


class PageLook(EndToEnd):
    def test_a_report_is_whole_at_two_widths_by_day_and_by_night(self):
        import numpy as np

        self.succeed(self.config(train={"num_train_epochs": 6}), ranks=2)
        page = pathlib.Path(self.run_dir() / "report.html").resolve()
        with Browser() as browser:
            for width in (1280, 390):
                grounds = {}
                for scheme in ("light", "dark"):
                    with self.subTest(width=width, scheme=scheme):
                        browser.look(page, width, scheme)
                        self.assertEqual(browser.value("innerWidth"), width)
                        self.assertLessEqual(browser.value("document.documentElement.scrollWidth"), width)
                        self.assertEqual(browser.value(BEYOND), [])
                        self.assertEqual(browser.value(FAINT), [])
                        self.assertEqual(browser.value(CROWDED), [])
                        picture, lines = browser.picture(), browser.value(LINES)
                        grounds[scheme] = np.median(picture.reshape(-1, 3), axis=0)
                        self.assertGreaterEqual(len(lines), 3)
                        for line in lines:
                            self.assert_drawn(picture, line)
                self.assertGreater(grounds["light"].min(), 220)
                self.assertLess(grounds["dark"].max(), 60)

    def assert_drawn(self, picture, line):
        """The line's colour is where the line is: in most columns of its box."""
        import numpy as np

        part = picture[int(line["top"]) - 2:int(line["bottom"]) + 3, int(line["left"]):int(line["right"]) + 1]
        near = (np.abs(part - np.array(line["colour"][:3])).max(axis=2) < 90).any(axis=0)
        self.assertGreater(near.mean(), 0.8, line)

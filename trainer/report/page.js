// Conveniences; the page is whole without them.
"use strict";

// The value of each line under the pointer.
for (const figure of document.querySelectorAll(".chart")) {
  const {x, lines} = JSON.parse(figure.querySelector("script").textContent);
  const plot = figure.querySelector(".plot");
  const cursor = plot.appendChild(document.createElement("div")), tip = plot.appendChild(document.createElement("div"));
  cursor.className = "cursor";
  tip.className = "tip";
  const hide = () => { cursor.hidden = tip.hidden = true; };
  hide();
  const nearest = (points, step) => {
    let low = 0, high = points.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (points[middle][0] < step) low = middle + 1; else high = middle;
    }
    return low > 0 && step - points[low - 1][0] < points[low][0] - step ? points[low - 1] : points[low];
  };
  plot.addEventListener("pointermove", event => {
    const box = plot.getBoundingClientRect(), share = (event.clientX - box.left) / box.width;
    if (share < -0.02 || share > 1.02) return hide();
    const wanted = x[0] + share * (x[1] - x[0]);
    const most = Math.max(...lines.map(line => line.points.length));
    const step = nearest(lines.find(line => line.points.length === most).points, wanted)[0];
    tip.replaceChildren(Object.assign(document.createElement("div"), {textContent: "step " + step.toLocaleString("en")}));
    for (const line of lines.slice(0, 14)) {
      const [at, text] = nearest(line.points, wanted);
      const row = tip.appendChild(document.createElement("div"));
      row.appendChild(document.createElement("i")).className = line.color;
      row.append((line.name ? line.name + " " : lines.length > 1 ? "window " : "") + text + (at === step ? "" : " (step " + at + ")"));
    }
    cursor.hidden = tip.hidden = false;
    const place = (step - x[0]) / (x[1] - x[0]);
    cursor.style.left = 100 * place + "%";
    tip.style.left = place < 0.5 ? `calc(${100 * place}% + 10px)` : "";
    tip.style.right = place < 0.5 ? "" : `calc(${100 - 100 * place}% + 10px)`;
  });
  plot.addEventListener("pointerleave", hide);
}

// A click on a heading sorts; a second one turns the order.
const numberOf = text => { const n = parseFloat(text.replace(/,/g, "")); return Number.isNaN(n) ? null : n; };
for (const table of document.querySelectorAll(".sortable"))
  for (const [column, head] of [...table.tHead.rows[0].cells].entries()) {
    head.tabIndex = 0;
    const sort = () => {
      const down = head.getAttribute("aria-sort") ? head.getAttribute("aria-sort") === "ascending" : head.classList.contains("n");
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const key = row => row.cells[column].textContent;
      const rows = [...table.tBodies[0].rows].sort((a, b) => {
        const m = numberOf(key(a)), n = numberOf(key(b));
        if (m === null || n === null) return m !== n ? (m === null) - (n === null) : key(a).localeCompare(key(b)) * (down ? -1 : 1);
        return (m - n) * (down ? -1 : 1);
      });
      table.tBodies[0].append(...rows);
    };
    head.addEventListener("click", sort);
    head.addEventListener("keydown", event => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); sort(); } });
  }

// Names the pair under the pointer in a matrix of many classes.
for (const figure of document.querySelectorAll(".drawn")) {
  const {labels, truths, cells} = JSON.parse(figure.querySelector("script").textContent);
  const counts = new Map(cells.map(([i, j, count]) => [i * labels.length + j, count]));
  const svg = figure.querySelector("svg"), output = figure.querySelector("output");
  svg.addEventListener("pointermove", event => {
    const box = svg.getBoundingClientRect(), n = labels.length;
    const at = (offset, size) => Math.max(0, Math.min(n - 1, Math.floor(offset / size * n)));
    const i = at(event.clientY - box.top, box.height), j = at(event.clientX - box.left, box.width);
    output.textContent = `${labels[i]} → ${labels[j]}: ${counts.get(i * n + j) || 0} of ${truths[i]}`;
  });
  svg.addEventListener("pointerleave", () => { output.textContent = ""; });
}

"use strict";
(() => {
  const SVG = "http://www.w3.org/2000/svg";
  document.documentElement.classList.add("scripted");

  // Tables: a heading sorts by its column, and once more the other way; numbers start with the largest.
  const valueOf = (row, column) => {
    const cell = row.cells[column];
    return "value" in cell.dataset ? Number(cell.dataset.value) : cell.textContent.trim();
  };
  const compare = (a, b) => typeof a === "string" ? a.localeCompare(b, "en", { numeric: true }) : a - b;
  const sort = (table, heading, column) => {
    const body = table.tBodies[0];
    const rows = Array.from(body.rows, (row) => ({ row, value: valueOf(row, column) }));
    const before = heading.getAttribute("aria-sort");
    const numbers = rows.some(({ value }) => typeof value === "number");
    const falling = before === null ? numbers : before === "ascending";
    // What has no number comes last, whichever way.
    const missing = ({ value }) => Number(Number.isNaN(value));
    rows.sort((a, b) => missing(a) - missing(b) || (falling ? compare(b.value, a.value) : compare(a.value, b.value)) || 0);
    body.append(...rows.map(({ row }) => row));
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", falling ? "descending" : "ascending");
  };
  for (const table of document.querySelectorAll("table.sortable")) {
    Array.from(table.tHead.rows[0].cells).forEach((heading, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = heading.textContent;
      button.addEventListener("click", () => sort(table, heading, column));
      heading.replaceChildren(button);
    });
  }

  // On paper nothing can be opened.
  addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((part) => { part.open = true; }));

  // Charts: a line at the epoch that is pointed at, a dot on each curve, and their values below.
  const element = (svg, name, className) => {
    const made = document.createElementNS(SVG, name);
    made.setAttribute("class", className);
    svg.append(made);
    return made;
  };
  const follow = (figure) => {
    const svg = figure.querySelector("svg");
    const readout = figure.querySelector(".readout");
    const values = JSON.parse(figure.querySelector("script").textContent);
    if (!values.x.length) return;
    let cross = null, dots = [], at = values.x.length - 1;
    const clear = () => {
      if (cross) [cross, ...dots].forEach((mark) => mark.remove());
      cross = null;
      readout.textContent = "";
    };
    const show = (position) => {
      at = Math.min(Math.max(position, 0), values.x.length - 1);
      if (!cross) {
        cross = element(svg, "line", "cross");
        cross.setAttribute("y1", values.span[0]);
        cross.setAttribute("y2", values.span[1]);
        dots = values.lines.map(() => element(svg, "circle", "dot"));
      }
      cross.setAttribute("x1", values.x[at]);
      cross.setAttribute("x2", values.x[at]);
      values.lines.forEach((line, number) => {
        const y = line.y[at];
        const seen = y !== null && y >= values.span[0] - 1 && y <= values.span[1] + 1;
        dots[number].setAttribute("r", seen ? 3 : 0);
        dots[number].setAttribute("cx", values.x[at]);
        dots[number].setAttribute("cy", seen ? y : 0);
      });
      const texts = values.lines.map((line) => `${line.name} ${line.text[at]}`);
      readout.textContent = `epoch ${values.epoch[at]}: ${texts.join(", ")}`;
    };
    const nearest = (event) => {
      const box = svg.getBoundingClientRect();
      const x = (event.clientX - box.left) / box.width * svg.viewBox.baseVal.width;
      let best = 0;
      values.x.forEach((place, position) => {
        if (Math.abs(place - x) < Math.abs(values.x[best] - x)) best = position;
      });
      show(best);
    };
    svg.addEventListener("pointermove", nearest);
    svg.addEventListener("pointerdown", nearest);
    figure.addEventListener("pointerleave", (event) => { if (event.pointerType === "mouse") clear(); });
    figure.addEventListener("focusin", () => { if (!cross) show(at); });
    figure.addEventListener("focusout", clear);
    const steps = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -Infinity, End: Infinity };
    figure.addEventListener("keydown", (event) => {
      if (!(event.key in steps)) return;
      event.preventDefault();
      show(at + steps[event.key]);
    });
  };
  document.querySelectorAll("figure[data-values]").forEach(follow);
})();

// The network of the page, the image that it gets from a drawing, and the drawing. A drawing is a list of strokes, a
// stroke a list of points [x, y], from 0 to 1 rightwards and downwards over the sheet.
//
// window.fastmlpPanel, for who wants to drive the page from outside:
//   draw(strokes)     show this drawing, and its result
//   clear()           show none
//   result()          {pixels, probabilities} of what is shown, row by row and class by class; null where nothing is
//   classify(pixels)  the probabilities of an image, whose pixels are from 0, paper, to 1, ink
(() => {
  "use strict";

  const element = (id) => document.getElementById(`fastmlp-${id}`);
  const { height, width, box, gain, shift, names, widths, activations, output, numbers } = JSON.parse(
    element("network").textContent,
  );

  // ------------------------------------------------------------------------------------------------- the network

  const sigmoid = (z) => 1 / (1 + Math.exp(-z));
  const ACTIVATE = {
    relu: (z) => Math.max(z, 0),
    tanh: Math.tanh,
    sigmoid,
    identity: (z) => z,
    leaky_relu: (z) => (z > 0 ? z : 0.01 * z),
    elu: (z) => (z > 0 ? z : Math.expm1(z)),
    softplus: (z) => Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z))),
  };
  const OUTPUT = {
    softmax(Z) {
      const top = Z.reduce((a, b) => Math.max(a, b));
      const raised = Z.map((z) => Math.exp(z - top));
      const total = raised.reduce((a, b) => a + b);
      return raised.map((r) => r / total);
    },
    sigmoid: (Z) => Z.map(sigmoid),
    exp: (Z) => Z.map((z) => Math.min(Math.exp(z), 1)),
    clip: (Z) => Z.map((z) => Math.min(Math.max(z, 0), 1)),
  };

  // W (fan_in, fan_out), row by row, then b (fan_out,), layer after layer: little-endian float32.
  function decode(base64) {
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    const view = new DataView(bytes.buffer);
    return Float64Array.from({ length: bytes.length / 4 }, (_, k) => view.getFloat32(4 * k, true));
  }

  const parameters = decode(numbers);

  function classify(pixels) {
    if (pixels.length !== height * width) {
      throw new RangeError(`${pixels.length} pixels; expected ${height} times ${width}`);
    }
    const own = (values, k) => values[values.length > 1 ? k : 0];
    let A = Float64Array.from(pixels, (ink, k) => ink * own(gain, k) + own(shift, k));
    let start = 0;
    activations.forEach((activation, layer) => {
      const fanIn = widths[layer];
      const fanOut = widths[layer + 1];
      const bias = start + fanIn * fanOut;
      const Z = parameters.slice(bias, bias + fanOut);
      for (let i = 0; i < fanIn; i++) {
        if (A[i] !== 0) {
          for (let j = 0; j < fanOut; j++) Z[j] += A[i] * parameters[start + i * fanOut + j];
        }
      }
      A = Z.map(ACTIVATE[activation]);
      start = bias + fanOut;
    });
    return Array.from(OUTPUT[output](A));
  }

  // ------------------------------------------------------------------------------------------------- the image
  // As MNIST was made: what is drawn is fitted into a box, 20 of the 28 pixels a side, keeping its proportions, and moved
  // by whole pixels until its centre of mass is in the middle (Y. LeCun, C. Cortes, C. Burges, "The MNIST database of
  // handwritten digits"). In the data that is pixel 14 of 0 to 27, to the nearest. Two things are done otherwise: nothing
  // is moved out of the image, and the pen keeps its width in the image, however small or large one draws.

  const PEN = Math.max(1, Math.min(...box) / 7); // pixels; MNIST's strokes are 2 to 4 wide
  const SHEET_PEN = 0.07; // of the sheet's width
  const GRAIN = 8; // a pixel's value is the share of its GRAIN x GRAIN points that are covered with ink

  // The strokes in pixels, fitted into a box whose corner is (0, 0).
  function fitted(strokes) {
    const ends = [1, 0].map((axis) => {
      const values = strokes.flat().map((point) => point[axis]);
      return [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))];
    });
    // What is no larger than the pen stays a dot.
    const scale = Math.min(...ends.map(([low, high], k) => (box[k] - PEN) / Math.max(high - low, SHEET_PEN)));
    const place = ([x, y]) => [(x - ends[1][0]) * scale + PEN / 2, (y - ends[0][0]) * scale + PEN / 2];
    return strokes.map((stroke) => stroke.map(place));
  }

  // Mark the points that a pen covers on its way from p to q.
  function cover(points, [px, py], [qx, qy]) {
    const reach = PEN / 2;
    const [dx, dy] = [qx - px, qy - py];
    const square = dx * dx + dy * dy;
    const first = (a, b) => Math.max(0, Math.floor((Math.min(a, b) - reach) * GRAIN));
    const end = (a, b, size) => Math.min(size * GRAIN, Math.ceil((Math.max(a, b) + reach) * GRAIN));
    for (let row = first(py, qy); row < end(py, qy, height); row++) {
      for (let column = first(px, qx); column < end(px, qx, width); column++) {
        const [x, y] = [(column + 0.5) / GRAIN - px, (row + 0.5) / GRAIN - py];
        const along = square && Math.min(1, Math.max(0, (x * dx + y * dy) / square));
        if ((x - along * dx) ** 2 + (y - along * dy) ** 2 <= reach * reach) points[row * width * GRAIN + column] = 1;
      }
    }
  }

  function rasterised(strokes) {
    const points = new Uint8Array(height * width * GRAIN * GRAIN);
    for (const stroke of strokes) {
      stroke.forEach((point, k) => cover(points, stroke[Math.max(0, k - 1)], point));
    }
    const pixels = new Array(height * width).fill(0);
    points.forEach((covered, k) => {
      const [row, column] = [Math.floor(k / (width * GRAIN)), k % (width * GRAIN)];
      pixels[Math.floor(row / GRAIN) * width + Math.floor(column / GRAIN)] += covered / (GRAIN * GRAIN);
    });
    return pixels;
  }

  // By how much to move, along one side, ink whose amounts are `profile`.
  function move(profile) {
    const mass = profile.reduce((a, b) => a + b);
    const middle = profile.reduce((sum, value, k) => sum + value * k, 0) / mass;
    const first = profile.findIndex((value) => value > 0);
    const last = profile.findLastIndex((value) => value > 0);
    const wanted = Math.round(Math.floor(profile.length / 2) - middle);
    return Math.max(-first, Math.min(profile.length - 1 - last, wanted));
  }

  function centred(pixels) {
    const [down, right] = [new Array(height).fill(0), new Array(width).fill(0)];
    pixels.forEach((value, k) => {
      down[Math.floor(k / width)] += value;
      right[k % width] += value;
    });
    const [dy, dx] = [move(down), move(right)];
    const moved = new Array(height * width).fill(0);
    pixels.forEach((value, k) => {
      if (value > 0) moved[k + dy * width + dx] = value;
    });
    return moved;
  }

  // ------------------------------------------------------------------------------------------------- what is shown

  const [sheet, view, answer, bars] = ["sheet", "view", "answer", "bars"].map(element);
  const MOST_BARS = 10;
  let drawing = [];
  let shown = null;

  const rows = names.slice(0, MOST_BARS).map(() => {
    const row = document.createElement("li");
    const [name, track, fill, share] = ["name", "track", "fill", "share"].map((part) => {
      const span = document.createElement("span");
      span.className = `fastmlp-${part}`;
      return span;
    });
    track.append(fill);
    row.append(name, track, share);
    bars.append(row);
    return { row, name, fill, share };
  });

  function paintSheet() {
    const pen = sheet.getContext("2d");
    pen.clearRect(0, 0, sheet.width, sheet.height);
    pen.strokeStyle = getComputedStyle(sheet).color;
    pen.lineWidth = SHEET_PEN * sheet.width;
    pen.lineCap = pen.lineJoin = "round";
    for (const stroke of drawing) {
      pen.beginPath();
      // From the first point to itself too, or a dot would not be painted.
      for (const [x, y] of [stroke[0], ...stroke]) pen.lineTo(x * sheet.width, y * sheet.height);
      pen.stroke();
    }
  }

  function paintView(pixels) {
    const pen = view.getContext("2d");
    pen.clearRect(0, 0, width, height);
    pen.fillStyle = getComputedStyle(view).color;
    pixels.forEach((value, k) => {
      pen.globalAlpha = value;
      pen.fillRect(k % width, Math.floor(k / width), 1, 1);
    });
  }

  // The classes in their order, or the most probable ones where there are more than fit.
  function listed(probabilities) {
    const classes = names.map((_, k) => k);
    if (names.length > MOST_BARS) classes.sort((a, b) => probabilities[b] - probabilities[a]);
    return classes.slice(0, MOST_BARS);
  }

  function tell(probabilities) {
    const best = probabilities ? probabilities.indexOf(Math.max(...probabilities)) : -1;
    const text = best < 0 ? "" : names[best];
    // Said anew only when it is another answer.
    if (answer.textContent !== text) answer.textContent = text;
    answer.classList.toggle("fastmlp-long", text.length > 2);
    listed(probabilities || names.map(() => 0)).forEach((k, place) => {
      const { row, name, fill, share } = rows[place];
      const percent = probabilities ? `${(100 * probabilities[k]).toFixed(1)}%` : "";
      row.classList.toggle("fastmlp-best", k === best);
      row.hidden = !probabilities && names.length > MOST_BARS;
      name.textContent = names[k];
      fill.style.width = percent || "0";
      share.textContent = percent;
    });
  }

  function show() {
    const pixels = drawing.length ? centred(rasterised(fitted(drawing))) : [];
    shown = drawing.length ? { pixels, probabilities: classify(pixels) } : null;
    paintSheet();
    paintView(pixels);
    tell(shown && shown.probabilities);
    return shown;
  }

  function draw(strokes) {
    drawing = strokes.filter((stroke) => stroke.length).map((stroke) => stroke.map(([x, y]) => [x, y]));
    return show();
  }

  // ------------------------------------------------------------------------------------------------- the drawing

  let stroke = null; // the one that is being drawn

  function extend(event) {
    const frame = sheet.getBoundingClientRect();
    const within = (value, size) => Math.min(1, Math.max(0, value / size));
    // A fast pen reports several places at once.
    const steps = event.getCoalescedEvents ? event.getCoalescedEvents() : [];
    for (const { clientX, clientY } of steps.length ? steps : [event]) {
      stroke.push([within(clientX - frame.left, frame.width), within(clientY - frame.top, frame.height)]);
    }
    show();
  }

  sheet.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !event.isPrimary) return;
    sheet.setPointerCapture(event.pointerId);
    stroke = [];
    drawing.push(stroke);
    extend(event);
  });
  sheet.addEventListener("pointermove", (event) => {
    if (stroke && event.isPrimary) extend(event);
  });
  for (const type of ["pointerup", "pointercancel"]) {
    sheet.addEventListener(type, (event) => {
      if (event.isPrimary) stroke = null;
    });
  }

  function clear() {
    stroke = null;
    draw([]);
  }

  sheet.addEventListener("keydown", (event) => {
    if (event.key === "Escape") clear();
  });
  element("clear").addEventListener("click", clear);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show);
  show();
  window.fastmlpPanel = Object.freeze({ draw, clear, result: () => shown, classify });
})();

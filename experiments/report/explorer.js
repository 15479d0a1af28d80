"use strict";
// Draws certified paths: each step of a slider is a solution that was certified before; nothing is solved here.
(() => {
  const SVG = "http://www.w3.org/2000/svg";
  const WIDTH = 400, HEIGHT = 300;
  const MARGIN = { left: 46, right: 10, top: 8, bottom: 34 };
  const BLUE = "#0072B2", RED = "#D55E00", GREY = "#8a8f96", INK = "#1b1b1b";
  const SEQUENTIAL = [[68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [253, 231, 37]];
  const DIVERGING = [[33, 102, 172], [146, 197, 222], [247, 247, 247], [244, 165, 130], [178, 24, 43]];

  const element = (parent, name, attributes, text) => {
    const node = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    if (text !== undefined) node.textContent = text;
    parent.appendChild(node);
    return node;
  };

  const scale = (from, to) => {
    const [a, b] = from, [c, d] = to;
    return (value) => c + ((value - a) / (b - a)) * (d - c);
  };

  const extent = (values, margin) => {
    const low = Math.min(...values), high = Math.max(...values);
    const extra = (high - low || 1) * margin;
    return [low - extra, high + extra];
  };

  const ticks = ([low, high]) => {
    const raw = (high - low) / 4;
    const power = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= raw);
    const found = [];
    for (let i = Math.ceil(low / step); i * step <= high; i += 1) found.push(Number((i * step).toPrecision(12)));
    return found;
  };

  const short = (value) => {
    if (value === 0) return "0";
    const size = Math.abs(value);
    return size >= 1e5 || size < 1e-3 ? value.toExponential(1).replace("e+", "e") : String(Number(value.toPrecision(6)));
  };

  const colour = (stops, share) => {
    const place = Math.min(Math.max(share, 0), 1) * (stops.length - 1);
    const index = Math.min(Math.floor(place), stops.length - 2), rest = place - index;
    return stops[index].map((channel, i) => Math.round(channel + rest * (stops[index + 1][i] - channel)));
  };

  // A plot with axes; `clear` empties what was drawn inside.
  const plot = (holder, caption, horizontal, vertical, labels, logarithmic) => {
    const box = document.createElement("div");
    const text = document.createElement("p");
    text.textContent = caption;
    const stage = document.createElement("div");
    stage.className = "stage";
    const canvas = document.createElement("canvas");
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", caption);
    canvas.style.left = `${(100 * MARGIN.left) / WIDTH}%`;
    canvas.style.top = `${(100 * MARGIN.top) / HEIGHT}%`;
    canvas.style.width = `${(100 * (WIDTH - MARGIN.left - MARGIN.right)) / WIDTH}%`;
    canvas.style.height = `${(100 * (HEIGHT - MARGIN.top - MARGIN.bottom)) / HEIGHT}%`;
    stage.append(canvas, svg);
    box.append(text, stage);
    holder.appendChild(box);
    const x = scale(horizontal, [MARGIN.left, WIDTH - MARGIN.right]);
    const y = scale(vertical, [HEIGHT - MARGIN.bottom, MARGIN.top]);
    const frame = element(svg, "g", { stroke: GREY, "stroke-width": 0.7, "font-size": 10, fill: INK });
    element(frame, "path", { d: `M${MARGIN.left},${MARGIN.top}V${HEIGHT - MARGIN.bottom}H${WIDTH - MARGIN.right}`, fill: "none" });
    for (const value of ticks(horizontal)) {
      const shown = logarithmic ? `1e${value}` : short(value);
      if (logarithmic && !Number.isInteger(value)) continue;
      element(frame, "path", { d: `M${x(value)},${HEIGHT - MARGIN.bottom}v4` });
      element(frame, "text", { x: x(value), y: HEIGHT - MARGIN.bottom + 14, "text-anchor": "middle", stroke: "none" }, shown);
    }
    for (const value of ticks(vertical)) {
      element(frame, "path", { d: `M${MARGIN.left},${y(value)}h-4` });
      element(frame, "text", { x: MARGIN.left - 6, y: y(value) + 3, "text-anchor": "end", stroke: "none" }, short(value));
    }
    element(frame, "text", { x: (MARGIN.left + WIDTH - MARGIN.right) / 2, y: HEIGHT - 4, "text-anchor": "middle", stroke: "none" }, labels[0]);
    const middle = (MARGIN.top + HEIGHT - MARGIN.bottom) / 2;
    element(frame, "text", { x: 10, y: middle, "text-anchor": "middle", stroke: "none", transform: `rotate(-90 10 ${middle})` }, labels[1]);
    const inside = element(svg, "g", {});
    return { x, y, horizontal, vertical, canvas, inside, clear: () => inside.replaceChildren() };
  };

  const paint = (view, columns, rows, stops, value) => {
    view.canvas.width = columns;
    view.canvas.height = rows;
    const context = view.canvas.getContext("2d");
    const image = context.createImageData(columns, rows);
    for (let row = 0; row < rows; row += 1) {
      const v = view.vertical[1] - ((row + 0.5) / rows) * (view.vertical[1] - view.vertical[0]);
      for (let column = 0; column < columns; column += 1) {
        const u = view.horizontal[0] + ((column + 0.5) / columns) * (view.horizontal[1] - view.horizontal[0]);
        image.data.set([...colour(stops, value(u, v)), 255], 4 * (row * columns + column));
      }
    }
    context.putImageData(image, 0, 0);
  };

  const evaluate = (step, point) => {
    let value = step.polynomial[0];
    point.forEach((coordinate, i) => { value += step.polynomial[i + 1] * coordinate; });
    step.weights.forEach((weight, k) => {
      let inner = -step.biases[k];
      point.forEach((coordinate, i) => { inner += weight[i] * coordinate; });
      if (inner > 0) value += step.coefficients[k] * inner;
    });
    return value;
  };

  // p_z(w, b) / λ.
  const profile = (path, step, weight, bias) => {
    let sum = 0;
    path.points.forEach((point, n) => {
      let inner = -bias;
      point.forEach((coordinate, i) => { inner += weight[i] * coordinate; });
      if (inner > 0) sum += step.dual[n] * inner;
    });
    return sum;
  };

  const line = (holder, path) => {
    const xs = path.points.map((point) => point[0]);
    const range = extent(xs, 0.03);
    const fit = plot(holder, "The network and its knots", range, extent(path.targets, 0.08), [path.inputs[0], path.target]);
    const dual = plot(holder, "Its proof: a profile within ±1, which knots touch", range, [-1.25, 1.25], [path.inputs[0], "profile / λ"]);
    const places = Array.from({ length: 401 }, (_, i) => range[0] + (i / 400) * (range[1] - range[0]));
    return (step) => {
      fit.clear();
      dual.clear();
      path.points.forEach((point, n) => element(fit.inside, "circle", { cx: fit.x(point[0]), cy: fit.y(path.targets[n]), r: 1.8, fill: GREY }));
      const knots = step.weights.map((weight, k) => step.biases[k] / weight[0]);
      const corners = [range[0], ...knots.filter((knot) => knot > range[0] && knot < range[1]).sort((a, b) => a - b), range[1]];
      const drawn = corners.map((corner) => `${fit.x(corner).toFixed(2)},${fit.y(evaluate(step, [corner])).toFixed(2)}`);
      element(fit.inside, "polyline", { points: drawn.join(" "), fill: "none", stroke: BLUE, "stroke-width": 2, class: "curve" });
      knots.forEach((knot) => element(fit.inside, "circle", { cx: fit.x(knot), cy: fit.y(evaluate(step, [knot])), r: 3.5, fill: RED, class: "neuron" }));
      for (const side of [-1, 1]) element(dual.inside, "path", { d: `M${dual.x(range[0])},${dual.y(side)}H${dual.x(range[1])}`, stroke: INK, "stroke-dasharray": "4 3" });
      const values = places.map((place) => `${dual.x(place).toFixed(2)},${dual.y(profile(path, step, [1], place)).toFixed(2)}`);
      element(dual.inside, "polyline", { points: values.join(" "), fill: "none", stroke: BLUE, "stroke-width": 1.5 });
      knots.forEach((knot) => element(dual.inside, "circle", { cx: dual.x(knot), cy: dual.y(profile(path, step, [1], knot)), r: 3.5, fill: RED }));
    };
  };

  const plane = (holder, path) => {
    const [first, second] = [0, 1].map((i) => extent(path.points.map((point) => point[i]), 0.03));
    const heights = extent(path.targets, 0);
    const fit = plot(holder, "The network, low dark and high bright, and its folds", first, second, path.inputs);
    const reach = Math.max(...path.points.map((point) => Math.hypot(...point)));
    const middle = [0, 1].map((i) => (Math.min(...path.points.map((p) => p[i])) + Math.max(...path.points.map((p) => p[i]))) / 2);
    const radius = Math.max(...path.points.map((point) => Math.hypot(point[0] - middle[0], point[1] - middle[1]))) || reach || 1;
    const dual = plot(holder, "Its proof: over all folds within ±1, which neurons touch", [0, 180], [-radius, radius], ["angle of the fold's normal (°)", "offset from the middle"]);
    return (step) => {
      fit.clear();
      dual.clear();
      paint(fit, 108, 81, SEQUENTIAL, (u, v) => (evaluate(step, [u, v]) - heights[0]) / (heights[1] - heights[0]));
      paint(dual, 120, 80, DIVERGING, (angle, offset) => {
        const weight = [Math.cos((angle * Math.PI) / 180), Math.sin((angle * Math.PI) / 180)];
        return 0.5 + 0.5 * profile(path, step, weight, offset + weight[0] * middle[0] + weight[1] * middle[1]);
      });
      const largest = Math.max(...step.coefficients.map(Math.abs), 1e-300);
      step.weights.forEach((weight, k) => {
        const ends = clipped(weight, step.biases[k], first, second);
        const share = Math.sqrt(Math.abs(step.coefficients[k]) / largest);
        if (ends) element(fit.inside, "line", { x1: fit.x(ends[0][0]), y1: fit.y(ends[0][1]), x2: fit.x(ends[1][0]), y2: fit.y(ends[1][1]), stroke: "#fff", "stroke-opacity": 0.35 + 0.6 * share, "stroke-width": 0.5 + 1.3 * share, class: "neuron" });
        const turn = weight[1] < 0 || (weight[1] === 0 && weight[0] < 0) ? -1 : 1;
        const angle = (Math.atan2(turn * weight[1], turn * weight[0]) * 180) / Math.PI;
        const offset = turn * (step.biases[k] - weight[0] * middle[0] - weight[1] * middle[1]);
        if (Math.abs(offset) <= radius) element(dual.inside, "circle", { cx: dual.x(angle), cy: dual.y(offset), r: 1.5 + 3 * share, fill: step.coefficients[k] > 0 ? "#7f0000" : "#08306b", stroke: "#fff", "stroke-width": 0.6 });
      });
      path.points.forEach((point) => element(fit.inside, "circle", { cx: fit.x(point[0]), cy: fit.y(point[1]), r: 1.6, fill: "#000", "fill-opacity": 0.55 }));
    };
  };

  // Where the line w·x = b crosses a rectangle; null where it does not.
  const clipped = (weight, bias, first, second) => {
    const found = [];
    if (Math.abs(weight[1]) > 1e-12) for (const u of first) found.push([u, (bias - weight[0] * u) / weight[1]]);
    if (Math.abs(weight[0]) > 1e-12) for (const v of second) found.push([(bias - weight[1] * v) / weight[0], v]);
    const slack = 1e-9;
    const inside = found.filter(([u, v]) => u >= first[0] - slack && u <= first[1] + slack && v >= second[0] - slack && v <= second[1] + slack);
    if (inside.length < 2) return null;
    const far = inside.reduce((best, end) => (Math.hypot(end[0] - inside[0][0], end[1] - inside[0][1]) > Math.hypot(best[0] - inside[0][0], best[1] - inside[0][1]) ? end : best));
    return [inside[0], far];
  };

  const explorer = (holder, path) => {
    const panels = holder.querySelector(".panels");
    const draw = (path.inputs.length === 1 ? line : plane)(panels, path);
    const counts = path.steps.map((step) => step.coefficients.length);
    const powers = path.steps.map((step) => Math.log10(step.strength));
    const trade = plot(panels, "Neurons along the path", extent(powers, 0.04), [0, Math.max(...counts) * 1.08], ["λ", "neurons"], true);
    const input = holder.querySelector("input");
    const fields = Object.fromEntries([...holder.querySelectorAll("[data-field]")].map((node) => [node.dataset.field, node]));
    const show = () => {
      const index = Number(input.value), step = path.steps[index];
      draw(step);
      trade.clear();
      const course = powers.map((power, i) => `${trade.x(power).toFixed(2)},${trade.y(counts[i]).toFixed(2)}`);
      element(trade.inside, "polyline", { points: course.join(" "), fill: "none", stroke: BLUE, "stroke-width": 1.5 });
      element(trade.inside, "circle", { cx: trade.x(powers[index]), cy: trade.y(counts[index]), r: 4.5, fill: RED });
      fields.strength.textContent = step.strength.toPrecision(4);
      fields.neurons.textContent = `${counts[index]} (at most ${path.theorem})`;
      fields.objective.textContent = step.objective.toPrecision(9);
      fields.bound.textContent = step.bound.toPrecision(9);
      fields.gap.textContent = `${Math.max(step.gap, 0).toExponential(1)} (${step.kind})`;
      fields.seminorm.textContent = step.seminorm.toPrecision(5);
      input.setAttribute("aria-valuetext", `λ = ${step.strength.toPrecision(3)}, ${counts[index]} neurons`);
    };
    input.addEventListener("input", show);
    show();
  };

  const paths = JSON.parse(document.getElementById("paths-data").textContent);
  for (const path of paths) explorer(document.getElementById(`explorer-${path.key}`), path);
})();

"use strict";
// Boxes over a picture, drawn alike in the report and on the web page. Every text is set as text, never as markup.

const SVG = "http://www.w3.org/2000/svg";

function shape(parent, name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  parent.append(made);
  return made;
}

function rectangle(parent, [x1, y1, x2, y2], more) {
  return shape(parent, "rect", {x: x1, y: y1, width: Math.max(0, x2 - x1), height: Math.max(0, y2 - y1), ...more});
}

// Draws into `svg` the detections of `image` ({width, height, detections, proposals}) from a score on, best on top.
// `colours` maps a class to its colour and the ink that is legible on it. Letters keep their size on the screen.
function drawOverlay(svg, image, colours, least, withProposals) {
  const pixel = image.width / (svg.clientWidth || image.width);
  svg.setAttribute("viewBox", `0 0 ${image.width} ${image.height}`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.replaceChildren();
  if (withProposals) for (const box of image.proposals) rectangle(svg, box, {class: "proposal"});
  const shown = image.detections.filter(one => one.score >= least);
  for (const one of [...shown].reverse()) {
    rectangle(svg, one.box, {class: "casing", stroke: colours[one.label][1]});
    rectangle(svg, one.box, {class: "box", stroke: colours[one.label][0]});
  }
  const placed = [];
  for (const one of shown) {
    const [ground, ink] = colours[one.label];
    const label = shape(svg, "g", {"font-size": 13 * pixel});
    const back = shape(label, "rect", {fill: ground, stroke: ink, "stroke-width": pixel});
    const text = shape(label, "text", {fill: ink});
    text.textContent = `${one.label} ${one.score.toFixed(2)}`;
    const wide = text.getComputedTextLength() + 8 * pixel, high = 19 * pixel;
    const [x, y] = freePlace(one.box, wide, high, image, placed);
    placed.push([x, y, x + wide, y + high]);
    for (const [key, value] of Object.entries({x, y, width: wide, height: high})) back.setAttribute(key, value);
    text.setAttribute("x", x + 4 * pixel);
    text.setAttribute("y", y + 14 * pixel);
  }
  return shown.length;
}

// The first place on or in the box that no label has taken; on top of the box if all are.
function freePlace([x1, y1, x2, y2], wide, high, image, placed) {
  const inside = (x, y) => [
    Math.max(0, Math.min(x, image.width - wide)), Math.max(0, Math.min(y, image.height - high))];
  const places = [[x1, y1 - high], [x1, y1], [x2 - wide, y1 - high], [x2 - wide, y1],
    [x1, y2], [x1, y2 - high], [x2 - wide, y2], [x2 - wide, y2 - high]].map(at => inside(...at));
  for (let down = y1 + high; down < y2; down += high) places.push(inside(x1, down));
  const free = ([x, y]) => placed.every(
    ([a, b, c, d]) => x >= c || a >= x + wide || y >= d || b >= y + high);
  return places.find(free) || places[0];
}

const least = document.getElementById("least"), proposals = document.getElementById("proposals");
const colours = JSON.parse(document.getElementById("colours").textContent);
const images = new Map();
for (const script of document.querySelectorAll("script.boxes")) {
  images.set(script.closest("section"), JSON.parse(script.textContent));
}

function draw(section) {
  drawOverlay(section.querySelector("svg"), images.get(section), colours, Number(least.value), proposals.checked);
}

// Only what is near the window is drawn, so that a report of many images stays quick.
const near = new Set();
const watch = new IntersectionObserver(entries => {
  for (const {target, isIntersecting} of entries) {
    if (!isIntersecting) near.delete(target);
    else { near.add(target); draw(target); }
  }
}, {rootMargin: "400px"});
for (const section of images.keys()) watch.observe(section);

function update() {
  const value = Number(least.value);
  document.getElementById("value").textContent = value.toFixed(2);
  let total = 0;
  for (const row of document.querySelectorAll("tr[data-score]")) {
    row.hidden = Number(row.dataset.score) < value;
    total += !row.hidden;
  }
  document.getElementById("total").textContent = `${total} shown`;
  for (const section of near) draw(section);
}
document.getElementById("controls").addEventListener("submit", event => event.preventDefault());
least.addEventListener("input", update);
proposals.addEventListener("change", update);
addEventListener("resize", update);
update();

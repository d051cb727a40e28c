const element = id => document.getElementById(id);
const picture = element("photo"), overlay = document.querySelector("svg");
let about = null;      // what /api/model says
let file = null;       // the photo that was chosen last
let image = null;      // what is known of it: {width, height, detections, proposals}
let asking = null;     // ends the request that is under way

// Off this machine the server wants the token that is in the address which it printed; it stays in this tab.
const token = new URLSearchParams(location.hash.slice(1)).get("token");
const headers = token ? {Authorization: `Bearer ${token}`} : {};

function say(status, fault = "") {
  element("status").textContent = status;
  element("fault").textContent = fault;
  element("fault").hidden = !fault;
}

function row(parent, cells) {
  const made = parent.insertRow();
  cells.forEach((text, place) => {
    const cell = place ? made.insertCell() : made.appendChild(document.createElement("th"));
    if (!place) cell.scope = "row";
    cell.textContent = text;
  });
}

function draw() {
  const least = Number(element("least").value);
  element("value").textContent = least.toFixed(2);
  if (!image) return;
  // Until more is known, proposals are what there is to see.
  const shown = drawOverlay(overlay, image, about.colours, least, element("proposals").checked || !image.done);
  if (image.done) say(`${shown} found with at least that score`);
  element("objects").replaceChildren();
  for (const one of image.detections.filter(one => one.score >= least)) {
    row(element("objects"), [one.label, one.score.toFixed(2), one.box.map(Math.round).join(" ")]);
  }
  element("none").hidden = shown > 0 || !image.done;
}

const stages = {
  image({width, height}) {
    image = {width, height, detections: [], proposals: [], done: false};
    // The size is told even where the browser cannot show the format, so that the boxes have their place.
    picture.width = width;
    picture.height = height;
    element("result").hidden = false;
    say("Looking for boxes that may hold objects …");
  },
  proposals({count, boxes}) {
    image.proposals = boxes;
    say(`${count.toLocaleString("en")} proposals; looking closely at the promising ones …`);
  },
  detections({row: found, shown}) {
    image = {...image, detections: shown, done: true};
    const names = {decode: "decoding", propose: "proposals", warp: "warping", classify: "networks"};
    const times = Object.entries(found.ms).map(([stage, value]) => `${names[stage] || stage} ${Math.round(value)}`);
    element("times").textContent =
      `${image.width} × ${image.height} pixels, ${found.proposals} proposals; milliseconds: ${times.join(", ")}`;
  },
  classes({of, top}) {
    element("top-title").textContent = of === "image" ? "Likeliest classes of the whole image" : "Likeliest classes of any box";
    element("top").replaceChildren(...top.map(({label, score}) => {
      const entry = document.createElement("li");
      entry.textContent = `${label} ${score.toFixed(2)}`;
      return entry;
    }));
  },
  failed({message}) { throw new Error(message); },
};

async function look() {
  if (!file || !about) return;
  asking?.abort();
  const own = asking = new AbortController();
  image = null;
  overlay.replaceChildren();
  element("objects").replaceChildren();
  element("top").replaceChildren();
  element("times").textContent = "";
  element("result").hidden = true;
  if (file.size > about.limits.bytes) {
    return say("", `${file.name}: larger than the ${Math.round(about.limits.bytes / 2 ** 20)} MiB that are taken`);
  }
  URL.revokeObjectURL(picture.src);
  picture.src = URL.createObjectURL(file);
  picture.alt = file.name;
  say("Sending …");
  try {
    const asked = new URLSearchParams({model: element("model").value, mode: element("mode").value, name: file.name});
    const type = file.type.startsWith("image/") ? file.type : "application/octet-stream";
    const answer = await fetch(`api/look?${asked}`, {
      method: "POST", body: file, headers: {...headers, "Content-Type": type}, signal: own.signal,
    });
    if (!answer.ok) throw new Error((await answer.json()).message);
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      const lines = (text + part.value).split("\n");
      text = lines.pop();
      if (own !== asking) return;
      for (const line of lines) { const stage = JSON.parse(line); stages[stage.stage](stage); draw(); }
    }
  } catch (error) {
    if (own.signal.aborted) return;
    element("result").hidden = true;
    say("", error.message);
  }
}

function take(files) {
  if (!files.length) return;
  [file] = files;
  look();
}

function describe() {
  const model = about.models[element("model").value];
  element("least").value = model.threshold;
  element("card").replaceChildren(...Object.entries(model.card).flatMap(([name, text]) => {
    const term = document.createElement("dt"), told = document.createElement("dd");
    term.textContent = name;
    told.textContent = text;
    return [term, told];
  }));
  draw();
}

const drop = element("drop");
for (const kind of ["dragover", "dragenter"]) {
  addEventListener(kind, event => { event.preventDefault(); drop.classList.add("over"); });
}
for (const kind of ["dragleave", "drop"]) addEventListener(kind, () => drop.classList.remove("over"));
addEventListener("drop", event => { event.preventDefault(); take(event.dataTransfer.files); });
element("file").addEventListener("change", event => take(event.target.files));
element("controls").addEventListener("submit", event => event.preventDefault());
element("least").addEventListener("input", draw);
element("proposals").addEventListener("change", draw);
element("model").addEventListener("change", () => { describe(); look(); });
element("mode").addEventListener("change", look);
picture.addEventListener("load", draw);
addEventListener("resize", draw);

(async () => {
  try {
    const answer = await fetch("api/model", {headers});
    const told = await answer.json();
    if (!answer.ok) throw new Error(told.message);
    about = told;
    element("model").append(...Object.keys(about.models).map(name => new Option(name, name)));
    describe();
    if (file) look();
  } catch (error) {
    say("", error.message);
  }
})();

"use strict";
// Reads a file with the service, and shows the picture with its lines. Text of documents is put in as text alone.

const $ = (id) => document.getElementById(id);
const FORMATS = {
  text: ".txt", json: ".json", jsonl: ".jsonl", csv: ".csv", tsv: ".tsv", hocr: ".hocr", alto: ".alto.xml",
  page: ".page.xml", markdown: ".md", png: ".png", pdf: ".pdf",
};
const SHOWN_BY_BROWSERS = ["image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp"];
const SVG = "http://www.w3.org/2000/svg";

let file = null; // the file that is shown
let sheets = []; // pages as they came
let count = 0; // pages of the document
let at = 0; // index of the page that is shown
let chosen = -1; // index of the line that is chosen
let hits = []; // [page, line] that the search finds
let zoom = 1;
let request = null; // the one that goes on
let pictureUrl = null;
let pictureTurn = 0; // tells late pictures from the one that is wanted

function say(text) { $("status").textContent = text; }

function fail(text) {
  $("error").textContent = text;
  $("error").hidden = !text;
}

function asked(path, options) {
  const address = new URL(path, document.baseURI);
  for (const [name, value] of Object.entries(options)) if (value) address.searchParams.set(name, value);
  return address;
}

function headers() {
  const found = { "X-Filename": encodeURIComponent(file.name || "") };
  if ($("key").value) found["X-API-Key"] = $("key").value;
  if ($("password").value) found["X-Document-Password"] = encodeURIComponent($("password").value);
  return found;
}

function options() { return { pages: $("pages").value.trim(), text_layer: $("text-layer").value }; }

function described(body, status) {
  try {
    const { error } = JSON.parse(body);
    if (status === 401) $("secrets").open = true;
    return [error.message, error.hint].filter(Boolean).join("\n");
  } catch {
    return status ? `The service answered with status ${status}.` : "The service cannot be reached.";
  }
}

// --- reading ---------------------------------------------------------------------------------------------------

function read(which) {
  if (request) request.abort();
  file = which;
  sheets = []; count = 0; at = 0; chosen = -1; hits = [];
  fail("");
  $("result").hidden = true;
  $("lines").replaceChildren();
  $("again").disabled = false;
  const going = request = new XMLHttpRequest();
  let taken = 0;
  going.open("POST", asked("v1/read", { format: "jsonl", ...options() }));
  for (const [name, value] of Object.entries(headers())) going.setRequestHeader(name, value);
  going.upload.onprogress = (event) => {
    if (event.lengthComputable) progress(event.loaded, event.total);
    say(event.loaded < event.total ? "Sending the file…" : "Reading…");
  };
  going.upload.onload = () => { progress(); say("Reading…"); };
  going.onprogress = () => {
    if (going.status !== 200) return;
    count = Number(going.getResponseHeader("X-Page-Count")) || 0;
    const end = going.responseText.lastIndexOf("\n") + 1;
    const lines = going.responseText.slice(taken, end);
    taken = end;
    for (const line of lines.split("\n")) if (line) arrived(JSON.parse(line));
  };
  going.onload = () => {
    going.onprogress();
    if (going.status === 200) finished();
    else ended(described(going.responseText, going.status));
  };
  going.onerror = () => ended(described("", 0));
  going.onabort = () => { if (request === going) { ended(""); say("Stopped."); } };
  progress();
  say("Sending the file…");
  $("stop").hidden = false;
  going.send(which);
}

function progress(done, all) {
  $("progress").hidden = false;
  if (all) { $("bar").max = all; $("bar").value = done; } else $("bar").removeAttribute("value");
}

function ended(problem) {
  request = null;
  $("progress").hidden = true;
  $("stop").hidden = true;
  if (problem) { say(""); fail(problem); }
}

function arrived(sheet) {
  sheets.push(sheet);
  $("result").hidden = false;
  if (count > 1) progress(sheets.length, count);
  say(count > 1 ? `${sheets.length} of ${count} pages read…` : "Reading…");
  find();
  if (sheets.length === 1) turnTo(0); else navigation();
}

function finished() {
  ended("");
  const lines = sheets.reduce((sum, sheet) => sum + (sheet.lines || []).length, 0);
  const bad = sheets.filter((sheet) => sheet.error).length;
  say(`${sheets.length} ${sheets.length === 1 ? "page" : "pages"}, ${lines} ${lines === 1 ? "line" : "lines"}`
    + (bad ? `, ${bad} could not be read` : "") + ".");
  if (!lines && !bad) say("No text was found.");
}

// --- the page --------------------------------------------------------------------------------------------------

function navigation() {
  $("page").max = sheets.length;
  $("page").value = at + 1;
  $("of").textContent = `of ${sheets.length}`;
  $("previous").disabled = at === 0;
  $("next").disabled = at + 1 >= sheets.length;
}

function turnTo(index) {
  if (index < 0 || index >= sheets.length) return navigation();
  at = index;
  chosen = -1;
  navigation();
  fail("");
  const sheet = sheets[at];
  $("about").textContent = "\u00a0";
  if (sheet.error) fail(`Page ${sheet.number}: ${sheet.error}`);
  list(sheet);
  draw(sheet);
  picture(sheet);
}

async function picture(sheet) {
  const turn = ++pictureTurn;
  const image = $("picture");
  image.alt = `Page ${sheet.number}`;
  let found = file;
  if (!SHOWN_BY_BROWSERS.includes(file.type)) {
    try {
      const answer = await fetch(asked("v1/picture", { pages: String(sheet.number) }),
        { method: "POST", headers: headers(), body: file });
      if (!answer.ok) throw new Error(described(await answer.text(), answer.status));
      found = await answer.blob();
    } catch (error) {
      if (turn === pictureTurn) { image.removeAttribute("src"); fail(`The page cannot be shown: ${error.message}`); }
      return;
    }
  }
  if (turn !== pictureTurn) return;
  if (pictureUrl) URL.revokeObjectURL(pictureUrl);
  pictureUrl = URL.createObjectURL(found);
  image.src = pictureUrl;
}

function shape(quad, className) {
  const polygon = document.createElementNS(SVG, "polygon");
  polygon.setAttribute("points", quad.map((corner) => corner.join(",")).join(" "));
  polygon.setAttribute("class", className);
  return polygon;
}

function sureness(score) { return score >= 0.95 ? "sure" : score >= 0.8 ? "doubtful" : "unsure"; }

function draw(sheet) {
  const overlay = $("overlay");
  overlay.replaceChildren();
  if (!sheet.lines) return;
  overlay.setAttribute("viewBox", `0 0 ${sheet.width} ${sheet.height}`);
  overlay.setAttribute("preserveAspectRatio", "none");
  $("canvas").style.aspectRatio = `${sheet.width} / ${sheet.height}`;
  sheet.lines.forEach((line, index) => {
    const outline = shape(line.quad, sureness(line.score));
    outline.dataset.line = index;
    overlay.append(outline);
    for (const word of $("words").checked ? line.words : []) {
      const inner = shape(word.quad, `word ${sureness(word.score)}`);
      inner.dataset.line = index;
      inner.dataset.word = word.text;
      inner.dataset.score = word.score;
      overlay.append(inner);
    }
    if ($("order").checked) {
      const label = document.createElementNS(SVG, "text");
      label.setAttribute("x", line.quad[0][0]);
      label.setAttribute("y", line.quad[0][1]);
      label.setAttribute("font-size", Math.max(12, sheet.width / 70));
      label.textContent = index + 1;
      overlay.append(label);
    }
  });
  mark();
}

function list(sheet) {
  const starts = new Set((sheet.blocks || []).map((block) => block.lines[0]));
  $("lines").replaceChildren(...(sheet.lines || []).map((line, index) => {
    const item = document.createElement("li");
    if (index && starts.has(index)) item.className = "apart";
    const button = document.createElement("button");
    button.type = "button";
    button.dataset.line = index;
    button.append(...marked(line.text));
    const score = document.createElement("span");
    score.className = "score";
    score.textContent = `${Math.round(line.score * 100)} %`;
    button.append(score);
    item.append(button);
    return item;
  }));
}

// The text with what is searched for marked.
function marked(text) {
  const wanted = $("search").value.trim().toLowerCase();
  if (!wanted) return [text];
  const parts = [];
  let start = 0;
  const low = text.toLowerCase();
  if (low.length !== text.length) return [text]; // letters that change their length with their case
  for (let found = low.indexOf(wanted); found >= 0; found = low.indexOf(wanted, start)) {
    const mark = document.createElement("mark");
    mark.textContent = text.slice(found, found + wanted.length);
    parts.push(text.slice(start, found), mark);
    start = found + wanted.length;
  }
  return [...parts, text.slice(start)];
}

function about(index, word) {
  const line = sheets[at].lines[index];
  const what = word ? `“${word.text}” in “${line.text}”` : `“${line.text}”`;
  return `Line ${index + 1} of ${sheets[at].lines.length}: ${what}, score ${Number((word || line).score).toFixed(2)}`;
}

function near(index, word) {
  for (const one of document.querySelectorAll(".near")) one.classList.remove("near");
  if (index === null) {
    $("about").textContent = chosen >= 0 ? about(chosen) : "\u00a0";
    return;
  }
  for (const one of document.querySelectorAll(`[data-line="${index}"]`)) one.classList.add("near");
  $("about").textContent = about(index, word);
}

function choose(index, from) {
  chosen = index;
  mark();
  const button = $("lines").querySelector(`[data-line="${index}"]`);
  const outline = $("overlay").querySelector(`[data-line="${index}"]`);
  if (from !== "list" && button) button.scrollIntoView({ block: "nearest" });
  if (from === "overlay" && button) button.focus(); // who searches goes on typing
  if (from !== "overlay" && outline) outline.scrollIntoView({ block: "center", inline: "nearest" });
  $("about").textContent = about(index);
}

function mark() {
  const here = new Set(hits.filter(([page]) => page === at).map(([, line]) => line));
  for (const outline of $("overlay").querySelectorAll("polygon")) {
    const index = Number(outline.dataset.line);
    const isLine = outline.dataset.word === undefined;
    outline.classList.toggle("hit", isLine && here.has(index));
    outline.classList.toggle("chosen", isLine && index === chosen);
  }
  for (const button of $("lines").querySelectorAll("button")) {
    if (Number(button.dataset.line) === chosen) button.setAttribute("aria-current", "true");
    else button.removeAttribute("aria-current");
  }
}

// --- search, copy, download --------------------------------------------------------------------------------------

function find() {
  const wanted = $("search").value.trim().toLowerCase();
  hits = [];
  if (wanted) {
    sheets.forEach((sheet, page) => (sheet.lines || []).forEach((line, index) => {
      if (line.text.toLowerCase().includes(wanted)) hits.push([page, index]);
    }));
  }
  $("found").textContent = wanted ? `${hits.length} ${hits.length === 1 ? "line" : "lines"}` : "";
}

function nextHit(step) {
  if (!hits.length) return;
  const after = ([page, line]) => page > at || (page === at && line > chosen);
  const before = ([page, line]) => page < at || (page === at && line < chosen);
  const hit = step > 0 ? hits.find(after) || hits[0] : hits.filter(before).pop() || hits[hits.length - 1];
  if (hit[0] !== at) turnTo(hit[0]);
  choose(hit[1], "search");
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    say("Copied.");
  } catch {
    fail("The browser does not let this page copy. Select the text in the list instead.");
  }
}

function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

async function download() {
  const format = $("format").value;
  const wanted = { format, ...options() };
  if (["png", "alto", "page"].includes(format) && sheets.length > 1) wanted.pages = String(sheets[at].number);
  if (format === "pdf") wanted.text_layer = "auto";
  say("Preparing the file…");
  fail("");
  $("download").disabled = true;
  try {
    const answer = await fetch(asked("v1/read", wanted), { method: "POST", headers: headers(), body: file });
    if (!answer.ok) throw new Error(described(await answer.text(), answer.status));
    const page = wanted.pages && wanted.pages !== $("pages").value.trim() ? `.${wanted.pages}` : "";
    save(await answer.blob(), (file.name || "page") + page + FORMATS[format]);
    say("Ready.");
  } catch (error) {
    say("");
    fail(error.message);
  }
  $("download").disabled = false;
}

// --- events ------------------------------------------------------------------------------------------------------

for (const name of Object.keys(FORMATS)) $("format").append(new Option(name, name));

$("file").addEventListener("change", () => { if ($("file").files[0]) read($("file").files[0]); $("file").value = ""; });
$("options").addEventListener("submit", (event) => { event.preventDefault(); if (file) read(file); });
$("stop").addEventListener("click", () => { if (request) request.abort(); });
$("previous").addEventListener("click", () => turnTo(at - 1));
$("next").addEventListener("click", () => turnTo(at + 1));
$("page").addEventListener("change", () => turnTo(Number($("page").value) - 1));
$("words").addEventListener("change", () => draw(sheets[at]));
$("order").addEventListener("change", () => draw(sheets[at]));
$("copy").addEventListener("click", () => copy(sheets[at].text || ""));
$("copy-all").addEventListener("click", () => copy(sheets.map((sheet) => sheet.text || "").join("\n\n")));
$("download").addEventListener("click", download);
$("search").addEventListener("input", () => { find(); list(sheets[at]); mark(); });
$("search").addEventListener("keydown", (event) => {
  if (event.key === "Enter") { event.preventDefault(); nextHit(event.shiftKey ? -1 : 1); }
});
for (const [id, factor] of [["smaller", 0.8], ["larger", 1.25]]) {
  $(id).addEventListener("click", () => {
    zoom = Math.min(8, Math.max(0.2, zoom * factor));
    $("canvas").style.width = `${zoom * 100}%`;
  });
}

$("overlay").addEventListener("pointermove", (event) => {
  const { line, word, score } = event.target.dataset;
  near(line === undefined ? null : Number(line), word === undefined ? null : { text: word, score });
});
$("overlay").addEventListener("pointerleave", () => near(null));
$("overlay").addEventListener("click", (event) => {
  if (event.target.dataset.line !== undefined) choose(Number(event.target.dataset.line), "overlay");
});
$("lines").addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button) choose(Number(button.dataset.line), "list");
});
$("lines").addEventListener("focusin", (event) => {
  const button = event.target.closest("button");
  if (button) near(Number(button.dataset.line), null);
});
$("lines").addEventListener("keydown", (event) => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const button = event.target.closest("button");
  if (!step || !button) return;
  event.preventDefault();
  const other = $("lines").querySelector(`[data-line="${Number(button.dataset.line) + step}"]`);
  if (other) other.focus();
});

let depth = 0; // of elements that a dragged file has entered
document.addEventListener("dragenter", (event) => { event.preventDefault(); depth++; document.body.classList.add("dropping"); });
document.addEventListener("dragleave", () => { if (--depth <= 0) { depth = 0; document.body.classList.remove("dropping"); } });
document.addEventListener("dragover", (event) => event.preventDefault());
document.addEventListener("drop", (event) => {
  event.preventDefault();
  depth = 0;
  document.body.classList.remove("dropping");
  if (event.dataTransfer.files[0]) read(event.dataTransfer.files[0]);
});
document.addEventListener("paste", (event) => {
  const pasted = [...event.clipboardData.files][0];
  if (pasted) { event.preventDefault(); read(pasted); }
});

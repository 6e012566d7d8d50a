// The playground: load() and attach() are all it takes, the rest chooses, measures and shows.

import { Predictor, attach } from "../dist/index.js";

import { showPersonalWords } from "./personal.js";

const field = document.querySelector("#text");
const element = (id) => document.getElementById(id);

let predictor;
let detach = () => {};

for (const name of Predictor.models) element("models").append(new Option(labelOf(name), name));
element("models").addEventListener("change", ({ target }) => start(target.value));
element("file").addEventListener("change", async ({ target: { files } }) => {
  if (files[0]) start(await files[0].arrayBuffer());
});
element("learn").addEventListener("change", offer);

/** Loads a model in place of the one that is there. */
async function start(source) {
  detach();
  predictor?.dispose();
  predictor = undefined;
  try {
    predictor = await Predictor.load(source, { onProgress: showProgress });
  } catch (error) {
    showStatus("failed", error.message);
    throw error;
  }
  offer();
  showModel(predictor.info);
  await showPersonalWords(predictor);
  countRequests();
}

/** Attaches the field anew, as the page's settings say. */
function offer() {
  detach();
  detach = predictor ? attach(field, timed(predictor), { learn: element("learn").checked }) : () => {};
}

/* --- the model --- */

function showProgress(progress) {
  if (progress.status === "download") {
    const { loaded, total } = progress;
    showStatus(
      "loading",
      total ? `Loading the model, ${percent(loaded / total)}` : `Loading the model, ${size(loaded)}`,
    );
  }
}

function showStatus(state, text) {
  const status = element("status");
  status.dataset.state = state;
  status.textContent = text;
}

/** `"en"` is English, `"en-small"` "English, small". */
function labelOf(model) {
  const [tag, ...rest] = model.split("-");
  return [nameOf(tag), ...rest].join(", ");
}

/** English name of a language. */
function nameOf(tag) {
  return new Intl.DisplayNames("en", { type: "language" }).of(tag);
}

function showModel({ metadata, bytes, vocabularySize }) {
  const language = metadata.language ? nameOf(metadata.language) : "";
  showStatus("ready", "Ready, online or offline");
  field.lang = metadata.language ?? "";
  element("size").textContent = size(bytes);
  element("model").textContent = [language, `${vocabularySize.toLocaleString("en")} words`].filter(Boolean).join(", ");

  const list = element("metadata");
  list.replaceChildren();
  for (const [key, value] of Object.entries(metadata)) {
    const term = document.createElement("dt");
    const description = document.createElement("dd");
    term.textContent = key.replaceAll(/[_-]/g, " ");
    description.textContent = value;
    list.append(term, description);
  }
  element("about-section").hidden = list.childElementCount === 0;
}

/* --- how long a suggestion takes --- */

/** Wraps a predictor: the same answers, and the time each took. */
function timed(predictor) {
  const times = [];
  return {
    async suggest(text, options) {
      const began = performance.now();
      const suggestions = await predictor.suggest(text, options);
      times.push(performance.now() - began);
      showTimes(times);
      return suggestions;
    },
    learn(text) {
      predictor.learn(text);
      void showPersonalWords(predictor);
    },
    block: (word) => predictor.block(word),
  };
}

function showTimes(times) {
  const sorted = times.toSorted((a, b) => a - b);
  element("median").textContent = milliseconds(sorted[sorted.length >> 1]);
  element("last").textContent = `Median of ${times.length}; the last took ${milliseconds(times.at(-1))}.`;
}

/* --- requests --- */

const NO_REQUEST = element("last-request").textContent;

let requests = 0;
let counter;

/** Counts from now on. */
function countRequests() {
  counter?.disconnect();
  requests = 0;
  element("requests").textContent = "0";
  element("last-request").textContent = NO_REQUEST;
  counter = new PerformanceObserver((list) => {
    requests += list.getEntries().length;
    element("requests").textContent = `${requests}`;
    element("last-request").textContent = `The last one: ${new URL(list.getEntries().at(-1).name).pathname}`;
  });
  counter.observe({ type: "resource" });
}

/* --- code to take along --- */

for (const button of document.querySelectorAll(".copy")) {
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.previousElementSibling.textContent);
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = "Copy"), 1500);
  });
}

/* --- how many key presses were saved --- */

let presses = 0;
let characters = 0;

// Whatever changes the text took one press: a character, a deletion, and a suggestion as well. What is pasted was typed
// elsewhere, a character at a time.
field.addEventListener("input", ({ inputType }) => {
  const added = field.value.length - characters;
  const pasted = inputType === "insertFromPaste" || inputType === "insertFromDrop";
  characters = field.value.length;
  presses = characters === 0 ? 0 : presses + (pasted ? Math.max(1, added) : 1);
  showSaved();
});

function showSaved() {
  element("saved").textContent = characters === 0 ? "–" : percent(Math.max(0, 1 - presses / characters));
  element("saved-note").textContent =
    characters === 0 ? "Type a few words." : `${presses} presses for ${characters} characters.`;
}

/* --- numbers --- */

function percent(share) {
  return `${Math.round(100 * share)} %`;
}

function milliseconds(time) {
  return `${time.toFixed(time < 10 ? 1 : 0)} ms`;
}

function size(bytes) {
  return bytes < 1e6 ? `${Math.round(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(2)} MB`;
}

await start("en");

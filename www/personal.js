// The panel of personal words: what was learned, and what can be done with it.

const MOST_SHOWN = 24;

const element = (id) => document.getElementById(id);
let shown;

element("export").addEventListener("click", async () => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([await shown.personal.export()], { type: "text/plain" }));
  link.download = "personal-words.txt";
  link.click();
  URL.revokeObjectURL(link.href);
});

element("import").addEventListener("change", async ({ target }) => {
  const [file] = target.files;
  target.value = "";
  if (!file) return;
  try {
    await shown.personal.import(await file.text());
    await showPersonalWords(shown);
  } catch (error) {
    element("own-note").textContent = error.message;
  }
});

element("clear").addEventListener("click", async () => {
  await shown.personal.clear();
  await showPersonalWords(shown);
});

/** Shows the words that a predictor has learned. */
export async function showPersonalWords(predictor) {
  shown = predictor;
  const lines = (await predictor.personal.export()).split("\n").map((line) => line.split("\t"));
  const words = lines.filter(([kind]) => kind === "word").map(([, weight, word]) => ({ word, weight: Number(weight) }));
  const pairs = lines.filter(([kind]) => kind === "pair").length;
  const count = (number, noun) => `${number} ${noun}${number === 1 ? "" : "s"}`;
  element("own-note").textContent =
    words.length === 0
      ? "Nothing learned yet. A new word is suggested once you have used it twice."
      : `${count(words.length, "word")} and ${count(pairs, "pair")}, kept in this browser alone. Press one to forget it.`;
  const list = element("own-words");
  list.hidden = words.length === 0;
  const most = words.sort((a, b) => b.weight - a.weight).slice(0, MOST_SHOWN);
  // Buttons that stay are not touched: one that is being pressed while a word is learned must get its click.
  const items = new Map([...list.children].map((item) => [item.textContent, item]));
  for (const { word } of most) {
    if (!items.delete(word)) list.append(chip(word));
  }
  items.forEach((item) => item.remove());
}

function chip(word) {
  const item = document.createElement("li");
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = word;
  button.title = `Forget “${word}”`;
  button.addEventListener("click", async () => {
    await shown.personal.forget(word);
    await showPersonalWords(shown);
  });
  item.append(button);
  return item;
}

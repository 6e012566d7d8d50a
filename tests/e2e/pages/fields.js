import { LmError, Predictor, attach } from "/dist/index.js";

/** Suggests what a list of `[text, word, probability]` says for exactly that text. */
function scripted(script) {
  return {
    async suggest(asked, { count }) {
      return script
        .filter(([text]) => text === asked)
        .slice(0, count)
        .map(([text, word, probability = 0.9, continuation]) => {
          const deleteLeft = /[^\s]*$/.exec(text)[0].length;
          return { text: word, probability, insert: { deleteLeft, text: `${word} ` }, continuation };
        });
    },
    learn: (text) => lm.learned.push(text),
    block: (word) => lm.blocked.push(word),
  };
}

// Fields in a shadow root, as components have them.
const root = document.querySelector("#shadow").attachShadow({ mode: "open" });
root.innerHTML = `<textarea id="inner" rows="3" cols="40" aria-label="Inner"></textarea>
  <div id="inner-editable" contenteditable="true" role="textbox" aria-label="Inner rich text"></div>`;

globalThis.lm = { LmError, Predictor, attach, scripted, detach: {}, learned: [], blocked: [] };

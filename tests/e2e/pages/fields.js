import { LmError, Predictor, attach } from "/dist/index.js";

/** Suggests what a list of `[text, word, probability]` says for exactly that text. */
function scripted(script) {
  return {
    async suggest(asked, { count }) {
      return script
        .filter(([text]) => text === asked)
        .slice(0, count)
        .map(([text, word, probability = 0.9, continuation]) => {
          const deleteLeft = /[^\s\uFFFC]*$/.exec(text)[0].length;
          return { text: word, probability, insert: { deleteLeft, text: `${word} ` }, continuation };
        });
    },
    learn: (text) => lm.learned.push(text),
    block: (word) => lm.blocked.push(word),
  };
}

globalThis.lm = { LmError, Predictor, attach, scripted, detach: {}, learned: [], blocked: [] };

import { LmError, Predictor, attach } from "/dist/index.js";

/** Suggests what a list of `[text, word, probability]` says for exactly that text. */
function scripted(script) {
  return {
    async suggest(asked, { count }) {
      return script
        .filter(([text]) => text === asked)
        .slice(0, count)
        .map(([text, word, probability = 0.9]) => {
          const deleteLeft = /[^\s]*$/.exec(text)[0].length;
          return { text: word, probability, insert: { deleteLeft, text: `${word} ` } };
        });
    },
  };
}

globalThis.lm = { LmError, Predictor, attach, scripted, detach: {} };

import assert from "node:assert/strict";
import { test } from "node:test";

import { combine } from "../../dist/languages.js";

/** A predictor that suggests the same words for any text and knows some words. */
function predictor(words, vocabulary) {
  return {
    learned: [],
    blocked: [],
    suggest: async () =>
      Object.entries(words).map(([text, probability]) => ({ text, probability, insert: { deleteLeft: 0, text } })),
    known: async (text) => text.split(" ").filter((word) => vocabulary.includes(word)).length,
    learn(text) {
      this.learned.push(text);
    },
    block(word) {
      this.blocked.push(word);
    },
  };
}

const english = () => predictor({ go: 0.5, do: 0.25 }, ["I", "to"]);
const polish = () => predictor({ domu: 0.6, do: 0.3 }, ["chodź", "do", "to"]);
const words = (suggestions) => suggestions.map(({ text }) => text);

test("where nothing tells the languages apart, they are mixed evenly", async () => {
  const suggestions = await combine(english(), polish()).suggest("");
  assert.deepEqual(words(suggestions), ["domu", "do", "go"]);
  assert.deepEqual(suggestions.map(({ probability }) => probability), [0.3, 0.275, 0.25]);
  assert.deepEqual(words(await combine(english(), polish()).suggest("", { count: 1 })), ["domu"]);
});

test("a phrase is judged by what its language is likely, and only the first word has one", async () => {
  const asked = [];
  const phrases = (first) => ({
    ...predictor({}, []),
    async suggest(_text, { phrase }) {
      asked.push(phrase.probability);
      return [{ ...first, continuation: "and on" }];
    },
  });
  const both = combine(phrases({ text: "go", probability: 0.9 }), phrases({ text: "domu", probability: 0.5 }));
  const suggestions = await both.suggest("", { phrase: { words: 4, probability: 0.3 } });
  assert.deepEqual(asked, [0.6, 0.6], "each language is as likely as not");
  assert.deepEqual(suggestions, [
    { text: "go", probability: 0.45, continuation: "and on" },
    { text: "domu", probability: 0.25 },
  ]);
});

test("the words before decide", async () => {
  const both = combine(english(), polish());
  assert.equal((await both.suggest("chodź do "))[0].text, "domu");
  assert.equal((await both.suggest("I "))[0].text, "go");
});

test("the likelier language learns, all of them block", async () => {
  const [one, other] = [english(), polish()];
  const both = combine(one, other);
  both.learn("chodź do domu");
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual([one.learned, other.learned], [[], ["chodź do domu"]]);
  both.block("go");
  assert.deepEqual([one.blocked, other.blocked], [["go"], ["go"]]);
});

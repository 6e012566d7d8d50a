/**
 * Several languages in one field.
 *
 * ```js
 * const [english, polish] = await Promise.all([Predictor.load("en"), Predictor.load("pl")]);
 * attach(field, combine(english, polish));
 * ```
 *
 * @module
 */

import type { Predictor, Suggester, SuggestOptions, Suggestion } from "./predictor.js";

/** A word of the text is among those a model knows so much more often if the text is in its language. */
const ODDS = 19;

/**
 * A suggester that asks several models at once. Each suggestion counts as much as its model's language is likely, judged
 * by which of the last words each model knows: P(word) = sum of P(language) P(word | language), with
 * P(language) proportional to 19^{@link Predictor.known}. What is learned is learned by the likeliest one.
 */
export function combine(...predictors: readonly Predictor[]): Suggester {
  return {
    async suggest(text, options = {}) {
      const [shares, ...answers] = await Promise.all([
        languageShares(predictors, text),
        ...predictors.map((predictor) => predictor.suggest(text, options)),
      ]);
      return mix(answers, shares, options);
    },
    learn(text) {
      const learn = async () => {
        const shares = await languageShares(predictors, text);
        predictors[shares.indexOf(Math.max(...shares))]?.learn(text);
      };
      // A predictor that was disposed of learns nothing.
      learn().catch(() => {});
    },
    block: (word) => predictors.forEach((predictor) => predictor.block(word)),
  };
}

async function languageShares(predictors: readonly Predictor[], text: string): Promise<number[]> {
  const known = await Promise.all(predictors.map((predictor) => predictor.known(text)));
  const weights = known.map((words) => ODDS ** words);
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}

function mix(
  answers: readonly (readonly Suggestion[])[],
  shares: readonly number[],
  { count = 3 }: SuggestOptions,
): Suggestion[] {
  const mixed = new Map<string, Suggestion>();
  answers.forEach((suggestions, index) => {
    for (const suggestion of suggestions) {
      const former = mixed.get(suggestion.text);
      const probability = suggestion.probability * (shares[index] ?? 0) + (former?.probability ?? 0);
      mixed.set(suggestion.text, { ...suggestion, ...former, probability });
    }
  });
  return [...mixed.values()].sort((a, b) => b.probability - a.probability).slice(0, count);
}

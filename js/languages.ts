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
      const shares = await languageShares(predictors, text);
      const ask = (predictor: Predictor, index: number) => predictor.suggest(text, ofShare(options, shares[index] ?? 0));
      return mix(await Promise.all(predictors.map(ask)), shares, options);
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

/** A model knows nothing of other languages: in its own, a phrase must be so much likelier. */
function ofShare({ phrase, ...options }: SuggestOptions, share: number): SuggestOptions {
  return { ...options, phrase: phrase && { ...phrase, probability: phrase.probability / share } };
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
  const [first, ...others] = [...mixed.values()].sort((a, b) => b.probability - a.probability).slice(0, count);
  // What was the first one of its own language may be none here.
  return first ? [first, ...others.map(({ continuation: _, ...suggestion }) => suggestion)] : [];
}

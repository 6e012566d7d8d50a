// CodeMirror 6: the predictor as a source of completions. The editor shows them, filters nothing, and applies the change.
//
//   import { autocompletion } from "@codemirror/autocomplete";
//   new EditorView({ extensions: [autocompletion({ override: [suggestionSource(predictor)] })] })

/** As much text as the model reads. */
const READ_UNITS = 2048;

/** A completion source that offers the next word, or what the current one may become. */
export function suggestionSource(predictor, { count = 5 } = {}) {
  // Of each editor the latest request wins, whatever other fields ask.
  const requester = {};
  return async (context) => {
    const { state, pos } = context;
    const before = state.sliceDoc(Math.max(0, pos - READ_UNITS), pos);
    const suggestions = await predictor.suggest(before, { count, requester }).catch((error) => {
      if (!["superseded", "disposed"].includes(error.code)) throw error;
      return [];
    });
    if (context.aborted || suggestions.length === 0) return null;
    return {
      from: pos - suggestions[0].insert.deleteLeft,
      options: suggestions.map(({ text, probability, insert }) => ({
        label: text,
        detail: `${Math.round(100 * probability)} %`,
        apply: insert.text,
      })),
      filter: false,
    };
  };
}

// ProseMirror (and Tiptap, which is built on it): a plugin that draws the likeliest word as ghost text and takes it with Tab.
//
//   EditorState.create({ schema, plugins: [ghostText(predictor)] })

import { Plugin, PluginKey } from "prosemirror-state";
import { Decoration, DecorationSet } from "prosemirror-view";

const key = new PluginKey("lm-wasm");

/** Shows a suggestion whose probability is at least `threshold`. */
export function ghostText(predictor, { threshold = 0.3 } = {}) {
  return new Plugin({
    key,
    state: {
      init: () => undefined,
      // Whatever changes the text or the caret makes the old suggestion void.
      apply: (transaction, suggestion) =>
        transaction.getMeta(key) ?? (transaction.docChanged || transaction.selectionSet ? undefined : suggestion),
    },
    props: {
      decorations: (state) => decorate(state),
      handleKeyDown: (view, event) => event.key === "Tab" && !event.shiftKey && accept(view),
    },
    view: () => ({ update: (view, previous) => void ask(view, previous, predictor, threshold) }),
  });
}

/** The text of the caret's paragraph up to it; nothing where words are selected. */
function textBefore({ selection }) {
  const { $from, empty } = selection;
  return empty ? $from.parent.textBetween(0, $from.parentOffset, "\n", "\ufffc") : undefined;
}

async function ask(view, previous, predictor, threshold) {
  const { state } = view;
  if (previous.doc.eq(state.doc) && previous.selection.eq(state.selection)) return;
  const before = textBefore(state);
  if (before === undefined || view.composing) return;
  try {
    const [best] = await predictor.suggest(before, { count: 1, requester: view });
    // By now somebody may have typed on, or closed the editor.
    const isThere = !view.isDestroyed && view.state === state;
    if (best?.probability >= threshold && isThere) view.dispatch(state.tr.setMeta(key, best));
  } catch (error) {
    if (!["superseded", "disposed"].includes(error.code)) throw error;
  }
}

function decorate(state) {
  const suggestion = key.getState(state);
  if (!suggestion) return null;
  const typed = textBefore(state).slice(-suggestion.insert.deleteLeft || Infinity);
  if (!suggestion.text.startsWith(typed)) return null;
  const ghost = document.createElement("span");
  ghost.className = "lm-ghost";
  ghost.ariaHidden = "true";
  ghost.textContent = suggestion.text.slice(typed.length);
  return DecorationSet.create(state.doc, [Decoration.widget(state.selection.from, ghost, { side: 1 })]);
}

function accept(view) {
  const suggestion = key.getState(view.state);
  if (!suggestion || !decorate(view.state)) return false;
  const { from } = view.state.selection;
  const { deleteLeft, text } = suggestion.insert;
  view.dispatch(view.state.tr.insertText(text, from - deleteLeft, from).scrollIntoView());
  return true;
}

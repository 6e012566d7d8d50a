/* What a key means while suggestions are shown. Pure: the controller acts on the answer. */

/** The parts of a keyboard event that matter here. */
export type KeyStroke = Pick<
  KeyboardEvent,
  "key" | "code" | "altKey" | "ctrlKey" | "metaKey" | "shiftKey" | "isComposing"
>;

/** What a key can act on. */
export interface Situation {
  /** How many suggestions the bar shows. */
  readonly count: number;
  /** The suggestion in the bar that keys have been led to. */
  readonly active: number | undefined;
  /** Whether ghost text can be seen. */
  readonly ghost: boolean;
  /** Whether the caret stands at the end of the text. */
  readonly atEnd: boolean;
  /** The arrow key that moves on in the text: the left one where it is written from right to left. */
  readonly forward: string;
  /** Whether words are jumped over with Alt, as on Apple's systems, and not with Ctrl alone. */
  readonly apple: boolean;
}

/** What is to be done. */
export type Action =
  | { readonly type: "accept" | "dismiss" }
  | { readonly type: "pick" | "block"; readonly index: number }
  /** To a suggestion in the bar, or out of the bar. */
  | { readonly type: "move"; readonly index: number | undefined };

/** On Apple's keyboards Option and a digit type these in some countries, and there is no other way to type them. */
const TYPED_WITH_OPTION = /^[!-/:-~€]$/;

/** The action of a key; `undefined` if the key is none of ours. */
export function actionOf(stroke: KeyStroke, situation: Situation): Action | undefined {
  const { key, altKey, ctrlKey, metaKey, shiftKey } = stroke;
  const { count, active, ghost, atEnd, forward, apple } = situation;
  if (active !== undefined) {
    const action = actionInBar(stroke, situation, active);
    if (action) return action;
  }
  if (metaKey || shiftKey) return undefined;
  if (key === forward && ghost && atEnd) {
    if (ctrlKey !== altKey && (ctrlKey || apple)) return { type: "pick", index: 0 };
    return ctrlKey || altKey ? undefined : { type: "accept" };
  }
  if (altKey) return ctrlKey || (apple && TYPED_WITH_OPTION.test(key)) ? undefined : actionWithAlt(stroke, count);
  if (ctrlKey) return undefined;
  if (key === "Tab" && ghost) return { type: "accept" };
  return key === "Escape" && (ghost || count > 0) ? { type: "dismiss" } : undefined;
}

/** Alt and a digit pick; Alt and the down arrow lead into the bar, as into every combo box. */
function actionWithAlt({ key, code }: KeyStroke, count: number): Action | undefined {
  if (key === "ArrowDown" && count > 0) return { type: "move", index: 0 };
  const digit = Number(code.replace("Digit", ""));
  return digit > 0 && digit <= count ? { type: "pick", index: digit - 1 } : undefined;
}

function actionInBar(
  { key, altKey, ctrlKey, metaKey, shiftKey }: KeyStroke,
  { count, forward }: Situation,
  active: number,
): Action | undefined {
  const isArrow = key.startsWith("Arrow");
  if (ctrlKey || metaKey || shiftKey || (altKey && !isArrow)) return undefined;
  if (isArrow) {
    const step = key === forward || key === "ArrowDown" ? 1 : count - 1;
    return { type: "move", index: (active + step) % count };
  }
  switch (key) {
    case "Enter":
    case "Tab":
      return { type: "pick", index: active };
    case "Delete":
      return { type: "block", index: active };
    case "Escape":
      return { type: "move", index: undefined };
    default:
      return undefined;
  }
}

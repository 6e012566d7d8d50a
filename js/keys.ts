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
  /** Whether words are jumped over with Alt, as on Apple's systems, and not with Ctrl alone. */
  readonly apple: boolean;
}

/** What is to be done. */
export type Action =
  | { readonly type: "accept" | "acceptWord" | "dismiss" | "leave" }
  | { readonly type: "pick" | "move" | "block"; readonly index: number };

/** The action of a key; `undefined` if the key is none of ours. */
export function actionOf(stroke: KeyStroke, situation: Situation): Action | undefined {
  const { key, altKey, ctrlKey, metaKey, shiftKey } = stroke;
  const { count, active, ghost, atEnd, apple } = situation;
  if (active !== undefined) {
    const action = actionInBar(stroke, count, active);
    if (action) return action;
  }
  if (metaKey || shiftKey) return undefined;
  if (key === "ArrowRight" && ghost && atEnd) {
    if (ctrlKey !== altKey && (ctrlKey || apple)) return { type: "acceptWord" };
    return ctrlKey || altKey ? undefined : { type: "accept" };
  }
  if (altKey) return ctrlKey ? undefined : actionWithAlt(stroke, count);
  if (ctrlKey) return undefined;
  if (key === "Tab" && ghost) return { type: "accept" };
  return key === "Escape" && (ghost || count > 0) ? { type: "dismiss" } : undefined;
}

/** Alt and a digit pick; Alt and the down arrow lead into the bar, as into every combo box. */
function actionWithAlt({ key, code }: KeyStroke, count: number): Action | undefined {
  if (key === "ArrowDown" && count > 0) return { type: "move", index: 0 };
  const digit = Number(/^Digit([1-9])$/.exec(code)?.[1] ?? 0);
  return digit > 0 && digit <= count ? { type: "pick", index: digit - 1 } : undefined;
}

function actionInBar({ key, altKey, ctrlKey, metaKey, shiftKey }: KeyStroke, count: number, active: number) {
  if (key === "Delete" && !altKey && !ctrlKey && !metaKey) return { type: "block", index: active } as const;
  if (ctrlKey || metaKey || shiftKey || (altKey && !key.startsWith("Arrow"))) return undefined;
  switch (key) {
    case "ArrowRight":
    case "ArrowDown":
      return { type: "move", index: (active + 1) % count } as const;
    case "ArrowLeft":
    case "ArrowUp":
      return { type: "move", index: (active + count - 1) % count } as const;
    case "Enter":
    case "Tab":
      return { type: "pick", index: active } as const;
    case "Escape":
      return { type: "leave" } as const;
    default:
      return undefined;
  }
}

/* Which fields may be read. */

import { LmError } from "../errors.js";

/** A text area, or an input of type `text` or `search`. */
export type TextFieldElement = HTMLTextAreaElement | HTMLInputElement;

const INPUT_TYPES = ["text", "search"];
const SECRET = /^(cc-.*|one-time-code|.*-password)$/i;

/** Allows suggestions in a field of `autocomplete="off"`: many have that to keep addresses out, not words. */
const OVERRIDE = "data-lm-suggest";

export function isTextField(element: Element): element is TextFieldElement {
  return element.localName === "textarea" || element.localName === "input";
}

/** Why a field must not be read, or nothing. */
export function refusal(element: HTMLElement): string | undefined {
  if (isTextField(element)) return refusalOfTextField(element);
  if (element.isContentEditable) return undefined;
  return (
    `a <${element.localName}> is not a text field: pass a <textarea>, an <input> of type text or search, ` +
    "or an element with contenteditable"
  );
}

function refusalOfTextField(element: TextFieldElement): string | undefined {
  if (element.localName === "input" && !INPUT_TYPES.includes(element.type)) {
    return `an <input> of type ${element.type} gets no suggestions: only text and search do`;
  }
  // Not the property: it is empty for a purpose that the browser does not know.
  const purpose = (element.getAttribute("autocomplete") ?? element.form?.getAttribute("autocomplete") ?? "").trim();
  const secret = purpose.split(/\s+/).find((token) => SECRET.test(token));
  if (secret) return `a field with autocomplete="${secret}" gets no suggestions`;
  const off = purpose.toLowerCase() === "off";
  if (!off || element.hasAttribute(OVERRIDE)) return undefined;
  return `a field with autocomplete="off" gets no suggestions: give it the attribute ${OVERRIDE} to have them`;
}

/** Whether a field can be written in now. */
export function isWritable(element: HTMLElement): boolean {
  const { activeElement } = element.getRootNode() as Document | ShadowRoot;
  if (activeElement !== element || refusal(element) !== undefined) return false;
  return !isTextField(element) || (!element.readOnly && !element.disabled);
}

/** Throws unless suggestions may be attached to a field. */
export function checkConsent(field: HTMLElement): void {
  const reason = refusal(field);
  if (reason) throw new LmError("field", reason);
  if (field.closest("[writingsuggestions]")?.getAttribute("writingsuggestions")?.toLowerCase() === "false") {
    throw new LmError("field", 'writingsuggestions="false" forbids suggestions here: remove it');
  }
}

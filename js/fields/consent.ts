/* Which fields may be read. */

import { LmError } from "../errors.js";

/** A text area, or an input of type `text` or `search`. */
export type TextFieldElement = HTMLTextAreaElement | HTMLInputElement;

const TYPES = ["textarea", "text", "search"];
const SECRET = /^(cc-.*|one-time-code|.*-password)$/i;

/** Allows suggestions in a field of `autocomplete="off"`: many have that to keep addresses out, not words. */
const OVERRIDE = "data-lm-suggest";

export function isTextField(element: Element): element is TextFieldElement {
  return element.localName === "textarea" || isInput(element);
}

/**
 * Of the attribute `writingsuggestions` while suggestions are attached. To browsers it is any "false", and it is not the
 * page's: a copy of the field has it, or one that a page brings back.
 */
export const OWN_FALSE = "False";

/** Whether an element has one line and no more. */
export function isInput(element: Element): boolean {
  return element.localName === "input";
}

/** Why a field must not be read, or nothing. */
export function refusal(element: HTMLElement): string | undefined {
  const { localName, type, form } = element as Partial<TextFieldElement>;
  if (!(isTextField(element) ? TYPES.includes(element.type) : element.isContentEditable)) {
    const kind = type ? ` of type ${type}` : "";
    return (
      `<${localName}>${kind} is not a text field: pass a <textarea>, an <input> of type text or search, ` +
      "or an element with contenteditable"
    );
  }
  // Not the property: it is empty for a purpose that the browser does not know.
  const purpose = (element.getAttribute("autocomplete") ?? form?.getAttribute("autocomplete") ?? "").trim();
  const secret = purpose.split(/\s+/).find((token) => SECRET.test(token));
  if (secret) return `a field with autocomplete="${secret}" gets no suggestions`;
  const off = purpose.toLowerCase() === "off";
  if (!off || element.hasAttribute(OVERRIDE)) return undefined;
  return `a field with autocomplete="off" gets no suggestions: allow them by the attribute ${OVERRIDE}`;
}

/** Whether a field can be written in now. */
export function isWritable(element: HTMLElement): boolean {
  const { activeElement } = element.getRootNode() as Document | ShadowRoot;
  const { readOnly, disabled } = element as Partial<TextFieldElement>;
  return activeElement === element && !readOnly && !disabled && !refusal(element);
}

/** Throws unless suggestions may be attached to a field. */
export function checkConsent(field: HTMLElement): void {
  const reason = refusal(field);
  if (reason) throw new LmError("field", reason);
  const wanted = field.closest("[writingsuggestions]")?.getAttribute("writingsuggestions");
  if (wanted?.toLowerCase() === "false" && wanted !== OWN_FALSE) {
    throw new LmError("field", 'writingsuggestions="false" forbids suggestions here: remove it');
  }
}

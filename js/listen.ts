/* What happens to a field, told to its controller and views. */

import type { Controller } from "./controller.js";
import type { Companion } from "./views/shadow.js";

const COMPOSED_KEY = 229;
/** Kinds of input that are typing. Others bring in text from elsewhere; where a browser fills in a form there is no kind at all. */
const TYPED = /^insert(Text|Line|Para|.*Composition)/;
/** Of a text that the page itself changes no event tells. */
const LOOK_MS = 200;

/** Tells the controller whatever happens to the field, until the function returned is called. */
export function listen(field: HTMLElement, controller: Controller, companions: readonly Companion[]): () => void {
  const listeners = new AbortController();
  listenToField(field, controller, listeners.signal);
  const relayout = () => {
    // A field that is taken out of the page has no size any more, and has one again when it is put back.
    if (field.isConnected !== (outside !== undefined)) {
      outside?.();
      outside = listenOutside(field, controller, resized);
      controller.leave();
    }
    for (const companion of companions) {
      if (outside) companion.attach();
      else companion.detach();
    }
    controller.redraw();
  };
  const resized = new ResizeObserver(relayout);
  resized.observe(field);
  let outside = listenOutside(field, controller, resized);
  return () => {
    listeners.abort();
    outside?.();
    resized.disconnect();
  };
}

/** Keeps an event from everybody else if it is acted on. */
function useUp<E extends Event>(acts: (event: E) => boolean): (event: E) => void {
  return (event) => {
    if (event.defaultPrevented || !acts(event)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  };
}

function listenToField(field: HTMLElement, controller: Controller, signal: AbortSignal): void {
  const options = { signal };
  field.addEventListener("input", (event) => controller.sync(TYPED.test((event as InputEvent).inputType)), options);
  field.addEventListener("keyup", () => controller.sync(), options);
  field.addEventListener("compositionstart", () => controller.compose(true), options);
  field.addEventListener("compositionend", () => controller.compose(false), options);
  // Safari ends a composition before the key that ended it; that key has the code of a composed one.
  const key = useUp((event: KeyboardEvent) => event.keyCode !== COMPOSED_KEY && controller.key(event));
  // Before the page's own listeners on the field, one of which may send the text at Enter.
  field.addEventListener("keydown", key, { signal, capture: true });
  // After them: one that refuses what is typed is heard.
  const input = useUp((event: InputEvent) => event.cancelable && !event.isComposing && controller.input(event));
  field.addEventListener("beforeinput", input, options);
  lookWhileFocused(field, controller, options);
}

function lookWhileFocused(field: HTMLElement, controller: Controller, options: { readonly signal: AbortSignal }): void {
  let timer: ReturnType<typeof setInterval> | undefined;
  const stop = () => clearInterval(timer);
  const look = () => {
    stop();
    controller.sync();
    timer = setInterval(() => (field.isConnected ? controller.sync() : stop()), LOOK_MS);
  };
  const leave = () => {
    stop();
    controller.leave();
  };
  field.addEventListener("focus", look, options);
  field.addEventListener("blur", leave, options);
  options.signal.addEventListener("abort", stop);
  if ((field.getRootNode() as Document | ShadowRoot).activeElement === field) look();
}

/** What is watched as long as the field is in the document, which would keep it for ever. */
function listenOutside(field: HTMLElement, controller: Controller, resized: ResizeObserver): (() => void) | undefined {
  if (!field.isConnected) return undefined;
  const { ownerDocument } = field;
  const { documentElement } = ownerDocument;
  const left = new AbortController();
  const options = { signal: left.signal, capture: true };
  const redraw = () => controller.redraw();
  ownerDocument.addEventListener("selectionchange", () => controller.sync(), options);
  // The field's own text, or whatever the field is in: the views may lie outside of that. A shadow root tells nobody of
  // what is scrolled in it.
  for (const root of [ownerDocument, field.getRootNode()]) root.addEventListener("scroll", redraw, options);
  // What grows above the field moves it.
  resized.observe(documentElement);
  return () => {
    left.abort();
    resized.unobserve(documentElement);
  };
}

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
  let outside = listenOutside(field, controller);

  const relayout = () => {
    // A field that is taken out of the page has no size any more, and has one again when it is put back.
    if (field.isConnected !== (outside !== undefined)) {
      outside?.abort();
      outside = field.isConnected ? listenOutside(field, controller) : undefined;
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
  // What grows above the field moves it.
  resized.observe(field.ownerDocument.documentElement);
  return () => {
    listeners.abort();
    outside?.abort();
    resized.disconnect();
  };
}

function on<E extends Event>(target: EventTarget, types: string[], signal: AbortSignal, listener: (event: E) => void) {
  for (const type of types) target.addEventListener(type, listener as (event: Event) => void, { signal });
}

/** Keeps an event from everybody else if it is acted on. */
function useUp<E extends Event>(target: EventTarget, type: string, signal: AbortSignal, acts: (event: E) => boolean) {
  on(target, [type], signal, (event: E) => {
    if (event.defaultPrevented || !acts(event)) return;
    event.preventDefault();
    event.stopPropagation();
  });
}

function listenToField(field: HTMLElement, controller: Controller, signal: AbortSignal): void {
  on(field, ["input"], signal, ({ inputType }: InputEvent) => controller.sync(TYPED.test(inputType)));
  on(field, ["focus", "keyup"], signal, () => controller.sync());
  on(field, ["blur"], signal, () => controller.leave());
  on(field, ["compositionstart"], signal, () => controller.compose(true));
  on(field, ["compositionend"], signal, () => controller.compose(false));
  // Safari ends a composition before the key that ended it; that key has the code of a composed one.
  useUp(field, "keydown", signal, (event: KeyboardEvent) => event.keyCode !== COMPOSED_KEY && controller.key(event));
  useUp(
    field,
    "beforeinput",
    signal,
    (event: InputEvent) => event.cancelable && !event.isComposing && controller.input(event),
  );
  on(field, ["scroll"], signal, () => controller.redraw());
  lookWhileFocused(field, controller, signal);
}

function lookWhileFocused(field: HTMLElement, controller: Controller, signal: AbortSignal): void {
  let timer: ReturnType<typeof setInterval> | undefined;
  const stop = () => clearInterval(timer);
  const look = () => {
    stop();
    timer = setInterval(() => (field.isConnected ? controller.sync() : stop()), LOOK_MS);
  };
  on(field, ["focus"], signal, look);
  on(field, ["blur"], signal, stop);
  signal.addEventListener("abort", stop);
  if ((field.getRootNode() as Document | ShadowRoot).activeElement === field) look();
}

/** The document would keep a field that has left it. */
function listenOutside(field: HTMLElement, controller: Controller): AbortController | undefined {
  if (!field.isConnected) return undefined;
  const listeners = new AbortController();
  on(field.ownerDocument, ["selectionchange"], listeners.signal, () => controller.sync());
  return listeners;
}

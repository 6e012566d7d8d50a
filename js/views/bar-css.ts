/* The bar's look: the page's own colours, unless custom properties or ::part(option) say otherwise. */

export const BAR_CSS = `
:host {
  all: initial;
  color-scheme: inherit;
  font: inherit;
  position: relative !important;
  display: block;
  box-sizing: border-box;
  margin-top: var(--lm-bar-gap, 0.375rem);
  color: var(--lm-bar-color, CanvasText);
  background: var(--lm-bar-background, color-mix(in srgb, CanvasText 4%, Canvas));
  --line: 1px solid var(--lm-bar-border-color, color-mix(in srgb, CanvasText 16%, Canvas));
  border: var(--line);
  border-radius: var(--lm-bar-radius, 0.5rem);
  overflow: hidden;
}
:host([data-over]) {
  position: absolute !important;
  z-index: var(--lm-bar-z-index, 10);
  box-shadow: 0 0.25rem 1rem rgb(0 0 0 / 0.18);
}
:host([data-idle]), .option[data-empty] { visibility: hidden; }
.words { display: flex; flex: 1; }
.option {
  flex: 1;
  min-width: 0;
  min-height: var(--lm-bar-height, 2.5rem);
  padding: 0 0.25rem;
  display: flex;
  align-items: center;
  justify-content: center;
  font-size: var(--lm-bar-font-size, 0.9375rem);
  line-height: 1.2;
  cursor: pointer;
  -webkit-user-select: none;
  touch-action: manipulation;
}
.option[data-asking] { flex-grow: 2; }
.option + .option { border-inline-start: var(--line); }
.option:hover { background: var(--lm-bar-hover, color-mix(in srgb, CanvasText 8%, Canvas)); }
.option:active, .option[data-active] { background: var(--lm-bar-active, color-mix(in srgb, CanvasText 16%, Canvas)); }
.option[data-active] { box-shadow: inset 0 0 0 2px var(--lm-bar-focus-color, Highlight); }
slot {
  display: block;
  overflow: hidden;
  text-overflow: ellipsis;
  white-space: pre;
}
::slotted(lm-word) { all: unset !important; }
/* A word that needs the room has it: the key has a width from so many rem on. */
.key {
  display: none;
  flex: none;
  width: clamp(0px, (100% - 5.5rem) * 9, 1.2em);
  overflow: hidden;
  font-size: 0.75em;
  opacity: 0.65;
}
@media (hover: hover) and (pointer: fine) { .option:not([data-asking]) .key { display: block; } }
@media (pointer: coarse) { .option { min-height: var(--lm-bar-height, 2.75rem); } }
@media (forced-colors: active) {
  .option:hover, .option[data-active] { background: Highlight; forced-color-adjust: none; color: HighlightText; }
}
`;

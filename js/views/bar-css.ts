/* The bar's look: the page's own colours, unless custom properties or ::part(option) say otherwise. */

export const BAR_CSS = `
:host {
  all: initial;
  color-scheme: inherit;
  font: inherit;
  position: relative;
  display: block;
  box-sizing: border-box;
  max-width: 100%;
  margin-top: var(--lm-bar-gap, 0.375rem);
  color: var(--lm-bar-color, CanvasText);
  background: var(--lm-bar-background, color-mix(in srgb, CanvasText 4%, Canvas));
  --line: 1px solid var(--lm-bar-border-color, color-mix(in srgb, CanvasText 16%, Canvas));
  --press: var(--lm-bar-active, color-mix(in srgb, CanvasText 16%, Canvas));
  border: var(--line);
  border-radius: var(--lm-bar-radius, 0.5rem);
  overflow: hidden;
}
:host([data-over]) {
  position: absolute;
  z-index: var(--lm-bar-z-index, 10);
  box-shadow: 0 0.25rem 1rem rgb(0 0 0 / 0.18);
}
:host([data-idle]), .option[data-empty] { visibility: hidden; }
.words { display: flex; }
.option {
  box-sizing: border-box;
  flex: 1 1 0;
  min-width: 0;
  min-height: var(--lm-bar-height, 2.5rem);
  padding: 0 0.625rem;
  display: flex;
  align-items: center;
  justify-content: center;
  gap: 0.5em;
  font-size: var(--lm-bar-font-size, 0.9375rem);
  line-height: 1.2;
  cursor: pointer;
  user-select: none;
  -webkit-user-select: none;
  touch-action: manipulation;
}
.option[data-asking] { flex-grow: 2; }
.option + .option { border-inline-start: var(--line); }
.option:hover { background: var(--lm-bar-hover, color-mix(in srgb, CanvasText 8%, Canvas)); }
.option:active, .option[data-active] { background: var(--press); }
.option[data-active] { box-shadow: inset 0 0 0 2px var(--lm-bar-focus-color, Highlight); }
::slotted(lm-word) {
  display: block !important;
  min-width: 0 !important;
  font: inherit !important;
  color: inherit !important;
  overflow: hidden !important;
  text-overflow: ellipsis !important;
  white-space: pre !important;
}
.key { display: none; font-size: 0.75em; opacity: 0.65; }
@media (hover: hover) and (pointer: fine) { .option:not([data-asking]) .key { display: block; } }
@media (pointer: coarse) { .option { min-height: var(--lm-bar-height, 2.75rem); } }
@media (forced-colors: active) {
  .option:hover, .option[data-active] { forced-color-adjust: none; color: HighlightText; background: Highlight; }
}
`;

/** Private predictive text for web pages: a small language model in WebAssembly suggests the next word. */

export { attach, type AttachOptions } from "./attach.js";
export { LmError, type LmErrorCode } from "./errors.js";
export type { ModelSource } from "./load.js";
export {
  Predictor,
  type LoadOptions,
  type Progress,
  type Ready,
  type SuggestOptions,
  type Suggester,
  type Suggestion,
  type Transform,
} from "./predictor.js";
export type { PersonalWords } from "./personal.js";
export type { Download, ModelInfo, Phrase } from "./protocol.js";
export type { Texts } from "./texts.js";

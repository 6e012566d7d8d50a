/**
 * Why something failed, for code that must tell errors apart:
 *
 * - `not-a-model`, `wrong-version`, `truncated`, `corrupt`, `unsupported`, `limit-exceeded`: the bytes of the model;
 * - `personal-words`: text that {@link PersonalWords.import} cannot read;
 * - `network`: a file could not be fetched;
 * - `integrity`: a file is not the one that was expected;
 * - `wasm`: the WebAssembly module could not be compiled, or it broke down;
 * - `worker`: the worker could not be started, or it broke down;
 * - `superseded`: a newer request took this one's place before it was begun;
 * - `disposed`: the predictor is no longer there;
 * - `field`: a field that suggestions must not be attached to;
 * - `argument`: a value that the library cannot use.
 */
export type LmErrorCode =
  | "not-a-model"
  | "wrong-version"
  | "truncated"
  | "corrupt"
  | "unsupported"
  | "limit-exceeded"
  | "personal-words"
  | "network"
  | "integrity"
  | "wasm"
  | "worker"
  | "superseded"
  | "disposed"
  | "field"
  | "argument";

/** What the library throws: the message names the thing at fault and what to do about it. */
export class LmError extends Error {
  /** `"LmError"`, by which an error is known that comes from another realm. */
  override readonly name = "LmError";
  /** Why it failed. */
  readonly code: LmErrorCode;

  constructor(code: LmErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** For what nobody awaits: an error is written to the console, unless it is a cancellation. */
export function report(error: unknown): void {
  if (!isCancellation(error)) console.error(error);
}

/** Whether an error only says that nobody waits for the answer any more. */
export function isCancellation(error: unknown): boolean {
  const { code, name } = Object(error) as { code?: unknown; name?: unknown };
  return code === "superseded" || code === "disposed" || name === "AbortError";
}

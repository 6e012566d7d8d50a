/**
 * Hooks for React 18 and later.
 *
 * ```tsx
 * const { predictor } = usePredictor("en");
 * const field = useSuggestions<HTMLTextAreaElement>(predictor);
 * return <textarea ref={field} />;
 * ```
 *
 * @module
 */

import { useCallback, useEffect, useRef, useState, type RefCallback, type RefObject } from "react";

import { attach, type AttachOptions } from "./attach.js";
import type { ModelSource } from "./load.js";
import { Predictor, type LoadOptions, type Progress, type Suggester } from "./predictor.js";

/** What {@link usePredictor} knows so far. */
export interface PredictorState {
  /** The predictor, once it is loaded. */
  readonly predictor?: Predictor;
  /** How far loading is. */
  readonly progress?: Progress;
  /** Why it could not be loaded. */
  readonly error?: unknown;
}

/**
 * Loads a model as long as the component is mounted, and disposes of it then. On a server it does nothing.
 *
 * Each call has a worker and a model of its own: call it once, high up, and pass the predictor down.
 *
 * @param source see {@link Predictor.load}; another name, address or array loads anew
 * @param options see {@link Predictor.load}; another value of `personal` loads anew, any other change counts from the
 *   next load on
 */
export function usePredictor(source: ModelSource, options: Omit<LoadOptions, "signal"> = {}): PredictorState {
  const [state, setState] = useState<PredictorState>({});
  const latest = useLatest(options);
  const key = source instanceof URL ? source.href : source;
  const { personal } = options;
  useEffect(() => {
    const ended = new AbortController();
    const { signal } = ended;
    let loaded: Predictor | undefined;
    const onProgress = (progress: Progress) => {
      latest.current.onProgress?.(progress);
      if (!signal.aborted) setState((state) => ({ ...state, progress }));
    };
    setState({});
    Predictor.load(key, { ...latest.current, onProgress, signal }).then(
      (predictor) => {
        if (signal.aborted) return predictor.dispose();
        loaded = predictor;
        setState((state) => ({ ...state, predictor }));
      },
      (error: unknown) => {
        if (!signal.aborted) setState((state) => ({ ...state, error }));
      },
    );
    return () => {
      ended.abort();
      // Where a field goes with it, that is detached after this, and has a last word to be learned.
      queueMicrotask(() => loaded?.dispose());
    };
  }, [key, personal]);
  return state;
}

/**
 * Attaches suggestions to the element that gets the ref, as long as there are both.
 *
 * @param suggester a predictor, or nothing as long as there is none
 * @param options see {@link attach}; those of the time when it attaches count, callbacks are always the latest ones
 * @returns a ref for a text field
 */
export function useSuggestions<Field extends HTMLElement>(
  suggester: Suggester | undefined,
  options: AttachOptions = {},
): RefCallback<Field> {
  const [field, setField] = useState<Field | null>(null);
  const latest = useLatest(options);
  useEffect(() => {
    if (!field || !suggester) return undefined;
    return attach(field, suggester, {
      ...latest.current,
      onAccept: (suggestion) => latest.current.onAccept?.(suggestion),
      onError: (error) => (latest.current.onError ?? console.error)(error),
    });
  }, [field, suggester]);
  return useCallback((element: Field | null) => setField(element), []);
}

/** The value of the latest render, for what is called after it. */
function useLatest<Value>(value: Value): RefObject<Value> {
  const latest = useRef(value);
  useEffect(() => {
    latest.current = value;
  });
  return latest;
}

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

import { useCallback, useEffect, useRef, useState, type RefCallback } from "react";

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
 * @param source see {@link Predictor.load}; another name or address loads anew
 * @param options see {@link Predictor.load}; those of the first render count
 */
export function usePredictor(source: ModelSource, options: Omit<LoadOptions, "signal"> = {}): PredictorState {
  const [state, setState] = useState<PredictorState>({});
  const first = useRef(options);
  const key = source instanceof URL ? source.href : source;
  useEffect(() => {
    const ended = new AbortController();
    const { signal } = ended;
    let loaded: Predictor | undefined;
    const onProgress = (progress: Progress) => {
      first.current.onProgress?.(progress);
      if (!signal.aborted) setState((state) => ({ ...state, progress }));
    };
    setState({});
    Predictor.load(key, { ...first.current, onProgress, signal }).then(
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
      loaded?.dispose();
    };
  }, [key]);
  return state;
}

/**
 * Attaches suggestions to the element that gets the ref, as long as there are both.
 *
 * @param suggester a predictor, or nothing as long as there is none
 * @param options see {@link attach}; those of the first render count
 * @returns a ref for a text field
 */
export function useSuggestions<Field extends HTMLElement>(
  suggester: Suggester | undefined,
  options: AttachOptions = {},
): RefCallback<Field> {
  const [field, setField] = useState<Field | null>(null);
  const first = useRef(options);
  useEffect(() => (field && suggester ? attach(field, suggester, first.current) : undefined), [field, suggester]);
  return useCallback((element: Field | null) => setField(element), []);
}

import { effect } from "@preact/signals";
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { isAbandoned } from "../api/client";
import { answered } from "../fleet/fleet";
import { isPassing, readable } from "../fleet/store";

export interface Loading<T> {
  /** What was loaded last; undefined before the first time. It stays while it is loaded again. */
  value: T | undefined;
  /** Why the last try failed; undefined where it did not. */
  failure: unknown;
  busy: boolean;
  again: () => void;
}

/**
 * Loads something for a page, again whenever one of `on` changes; what is no longer wanted is given up. What was refused
 * for something that passes is loaded again by itself, once the server says that it may be had.
 */
export function useLoading<T>(load: (signal: AbortSignal) => Promise<T>, on: readonly unknown[]): Loading<T> {
  const [state, setState] = useState<{ value: T | undefined; failure: unknown; busy: boolean }>({ value: undefined, failure: undefined, busy: true });
  const [round, setRound] = useState(0);
  const latest = useRef(load);
  latest.current = load;
  useEffect(() => {
    const gone = new AbortController();
    setState((before) => ({ ...before, busy: true }));
    latest
      .current(gone.signal)
      .then((value) => {
        if (!gone.signal.aborted) setState({ value, failure: undefined, busy: false });
      })
      .catch((failure: unknown) => {
        if (!gone.signal.aborted && !isAbandoned(failure)) setState((before) => ({ ...before, failure, busy: false }));
      });
    return () => gone.abort();
    // The reasons to load again are the caller's.
  }, [...on, round]);
  const again = useCallback(() => setRound((n) => n + 1), []);
  useEffect(() => (isPassing(state.failure) ? onceReadable(again) : undefined), [state.failure]);
  return { ...state, again };
}

/** Does something once, at the next time that the server says how it stands and the database answers questions. Gives what ends it. */
function onceReadable(act: () => void): () => void {
  const before = answered.peek();
  let done = false;
  return effect(() => {
    if (done || answered.value === before || !readable.value) return;
    done = true;
    act();
  });
}

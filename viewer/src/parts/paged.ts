import { useEffect, useState } from "preact/hooks";
import { useLoading } from "./loading";

/** Where a list goes on; null at its end. */
export type Cursor = string | number | null;

export interface Paged<P> {
  pages: P[];
  /** Whether there are more. */
  hasMore: boolean;
  busy: boolean;
  failure: unknown;
  again: () => void;
  /** Asks for the next page. */
  more: () => void;
}

/** Loads a list page by page. What asks for another list must be another element: give it a key. */
export function usePages<P extends { next: Cursor }>(load: (before: Cursor, signal: AbortSignal) => Promise<P>, on: readonly unknown[]): Paged<P> {
  const [pages, setPages] = useState<P[]>([]);
  const [wanted, setWanted] = useState<Cursor>(null);
  const loading = useLoading((signal) => load(wanted, signal), [wanted, ...on]);
  useEffect(() => {
    const page = loading.value;
    if (page) setPages((before) => (wanted === null ? [page] : before.includes(page) ? before : [...before, page]));
  }, [loading.value]);
  const next = pages.at(-1)?.next ?? null;
  return { pages, hasMore: next !== null, busy: loading.busy, failure: loading.failure, again: loading.again, more: () => setWanted(next) };
}

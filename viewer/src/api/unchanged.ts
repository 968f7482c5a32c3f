import { Failure, request } from "./client";

/**
 * Asks for lists that are long and seldom others: where the server says that one is that of before, it is not sent again, and the very
 * list of before is given. What is remembered goes with the function that is given back.
 */
export function remembering<T>(): (path: string, signal: AbortSignal) => Promise<T> {
  const kept = new Map<string, { tag: string; list: T }>();
  return async (path, signal) => {
    const before = kept.get(path);
    const response = await request(path, before ? { signal, known: before.tag } : { signal });
    if (before && response.status === 304) return before.list;
    let list: T;
    try {
      list = (await response.json()) as T;
    } catch (cause) {
      if (signal.aborted) throw cause;
      throw new Failure(response.status, "not-understood", "");
    }
    const tag = response.headers.get("ETag");
    if (tag) kept.set(path, { tag, list });
    else kept.delete(path);
    return list;
  };
}

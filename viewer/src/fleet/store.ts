import { computed } from "@preact/signals";
import { Failure } from "../api/client";
import type { Store } from "../api/types";
import { status } from "./fleet";

// What the database being away, read-only or full means to the pages. The server's status says how it stands; a question
// that is refused has the status asked again at once.

/** How the database stands; "ok" before the server has said it. */
export const storeState = computed<Store["state"]>(() => status.value?.store.state ?? "ok");

/** Whether the database answers questions: history and completeness. */
export const readable = computed(() => storeState.value !== "away");

/** Whether the database takes changes. */
export const writable = computed(() => storeState.value === "ok");

/** Whether a question was refused for something that comes back by itself. */
export function isPassing(cause: unknown): cause is Failure {
  return cause instanceof Failure && cause.status === 503;
}

/** Whether a question was refused because the database is away. */
export function isAway(cause: unknown): boolean {
  return isPassing(cause) && (cause.code === "store-away" || !readable.value);
}

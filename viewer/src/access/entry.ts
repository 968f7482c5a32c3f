import { signal } from "@preact/signals";

// What stands behind the `#` of an address, where no server and no log sees it: the secret of the first sign-in, that of an
// invitation, or why signing in elsewhere did not work.

export type Entry = { kind: "first" | "link"; secret: string } | { kind: "failed"; code: string };

/** What the address brought; null once it has been dealt with. */
export const entry = signal<Entry | null>(null);

/** Reads what stands behind the `#`; null where it is nothing of ours. */
export function entryOf(hash: string): Entry | null {
  const parts = new URLSearchParams(hash.replace(/^#/, ""));
  for (const kind of ["first", "link"] as const) {
    const secret = parts.get(kind);
    if (secret !== null) return { kind, secret };
  }
  const code = parts.get("sign-in");
  return code === null ? null : { kind: "failed", code };
}

/** Takes the secret out of what was pasted: the secret itself, or the whole address that the server printed. */
export function secretOf(pasted: string): string {
  return /[#&](?:first|link)=([^&\s]+)/.exec(pasted)?.[1] ?? pasted.trim();
}

/** Takes what the address brings, now and when it changes, and cleans the address bar. Gives what ends it. */
export function watchEntry(): () => void {
  const take = () => {
    const found = entryOf(location.hash);
    if (!found) return;
    history.replaceState(null, "", location.pathname + location.search);
    entry.value = found;
  };
  take();
  addEventListener("hashchange", take);
  return () => removeEventListener("hashchange", take);
}

import { computed, signal } from "@preact/signals";

// The address bar is the state of the page: what a person sees can be sent to another person as a link.

const here = signal(location.pathname + location.search);

/** The path of the page: "/devices/12". */
export const path = computed(() => new URL(here.value, location.origin).pathname);

/** What stands behind the question mark. */
export const query = computed(() => new URLSearchParams(new URL(here.value, location.origin).search));

/** Goes to an address of the viewer. Replacing leaves no step for the back button. */
export function go(to: string, replace = false): void {
  if (to === location.pathname + location.search) return;
  if (replace) history.replaceState(null, "", to);
  else history.pushState(null, "", to);
  here.value = to;
}

/** Follows the back button, and turns clicks on the viewer's own links into changes of page. Gives what ends it. */
export function watchAddress(): () => void {
  const stopped = new AbortController();
  const { signal: end } = stopped;
  addEventListener("popstate", () => (here.value = location.pathname + location.search), { signal: end });
  document.addEventListener(
    "click",
    (event) => {
      if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
      const link = event.target instanceof Element ? event.target.closest("a") : null;
      if (!link || link.target || link.hasAttribute("download") || link.origin !== location.origin) return;
      if (link.hash || link.pathname.startsWith("/api/")) return;
      event.preventDefault();
      go(link.pathname + link.search);
    },
    { signal: end },
  );
  return () => stopped.abort();
}

import type { LiveMessage } from "./types";
import { root } from "./client";

/** Who listens to the live stream. */
export interface Listeners {
  /** The stream stands; what came while it did not stand must be loaded. */
  open: () => void;
  message: (message: LiveMessage) => void;
  /** Devices are new or changed, or events were dropped: what is shown must be loaded again. */
  stale: () => void;
  /** The stream is cut; it is tried again. */
  cut: () => void;
}

/** The waits before the tries, in milliseconds; the last one stays. A little luck keeps many viewers from coming back at once. */
const waits = [500, 1_000, 2_000, 5_000, 10_000, 20_000];

/** The wait before a try. Luck is from 0 to 1. */
export function waitBefore(attempt: number, luck: number): number {
  const wait = waits[Math.min(attempt, waits.length - 1)] ?? 0;
  return wait * (0.75 + luck / 2);
}

/** Follows the live stream until the function that it returns is called. */
export function follow(listeners: Listeners): () => void {
  let source: EventSource | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let attempt = 0;
  let ended = false;

  const connect = () => {
    const stream = new EventSource(`${root}/live`);
    source = stream;
    stream.addEventListener("hello", () => {
      attempt = 0;
      listeners.open();
    });
    stream.addEventListener("message", (event: MessageEvent<string>) => {
      const message = messageOf(event.data);
      if (message) listeners.message(message);
    });
    stream.addEventListener("devices", () => listeners.stale());
    stream.addEventListener("missed", () => listeners.stale());
    // The browser's own way to connect again gives up for good on some answers; ours does not.
    stream.addEventListener("error", () => {
      if (ended || source !== stream) return;
      stream.close();
      listeners.cut();
      timer = setTimeout(connect, waitBefore(attempt++, Math.random()));
    });
  };
  connect();
  return () => {
    ended = true;
    clearTimeout(timer);
    source?.close();
  };
}

function messageOf(data: string): LiveMessage | undefined {
  try {
    const message = JSON.parse(data) as LiveMessage;
    return typeof message.device_id === "number" && Array.isArray(message.values) ? message : undefined;
  } catch {
    return undefined;
  }
}

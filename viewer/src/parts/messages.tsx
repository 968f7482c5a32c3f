import type { Status } from "../api/types";
import { severityName } from "../words/device";
import { visible } from "../words/text";

/**
 * What the server itself has to say: each message names what is wrong and what to do. What the note on the database says
 * above every page is not said again.
 */
export function Messages({ of }: { of: Status | null }) {
  const messages = of?.messages.filter((m) => of.store.state === "ok" || m.code !== `store-${of.store.state}`) ?? [];
  if (messages.length === 0) return null;
  return (
    <ul class="messages">
      {messages.map((message) => (
        <li key={message.code} class={message.severity}>
          <b>{severityName(message.severity)}</b> {visible(message.text)}
        </li>
      ))}
    </ul>
  );
}

import type { Status } from "../api/types";
import { severityName } from "../words/device";
import { visible } from "../words/text";

/** What the server itself has to say: each message names what is wrong and what to do. */
export function Messages({ of }: { of: Status | null }) {
  if (!of || of.messages.length === 0) return null;
  return (
    <ul class="messages">
      {of.messages.map((message) => (
        <li key={message.code} class={message.severity}>
          <b>{severityName(message.severity)}</b> {visible(message.text)}
        </li>
      ))}
    </ul>
  );
}

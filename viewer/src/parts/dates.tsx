import { useId, useState } from "preact/hooks";
import type { Range } from "../chart/range";
import { Dialog } from "./dialog";
import { offset } from "../words/format";
import { t } from "../words/messages";

/** A time as the browser's own field for local times writes it. */
export function localText(ms: number): string {
  const at = new Date(ms);
  const two = (n: number) => String(n).padStart(2, "0");
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}T${two(at.getHours())}:${two(at.getMinutes())}`;
}

interface Props {
  range: Range;
  onRange: (range: Range) => void;
  onClose: () => void;
  /** What the dates are for, where it is not for showing them. */
  title?: string;
  what?: string;
  act?: string;
}

/** Asks for a stretch of time between two dates. */
export function DatesDialog({ range, onRange, onClose, title, what, act: word }: Props) {
  const [from, setFrom] = useState(localText(range.from));
  const [to, setTo] = useState(localText(range.to));
  const id = useId();
  const chosen = { from: new Date(from).getTime(), to: new Date(to).getTime() };
  const wrong = !(chosen.from < chosen.to);
  const act = () => {
    onRange(chosen);
    return Promise.resolve();
  };
  const field = (name: string, label: string, value: string, set: (value: string) => void) => (
    <p class="field">
      <label for={`${id}-${name}`}>{label}</label>
      <input id={`${id}-${name}`} type="datetime-local" value={value} required aria-invalid={wrong} aria-describedby={`${id}-zone`} onInput={(event) => set(event.currentTarget.value)} />
    </p>
  );
  return (
    <Dialog title={title ?? t("dates.title")} act={word ?? t("dates.act")} ready={!wrong} onAct={act} onClose={onClose}>
      {what && <p>{what}</p>}
      {field("from", t("dates.from"), from, setFrom)}
      {field("to", t("dates.to"), to, setTo)}
      <p id={`${id}-zone`} class="hint">
        {wrong ? t("dates.wrong") : t("dates.zone", { offset: offset(chosen.from) })}
      </p>
    </Dialog>
  );
}

import { useId, useState } from "preact/hooks";
import type { Range } from "../chart/range";
import { Dialog } from "./dialog";
import { offset, zone } from "../words/format";
import { t } from "../words/messages";
import { fromLocalText, localText } from "../words/zone";

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
  const [from, setFrom] = useState(localText(range.from, zone.value));
  const [to, setTo] = useState(localText(range.to, zone.value));
  const id = useId();
  const chosen = { from: fromLocalText(from, zone.value), to: fromLocalText(to, zone.value) };
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
        {wrong ? t("dates.wrong") : zoneWords(chosen.from)}
      </p>
    </Dialog>
  );
}

/** Of which zone the times of a field are; of one instant nothing is said of an end. */
export function zoneWords(ms: number, single = false): string {
  if (!zone.value) return t(single ? "tree.browser-zone" : "dates.zone", { offset: offset(ms) });
  return t(single ? "tree.zone" : "tree.dates-zone", { zone: zone.value, offset: offset(ms) });
}

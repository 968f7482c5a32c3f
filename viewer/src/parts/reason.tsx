import { storeState } from "../fleet/store";
import { t } from "../words/messages";
import { noChangeWords } from "../words/store";
import { Field } from "./dialog";

/** The longest reason of a change of organizations, places and rights, in characters. */
export const mostReason = 1_000;

/** The reason of a change, which is kept with it. */
export function ReasonField({ value, onValue }: { value: string; onValue: (value: string) => void }) {
  return <Field label={t("field.reason")} hint={t("field.reason-hint")} value={value} most={mostReason} required onValue={onValue} />;
}

/** Says why nothing can be changed now; nothing while it can. */
export function NoChangeNote() {
  const why = noChangeWords(storeState.value);
  return <div role="status">{why && <p class="note wanting">{why}</p>}</div>;
}

/** Whether changes can be kept now. */
export function canChange(): boolean {
  return !noChangeWords(storeState.value);
}

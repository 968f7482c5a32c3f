import { useId, useState } from "preact/hooks";
import { ask } from "../api/client";
import type { Gap } from "../api/proof";
import type { Range } from "../chart/range";
import type { Explained } from "../chart/subject";
import { asOf, may } from "../fleet/fleet";
import { storeState } from "../fleet/store";
import { causeName, causeWords, sayableCauses } from "../words/device";
import { millis, near, span } from "../words/format";
import { t } from "../words/messages";
import { noChangeWords } from "../words/store";
import { visible } from "../words/text";
import { announce } from "./announce";
import { Dialog, Field } from "./dialog";
import { Table } from "./table";

interface Props {
  /** The device that a gap is of; null where it may be of several, so that nothing can be said of it here. */
  deviceOf: (gap: Range) => Explained | null;
  /** Of which family the devices are; "" where of several. */
  family: string;
  /** The gaps in the order in which they are listed. */
  gaps: Gap[];
  label: string;
  /** A person has said a cause: what is shown should be loaded again. */
  onExplained: () => void;
}

/** The longest note in characters. */
const mostNote = 500;

/** Spans in which messages are missing: how many, why, and who said so. */
export function GapTable({ deviceOf, family, gaps, label, onExplained }: Props) {
  const [explaining, setExplaining] = useState<{ gap: Gap; device: Explained } | null>(null);
  const explains = may("gap.explain");
  return (
    <>
      <Table
        label={label}
        class="gaps stacked named"
        columns={[
          t("gaps.from"),
          t("gaps.long"),
          { name: t("gaps.messages"), class: "num" },
          t("gaps.cause"),
          explains && { name: t("devices.act"), unseen: true },
        ]}
      >
        {gaps.map((gap) => {
          const device = explains && sayableCauses(gap.cause, Boolean(gap.by)).length > 0 ? deviceOf({ from: millis(gap.from) ?? 0, to: millis(gap.to) ?? 0 }) : null;
          return <GapRow key={`${gap.from} ${gap.cause}`} gap={gap} family={device?.family ?? family} onExplain={device && (() => setExplaining({ gap, device }))} acts={explains} />;
        })}
      </Table>
      {explaining && <ExplainDialog {...explaining} onDone={onExplained} onClose={() => setExplaining(null)} />}
    </>
  );
}

function GapRow({ gap, family, onExplain, acts }: { gap: Gap; family: string; onExplain: (() => void) | null; acts: boolean }) {
  const from = millis(gap.from) ?? 0,
    to = millis(gap.to) ?? 0;
  return (
    <tr>
      <td data-label={t("gaps.from")}>{near(from, asOf.value)}</td>
      <td data-label={t("gaps.long")}>{span((to - from) / 1000)}</td>
      <td class="num" data-label={t("gaps.messages")}>
        {t("count", { n: gap.messages })}
      </td>
      <td data-label={t("gaps.cause")}>
        {causeWords(gap.cause, family)}
        <Mark gap={gap} />
      </td>
      {acts && (
        <td class={onExplain ? "num" : "num void"}>
          {onExplain && (
            <button type="button" class="btn small" aria-label={t("gaps.explain-name", { from: near(from, asOf.value) })} onClick={onExplain}>
              {t("gaps.explain")}
            </button>
          )}
        </td>
      )}
    </tr>
  );
}

/** Who said the cause of a gap, when, and what they noted; nothing where nobody did. */
function Mark({ gap }: { gap: Gap }) {
  const at = millis(gap.at);
  if (!gap.by && !gap.note) return null;
  return (
    <small class="cell soft">
      {gap.note && <span>{t("gaps.note", { note: visible(gap.note) })} </span>}
      {gap.by && (at === null ? t("gaps.by", { by: visible(gap.by) }) : t("gaps.by-at", { by: visible(gap.by), at: near(at, asOf.value) }))}
    </small>
  );
}

/** Asks a person why messages are missing. Nothing becomes complete by it: the messages stay missing. */
function ExplainDialog({ device, gap, onDone, onClose }: { device: Explained; gap: Gap; onDone: () => void; onClose: () => void }) {
  const [cause, setCause] = useState(gap.by ? gap.cause : "");
  const [note, setNote] = useState(gap.note ?? "");
  const id = useId();
  const why = noChangeWords(storeState.value);
  const noted = cause === "switched-off";
  const from = millis(gap.from) ?? 0,
    to = millis(gap.to) ?? 0;
  const act = async () => {
    await ask(`/devices/${device.id}/gap-causes`, { method: "POST", body: { from: gap.from, to: gap.to, cause, note: note.trim() } });
    announce(t("explain.done"));
    onDone();
  };
  return (
    <Dialog title={t("explain.title")} act={t("explain.act")} ready={!why && cause !== ""} onAct={act} onClose={onClose}>
      <p>{t("explain.gap", { n: gap.messages, name: device.name, from: near(from, asOf.value), to: near(to, from) })}</p>
      <p class="soft">{t(gap.cause === "order-gap" ? "explain.order-gap" : "explain.what")}</p>
      <div role="status">{why && <p class="note wanting">{why}</p>}</div>
      <p class="field">
        <label for={id}>{t("gaps.cause")}</label>
        <select id={id} value={cause} required onChange={(event) => setCause(event.currentTarget.value)}>
          <option value="" disabled>
            {t("explain.choose")}
          </option>
          {sayableCauses(gap.cause, Boolean(gap.by)).map((c) => (
            <option key={c} value={c}>
              {c === "unknown" ? t("explain.unknown") : causeName(c)}
            </option>
          ))}
        </select>
      </p>
      <Field label={t(noted ? "explain.note-needed" : "explain.note")} hint={t("field.reason-hint")} value={note} most={mostNote} required={noted} onValue={setNote} />
    </Dialog>
  );
}

import { useState } from "preact/hooks";
import { ask } from "../api/client";
import type { Device } from "../api/types";
import { storeState } from "../fleet/store";
import { deviceName } from "../words/device";
import { t } from "../words/messages";
import { noChangeWords } from "../words/store";
import { visible } from "../words/text";
import { announce } from "./announce";
import { Dialog, Field } from "./dialog";
import { isWhere, newPlace, whereBody, WhereField, type Where } from "./where";

/** What a person may decide about a device. */
export type Decision = "accept" | "reject" | "suspend" | "retire" | "rename" | "release";

interface Props {
  device: Device;
  decision: Decision;
  onDone: (device: Device) => void;
  onClose: () => void;
}

/** The longest name and reason in characters. */
const mostName = 100,
  mostReason = 500;

const texts = {
  accept: { title: "accept.title", what: "accept.what", act: "accept.act", done: "accept.done" },
  reject: { title: "reject.title", what: "reject.what", act: "reject.act", done: "reject.done" },
  suspend: { title: "suspend.title", what: "suspend.what", act: "suspend.act", done: "suspend.done" },
  retire: { title: "retire.title", what: "retire.what", act: "retire.act", done: "retire.done" },
  release: { title: "release.title", what: "release.what", act: "release.act", done: "release.done" },
  rename: { title: "rename.title", what: "rename.what", act: "rename.act", done: "rename.done" },
} as const;

/** Asks for what a decision needs, and has it done. */
export function DecisionDialog({ device, decision, onDone, onClose }: Props) {
  const named = decision === "accept" || decision === "rename";
  const [name, setName] = useState(device.name);
  const [reason, setReason] = useState("");
  // Where it is put counts only the first time that it is accepted.
  const placed = decision === "accept" && (device.state === "new" || device.state === "rejected");
  const [where, setWhere] = useState<Where>(newPlace);
  const words = texts[decision];
  const shownName = deviceName(device);
  const why = noChangeWords(storeState.value);

  const act = async () => {
    const body = {
      ...(named && name.trim() && name.trim() !== device.name ? { name: name.trim() } : {}),
      ...(reason.trim() ? { reason: reason.trim() } : {}),
      ...(placed ? whereBody(where) : {}),
    };
    const path = `/devices/${device.id}`;
    const after = decision === "rename" ? await ask<Device>(path, { method: "PATCH", body }) : await ask<Device>(`${path}/${decision}`, { method: "POST", body });
    announce(t(words.done, { name: deviceName(after) }));
    onDone(after);
  };
  return (
    <Dialog title={t(words.title, { name: shownName })} act={t(words.act)} grave={!named} ready={!why && (!placed || isWhere(where))} onAct={act} onClose={onClose}>
      <p>{t(words.what)}</p>
      <div role="status">{why && <p class="note wanting">{why}</p>}</div>
      <dl class="facts-list">
        <dt>{t("device.serial")}</dt>
        <dd>{visible(device.serial)}</dd>
        {device.model && (
          <>
            <dt>{t("device.model")}</dt>
            <dd>{visible(device.model)}</dd>
          </>
        )}
      </dl>
      {named && <Field label={t("field.name")} hint={t("field.name-hint")} value={name} most={mostName} required={decision === "rename"} onValue={setName} />}
      {placed && <WhereField value={where} onValue={setWhere} />}
      <Field
        label={named ? t("field.reason-optional") : t("field.reason")}
        hint={t("field.reason-hint")}
        value={reason}
        most={mostReason}
        required={!named}
        onValue={setReason}
      />
    </Dialog>
  );
}

import { useState } from "preact/hooks";
import { ask } from "../api/client";
import type { PlacedDevice } from "../api/tree";
import { changes } from "../fleet/fleet";
import { NodeField } from "../tree/nodefield";
import { deviceName } from "../words/device";
import { t } from "../words/messages";
import { announce } from "./announce";
import { Dialog } from "./dialog";
import { homeNode } from "./placeedit";
import { canChange, NoChangeNote, ReasonField } from "./reason";

/** Gives a device that is at no place to another organization. */
export function MoveDeviceDialog({ device, onClose }: { device: PlacedDevice; onClose: () => void }) {
  const before = device.organization_id ?? homeNode();
  const [organization, setOrganization] = useState(before);
  const [why, setWhy] = useState("");
  const act = async () => {
    await ask(`/devices/${device.id}/move`, { method: "POST", body: { organization_id: organization, why: why.trim() } });
    announce(t("place.device-moved", { name: deviceName(device) }));
    changes.value++;
  };
  return (
    <Dialog title={t("place.move-device-title", { name: deviceName(device) })} act={t("place.move-act")} ready={organization !== before && canChange()} onAct={act} onClose={onClose}>
      <p>{t("place.move-device-what")}</p>
      <NoChangeNote />
      <NodeField label={t("place.organization")} value={organization} onValue={setOrganization} />
      <ReasonField value={why} onValue={setWhy} />
    </Dialog>
  );
}

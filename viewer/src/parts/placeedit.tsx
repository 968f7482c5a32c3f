import { useState } from "preact/hooks";
import { ask } from "../api/client";
import type { Place } from "../api/tree";
import type { Device } from "../api/types";
import { changes, serverNow } from "../fleet/fleet";
import { NodeField } from "../tree/nodefield";
import { choice, tree } from "../tree/tree";
import { deviceName, placeName } from "../words/device";
import { zone } from "../words/format";
import { t } from "../words/messages";
import { fromLocalText, localText } from "../words/zone";
import { announce } from "./announce";
import { accepted, Candidates } from "./candidates";
import { Dialog, Field } from "./dialog";
import { InstantField } from "./swap";
import { canChange, NoChangeNote, ReasonField } from "./reason";

/** The longest name of a place or organization in characters. */
export const mostName = 200;

/** The organization in which something new is made, unless a person chooses another: what is chosen, else the highest. */
export function homeNode(): number {
  return choice.value.id || tree.value.tops[0]?.id || 1;
}

interface EditProps {
  place: Place;
  onDone: () => void;
  onClose: () => void;
}

/** Renames a place or moves it to another organization. */
export function EditPlaceDialog({ place, onDone, onClose }: EditProps) {
  const [name, setName] = useState(place.name);
  const [organization, setOrganization] = useState(place.organization_id);
  const [why, setWhy] = useState("");
  const changed = {
    ...(name.trim() !== place.name ? { name: name.trim() } : {}),
    ...(organization !== place.organization_id ? { organization_id: organization } : {}),
  };
  const act = async () => {
    const after = await ask<Place>(`/places/${place.id}`, { method: "PATCH", body: { ...changed, why: why.trim() } });
    announce(t("place.changed", { name: placeName(after) }));
    changes.value++;
    onDone();
  };
  return (
    <Dialog title={t("place.edit-title", { name: placeName(place) })} act={t("place.save")} ready={Object.keys(changed).length > 0 && name.trim() !== "" && canChange()} onAct={act} onClose={onClose}>
      <NoChangeNote />
      <Field label={t("field.name")} value={name} most={mostName} required onValue={setName} />
      <NodeField label={t("place.organization")} value={organization} onValue={setOrganization} />
      {organization !== place.organization_id && <p class="note">{t("place.move-note")}</p>}
      <ReasonField value={why} onValue={setWhy} />
    </Dialog>
  );
}

/** Closes a place, or opens it again. */
export function ClosePlaceDialog({ place, onDone, onClose }: EditProps) {
  const [why, setWhy] = useState("");
  const act = async () => {
    await ask<Place>(`/places/${place.id}`, { method: "PATCH", body: { closed: !place.closed, why: why.trim() } });
    announce(t(place.closed ? "place.reopened" : "place.is-closed", { name: placeName(place) }));
    changes.value++;
    onDone();
  };
  return (
    <Dialog title={t(place.closed ? "place.reopen-title" : "place.close-title", { name: placeName(place) })} act={t(place.closed ? "place.reopen" : "place.close")} grave={!place.closed} ready={canChange()} onAct={act} onClose={onClose}>
      <p>{t(place.closed ? "place.reopen-what" : "place.close-what")}</p>
      <NoChangeNote />
      <ReasonField value={why} onValue={setWhy} />
    </Dialog>
  );
}

/** Makes a place. */
export function AddPlaceDialog({ onDone, onClose }: { onDone: (place: { id: number }) => void; onClose: () => void }) {
  const [name, setName] = useState("");
  const [organization, setOrganization] = useState(homeNode());
  const act = async () => {
    const place = await ask<{ id: number; name: string }>("/places", { method: "POST", body: { organization_id: organization, name: name.trim() } });
    announce(t("place.added", { name: placeName(place) }));
    changes.value++;
    onDone(place);
  };
  return (
    <Dialog title={t("place.add")} act={t("place.add-act")} ready={name.trim() !== "" && canChange()} onAct={act} onClose={onClose}>
      <p>{t("place.add-what")}</p>
      <NoChangeNote />
      <Field label={t("field.name")} value={name} most={mostName} required onValue={setName} />
      <NodeField label={t("place.organization")} value={organization} onValue={setOrganization} />
    </Dialog>
  );
}

/** Puts a device that is at no place here, with all its channels. */
export function AttachDialog({ place, onDone, onClose }: EditProps) {
  const [device, setDevice] = useState<Device | null>(null);
  const [at, setAt] = useState(localText(serverNow(), zone.value));
  const [untouched, setUntouched] = useState(true);
  const [why, setWhy] = useState("");
  const act = async () => {
    if (!device) return;
    if (device.state === "new") {
      // Accepting puts it here at once, from the first of what it sent.
      await ask(`/devices/${device.id}/accept`, { method: "POST", body: { place_id: place.id, reason: why.trim() } });
    } else {
      const { channels } = await accepted(device);
      const instant = untouched ? {} : { at: new Date(fromLocalText(at, zone.value)).toISOString() };
      await ask(`/places/${place.id}/attachments`, { method: "POST", body: { channel_ids: channels.filter((c) => !c.ended).map((c) => c.id), ...instant, why: why.trim() } });
    }
    announce(t("place.attached", { device: deviceName(device), place: placeName(place) }));
    changes.value++;
    onDone();
  };
  const set = (value: string) => {
    setAt(value);
    setUntouched(false);
  };
  return (
    <Dialog title={t("place.attach-title", { place: placeName(place) })} act={t("place.attach-act")} ready={device !== null && canChange()} onAct={act} onClose={onClose} wide>
      <p>{t("place.attach-what")}</p>
      <NoChangeNote />
      <Candidates chosen={device} onChoose={setDevice} />
      {device?.state !== "new" && <InstantField label={t("place.since")} value={at} onValue={set} />}
      <ReasonField value={why} onValue={setWhy} />
    </Dialog>
  );
}

/** Takes a device away from a place: its history stays. */
export function DetachDialog({ place, device, onDone, onClose }: EditProps & { device: { id: number; name: string } }) {
  const [why, setWhy] = useState("");
  const channels = place.series.flatMap((s) => s.segments.filter((x) => x.to === null && x.device_id === device.id).map((x) => x.channel_id));
  const act = async () => {
    await ask(`/places/${place.id}/detachments`, { method: "POST", body: { channel_ids: channels, why: why.trim() } });
    announce(t("place.detached", { device: device.name, place: placeName(place) }));
    changes.value++;
    onDone();
  };
  return (
    <Dialog title={t("place.detach-title", { device: device.name, place: placeName(place) })} act={t("place.detach-act")} grave ready={canChange()} onAct={act} onClose={onClose}>
      <p>{t("place.detach-what")}</p>
      <NoChangeNote />
      <ReasonField value={why} onValue={setWhy} />
    </Dialog>
  );
}

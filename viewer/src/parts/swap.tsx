import { useId, useState } from "preact/hooks";
import { ask } from "../api/client";
import type { Place, SwapPair, SwapPlan } from "../api/tree";
import type { Device } from "../api/types";
import { changes, devices, may } from "../fleet/fleet";
import { isConvertible, mapped, newChannels, oldChannels, pairs, proposed, type Mapping } from "../tree/swapping";
import { channelTitle, deviceName, placeName } from "../words/device";
import { millis, zone } from "../words/format";
import { t } from "../words/messages";
import { visible } from "../words/text";
import { fromLocalText, localText } from "../words/zone";
import { announce } from "./announce";
import { accepted, Candidates } from "./candidates";
import { zoneWords } from "./dates";
import { Dialog } from "./dialog";
import { canChange, NoChangeNote, ReasonField } from "./reason";
import { Table } from "./table";

interface Props {
  place: Place;
  onDone: (place: Place) => void;
  onClose: () => void;
}

/** Swaps a device of a place for another in two steps: which one comes, then how its channels go on with the place's series. */
export function SwapDialog({ place, onDone, onClose }: Props) {
  const [from, setFrom] = useState(place.device_ids[0] ?? 0);
  const [to, setTo] = useState<Device | null>(null);
  const [plan, setPlan] = useState<SwapPlan | null>(null);
  const [mapping, setMapping] = useState<Mapping>(new Map());
  const [at, setAt] = useState("");
  const [retire, setRetire] = useState(false);
  const [why, setWhy] = useState("");

  const look = async (device: Device) => {
    const found = await ask<SwapPlan>(`/places/${place.id}/swap?from_device=${from}&to_device=${device.id}`);
    setPlan(found);
    setMapping(proposed(found));
    setAt(localText(millis(found.at) ?? Date.now(), zone.value));
  };
  const choose = async () => {
    if (!to) return "stay" as const;
    const device = await accepted(to);
    setTo({ ...to, state: device.state });
    if (to.state !== "accepted") changes.value++;
    await look(device);
    return "stay" as const;
  };
  const swap = async () => {
    if (!plan) return;
    const proposal = millis(plan.at) ?? 0;
    const instant = at === localText(proposal, zone.value) ? plan.at : new Date(fromLocalText(at, zone.value)).toISOString();
    const body = {
      from_device: from,
      to_device: plan.to.id,
      at: instant,
      // What is not named ends, or begins a series of its own.
      channels: pairs(plan, mapping).flatMap((p) => (p.old && p.new ? [{ old: p.old.id, new: p.new.id }] : [])),
      retire,
      why: why.trim(),
    };
    const after = await ask<Place>(`/places/${place.id}/swap`, { method: "POST", body });
    announce(t("swap.done", { old: deviceName(plan.from), new: deviceName(plan.to), place: placeName(place) }));
    changes.value++;
    onDone(after);
  };
  if (!plan)
    return (
      <Dialog title={t("swap.title", { place: placeName(place) })} act={t("swap.next")} ready={to !== null && canChange()} onAct={choose} onClose={onClose} wide>
        <p class="soft">{t("swap.step", { n: 1, all: 2 })}</p>
        <p>{t("swap.what")}</p>
        <NoChangeNote />
        <Leaving place={place} value={from} onValue={setFrom} />
        <Candidates chosen={to} onChoose={setTo} except={from} />
      </Dialog>
    );
  const used = [...mapping.values()].filter((id) => id !== null).length;
  return (
    <Dialog
      key="confirm"
      title={t("swap.title-two", { old: deviceName(plan.from), new: deviceName(plan.to) })}
      act={t("swap.act")}
      grave
      ready={used + newChannels(plan).length > 0 && Number.isFinite(fromLocalText(at, zone.value)) && canChange()}
      onAct={swap}
      onBack={() => setPlan(null)}
      onClose={onClose}
      wide
    >
      <p class="soft">{t("swap.step", { n: 2, all: 2 })}</p>
      <NoChangeNote />
      <MappingTable plan={plan} mapping={mapping} onMapping={setMapping} />
      {newChannels(plan).length === 0 && (
        <p class="note wanting">
          {t("swap.no-channels", { name: deviceName(plan.to) })}{" "}
          <button type="button" class="btn small" onClick={() => void look(plan.to)}>
            {t("swap.look-again")}
          </button>
        </p>
      )}
      {plan.warnings.length > 0 && (
        <ul class="warnings">
          {plan.warnings.map((w) => (
            <li key={w}>{visible(w)}</li>
          ))}
        </ul>
      )}
      <InstantField label={t("swap.at")} value={at} onValue={setAt} />
      {may("device.decide") && <Afterwards name={deviceName(plan.from)} retire={retire} onRetire={setRetire} />}
      <ReasonField value={why} onValue={setWhy} />
    </Dialog>
  );
}

/** Which device goes, where there is more than one. */
function Leaving({ place, value, onValue }: { place: Place; value: number; onValue: (id: number) => void }) {
  const id = useId();
  const name = (device: number) => {
    const known = devices.value.get(device)?.value;
    const segment = place.series.flatMap((s) => s.segments).find((s) => s.device_id === device);
    return known ? `${deviceName(known)} · ${visible(known.serial)}` : segment ? deviceName({ name: segment.device, serial: segment.serial }) : String(device);
  };
  if (place.device_ids.length < 2) return <p>{t("swap.goes", { name: name(value) })}</p>;
  return (
    <p class="field">
      <label for={id}>{t("swap.leaving")}</label>
      <select id={id} value={value} onChange={(event) => onValue(Number(event.currentTarget.value))}>
        {place.device_ids.map((d) => (
          <option key={d} value={d}>
            {name(d)}
          </option>
        ))}
      </select>
    </p>
  );
}

const differences = { unit: "swap.differs-unit", inconvertible: "swap.differs-inconvertible", quantity: "swap.differs-quantity", missing: "swap.ends", new: "swap.begins" } as const;

/** Each series of the old device with what goes on with it, and what is new. */
function MappingTable({ plan, mapping, onMapping }: { plan: SwapPlan; mapping: Mapping; onMapping: (mapping: Mapping) => void }) {
  const old = oldChannels(plan),
    fresh = newChannels(plan);
  const words = (p: SwapPair) => p.differs.map((d) => t(differences[d === "unit" && !isConvertible(p) ? "inconvertible" : d], { old: visible(p.old?.unit ?? ""), new: visible(p.new?.unit ?? "") }));
  return (
    <Table label={t("swap.mapping")} class="mapping" columns={[t("swap.series"), t("swap.goes-on"), t("swap.differs")]}>
      {pairs(plan, mapping).map((p) => {
        const title = p.old ? channelTitle(p.old, old) : p.new ? channelTitle(p.new, fresh) : "";
        const notes = words(p);
        return (
          <tr key={`${p.old?.id ?? ""} ${p.old ? "" : p.new?.id}`}>
            <th scope="row">{p.old ? t("swap.channel", { name: title, unit: visible(p.old.unit) }) : "–"}</th>
            <td>
              {p.old ? (
                <select
                  aria-label={t("swap.goes-on-with", { name: title })}
                  value={p.new?.id ?? ""}
                  onChange={(event) => onMapping(mapped(mapping, p.old?.id ?? 0, event.currentTarget.value === "" ? null : Number(event.currentTarget.value)))}
                >
                  {fresh.map((c) => (
                    <option key={c.id} value={c.id}>
                      {t("swap.channel", { name: channelTitle(c, fresh), unit: visible(c.unit) })}
                    </option>
                  ))}
                  <option value="">{t("swap.nothing")}</option>
                </select>
              ) : (
                p.new && t("swap.channel", { name: title, unit: visible(p.new.unit) })
              )}
            </td>
            <td class={notes.length && p.old ? "fault" : "soft"}>{notes.join(", ") || t("swap.alike")}</td>
          </tr>
        );
      })}
    </Table>
  );
}

/** An instant in the zone that is shown. */
export function InstantField({ label, value, onValue }: { label: string; value: string; onValue: (value: string) => void }) {
  const id = useId();
  const ms = fromLocalText(value, zone.value);
  return (
    <p class="field">
      <label for={id}>{label}</label>
      <input id={id} type="datetime-local" required value={value} aria-describedby={`${id}-hint`} onInput={(event) => onValue(event.currentTarget.value)} />
      <small id={`${id}-hint`} class="hint">
        {t("swap.at-hint")} {Number.isFinite(ms) && zoneWords(ms, true)}
      </small>
    </p>
  );
}

function Afterwards({ name, retire, onRetire }: { name: string; retire: boolean; onRetire: (retire: boolean) => void }) {
  const group = useId();
  return (
    <fieldset class="choice">
      <legend>{t("swap.afterwards", { name })}</legend>
      <label>
        <input type="radio" name={group} checked={!retire} onChange={() => onRetire(false)} />
        <span>{t("swap.keep")}</span>
      </label>
      <label>
        <input type="radio" name={group} checked={retire} onChange={() => onRetire(true)} />
        <span>{t("swap.retire")}</span>
      </label>
    </fieldset>
  );
}

import { useId, useState } from "preact/hooks";
import { ask } from "../api/client";
import type { Device, DeviceList } from "../api/types";
import { may } from "../fleet/fleet";
import { folded } from "../tree/nodes";
import { deviceName, familyName, stateName } from "../words/device";
import { t } from "../words/messages";
import { visible } from "../words/text";
import { FailureNote } from "./failure";
import { Filter } from "./filter";
import { useLoading } from "./loading";

/** As many devices as are listed; more are found by their serial number. */
const mostListed = 50;

interface Props {
  chosen: Device | null;
  onChoose: (device: Device) => void;
  /** A device that cannot be chosen. */
  except?: number;
}

/** Devices that could come to a place: accepted ones that are at none, and new ones for who may accept them. */
export function Candidates({ chosen, onChoose, except }: Props) {
  const [search, setSearch] = useState("");
  const group = useId();
  const list = useLoading(async (signal) => {
    const [free, fresh] = await Promise.all([
      ask<DeviceList>("/devices?state=accepted&place=none&limit=1000", { signal }),
      may("device.decide") ? ask<DeviceList>("/devices?state=new&limit=1000", { signal }) : { devices: [] },
    ]);
    return [...free.devices, ...fresh.devices];
  }, []);
  const wanted = folded(search.trim());
  const all = (list.value ?? []).filter((d) => d.id !== except && (d.state !== "accepted" || d.place === null));
  const found = all.filter((d) => !wanted || folded(`${deviceName(d)} ${d.serial} ${d.model}`).includes(wanted));
  return (
    <>
      {list.failure !== undefined && <FailureNote cause={list.failure} again={list.again} />}
      <Filter label={t("overview.filter")} value={search} onValue={setSearch} />
      <fieldset class="candidates">
        <legend class="unseen">{t("swap.candidates")}</legend>
        {found.slice(0, mostListed).map((d) => (
          <label key={d.id} class="candidate">
            <input type="radio" name={group} required checked={chosen?.id === d.id} onChange={() => onChoose(d)} />
            <span>
              <bdi>{deviceName(d)}</bdi>{" "}
              <small>{[visible(d.serial), familyName(d.family), visible(d.model)].filter((w, i) => w && (i > 0 || w !== deviceName(d))).join(" · ")}</small>
            </span>
            <span class={`state ${d.state}`}>{d.state === "accepted" ? t("swap.free") : stateName(d.state)}</span>
          </label>
        ))}
      </fieldset>
      {list.value && found.length === 0 && <p class="soft">{t(all.length ? "overview.none-found" : "swap.no-candidate")}</p>}
      {found.length > mostListed && <p class="soft">{t("swap.more", { n: found.length - mostListed })}</p>}
      {chosen && chosen.state !== "accepted" && <p class="note wanting">{t("swap.accepts", { name: deviceName(chosen) })}</p>}
    </>
  );
}

/** Accepts a device that is new without putting it anywhere; gives the others as they are. */
export async function accepted(device: Device): Promise<Device> {
  return device.state === "accepted" ? device : ask<Device>(`/devices/${device.id}/accept`, { method: "POST", body: { place_id: 0 } });
}

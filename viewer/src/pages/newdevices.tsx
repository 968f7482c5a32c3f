import { useEffect, useState } from "preact/hooks";
import { ask } from "../api/client";
import type { Device, DeviceList, FirstValue } from "../api/types";
import { asOf, changes, may, status } from "../fleet/fleet";
import { DecisionDialog, type Decision } from "../parts/decide";
import { FailureNote } from "../parts/failure";
import { Heading } from "../parts/heading";
import { useLoading } from "../parts/loading";
import { useTitle } from "../parts/title";
import { channelTitle, deviceName, familyName } from "../words/device";
import { bytes, millis, near, quantity } from "../words/format";
import { t, tx } from "../words/messages";
import { isFault, parseQuality, reasonWords } from "../words/quality";
import { visible } from "../words/text";

/** Devices that have been heard of and wait for a person, with what they sent first. */
export function NewDevicesPage() {
  useTitle(t("nav.new"));
  const list = useLoading((signal) => ask<DeviceList>("/devices?state=new&limit=1000", { signal }), [changes.value]);
  const [chosen, setChosen] = useState<{ device: Device; decision: Decision } | null>(null);
  const [done, setDone] = useState<{ device: Device; decision: Decision } | null>(null);
  const found = list.value?.devices ?? [];
  return (
    <>
      <section class="verdict">
        <Heading>{!list.value ? t("nav.new") : found.length ? t("new.title", { n: found.length }) : t("new.none")}</Heading>
        {found.length > 0 && (
          <div class="facts">
            <span>{t("new.what")}</span>
          </div>
        )}
      </section>
      {list.failure !== undefined && <FailureNote cause={list.failure} again={list.again} />}
      {done && <Done {...done} />}
      {list.value && !may("device.decide") && found.length > 0 && <p class="note">{t("new.only-look")}</p>}
      {list.value && found.length === 0 && <Empty />}
      <ul class="cards">
        {found.map((device) => (
          <NewDevice key={device.id} device={device} onDecide={(decision) => setChosen({ device, decision })} />
        ))}
      </ul>
      {chosen && (
        <DecisionDialog
          {...chosen}
          onDone={(device) => {
            setDone({ device, decision: chosen.decision });
            list.again();
          }}
          onClose={() => setChosen(null)}
        />
      )}
    </>
  );
}

/** What was decided last, with the way to where the device is now. It takes the focus, for the button that had it is gone. */
function Done({ device, decision }: { device: Device; decision: Decision }) {
  const [place, setPlace] = useState<HTMLElement | null>(null);
  useEffect(() => place?.focus(), [place, device]);
  const name = deviceName(device);
  return (
    <p class="note good" tabIndex={-1} ref={setPlace}>
      {tx(decision === "accept" ? "new.accepted" : "new.rejected", {
        name: <b>{name}</b>,
        link: (
          <a class="link" href={decision === "accept" ? `/devices/${device.id}` : "/devices"}>
            {t(decision === "accept" ? "new.to-chart" : "new.to-devices")}
          </a>
        ),
      })}
    </p>
  );
}

function NewDevice({ device, onDecide }: { device: Device; onDecide: (decision: Decision) => void }) {
  const q = device.quarantine;
  const name = deviceName(device);
  const seen = millis(device.first_seen_at),
    last = millis(q?.last_at);
  return (
    <li class="panel newdevice" aria-label={name}>
      <div class="top">
        <h2>
          <bdi>{name}</bdi>
        </h2>
        <span class="soft">
          {[familyName(device.family), visible(device.model), name === device.serial ? "" : visible(device.serial)].filter(Boolean).join(" · ")}
        </span>
        {may("device.decide") && (
          <span class="buttons">
            <button type="button" class="btn" aria-label={t("new.reject-name", { name })} onClick={() => onDecide("reject")}>
              {t("new.reject")}
            </button>
            <button type="button" class="btn primary" aria-label={t("new.accept-name", { name })} onClick={() => onDecide("accept")}>
              {t("new.accept")}
            </button>
          </span>
        )}
      </div>
      {q && q.first_values.length > 0 ? (
        <dl class="values">
          {q.first_values.map((v) => (
            <FirstValueItem key={v.number} value={v} sisters={q.first_values} />
          ))}
        </dl>
      ) : (
        <p class="soft">{t("new.no-values")}</p>
      )}
      <p class="facts">
        {seen !== null && <span>{tx("new.first-seen", { at: <b>{near(seen, asOf.value)}</b> })}</span>}
        {last !== null && <span>{tx("new.last-seen", { at: <b>{near(last, asOf.value)}</b> })}</span>}
        {q && (
          <a class="link" href={`/devices/${device.id}/quarantine`}>
            {t("new.uploads", { n: q.uploads, size: bytes(q.bytes) })}
          </a>
        )}
        {q?.reasons.map((r) => <span key={r.reason}>{visible(r.text)}</span>)}
      </p>
    </li>
  );
}

function FirstValueItem({ value, sisters }: { value: FirstValue; sisters: FirstValue[] }) {
  const quality = parseQuality(value.quality);
  return (
    <div class={isFault(quality) ? "fault" : ""}>
      <dt>{channelTitle(value, sisters)}</dt>
      <dd>{value.value === null ? reasonWords(quality) : quantity(value.value, value.decimals, value.unit)}</dd>
    </div>
  );
}

/** How to point a device here, with the addresses that this server listens on. */
function Empty() {
  const listeners = status.value?.listeners?.filter((l) => l.purpose === "devices") ?? [];
  return (
    <section class="panel">
      <h2>{t("facts.how-to-begin")}</h2>
      <p>{t("new.how")}</p>
      <dl class="facts-list">
        {listeners.map((l) => (
          <div key={l.address}>
            <dt>{t(l.tls ? "new.tls" : "new.plain")}</dt>
            <dd>
              <code>{visible(l.address)}</code>
            </dd>
          </div>
        ))}
      </dl>
      <p class="soft">{t("new.any-path")}</p>
    </section>
  );
}

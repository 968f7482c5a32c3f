import { useState } from "preact/hooks";
import { ask } from "../api/client";
import type { Device, QuarantinedUploads } from "../api/types";
import { asOf, may } from "../fleet/fleet";
import { Body } from "../parts/body";
import { DecisionDialog } from "../parts/decide";
import { FailureNote } from "../parts/failure";
import { Heading } from "../parts/heading";
import { useLoading } from "../parts/loading";
import { useTitle } from "../parts/title";
import { deviceName } from "../words/device";
import { bytes, millis, near } from "../words/format";
import { t } from "../words/messages";
import { visible } from "../words/text";

/** What of a device is kept but not trusted, and why. */
export function QuarantinePage({ id }: { id: number }) {
  useTitle(t("quarantine.title"));
  const [after, setAfter] = useState<string[]>([]);
  const [releasing, setReleasing] = useState(false);
  const device = useLoading((signal) => ask<Device>(`/devices/${id}`, { signal }), [id]);
  const page = useLoading(
    (signal) => ask<QuarantinedUploads>(`/devices/${id}/quarantine?limit=50${after.length ? `&after=${encodeURIComponent(after.at(-1) ?? "")}` : ""}`, { signal }),
    [id, after.at(-1)],
  );
  const name = device.value ? deviceName(device.value) : "";
  const uploads = page.value?.uploads ?? [];
  const next = page.value?.next ?? null;
  const held = device.value?.quarantine ?? null;
  const releasable = held?.reasons.some((r) => r.reason !== "not-understood" && r.reason !== "refused-by-store") ?? false;
  const release = () => {
    setReleasing(false);
    device.again();
    page.again();
  };
  return (
    <>
      <p class="crumb">
        <a href={`/devices/${id}`}>
          <bdi>{name || t("quarantine.device")}</bdi>
        </a>{" "}
        › {t("quarantine.title")}
      </p>
      <section class="verdict">
        <Heading>{t("quarantine.title")}</Heading>
        {held && (
          <div class="facts">
            <span>{t("new.uploads", { n: held.uploads, size: bytes(held.bytes) })}</span>
          </div>
        )}
        {device.value?.state === "accepted" && releasable && may("device.decide") && (
          <button type="button" class="btn" onClick={() => setReleasing(true)}>
            {t("release.open")}
          </button>
        )}
      </section>
      {releasing && device.value && <DecisionDialog device={device.value} decision="release" onDone={release} onClose={() => setReleasing(false)} />}
      {(page.failure ?? device.failure) !== undefined && <FailureNote cause={page.failure ?? device.failure} again={page.again} />}
      {page.value && uploads.length === 0 && <p class="note">{t("quarantine.none")}</p>}
      <ul class="cards">
        {uploads.map((u) => {
          const at = millis(u.received_at);
          return (
            <li key={u.id} class="panel">
              <details>
                <summary>
                  <b>{at === null ? "" : near(at, asOf.value, true)}</b> {visible(u.text)} <span class="soft">{bytes(u.bytes)}</span>
                </summary>
                <Body body={u.body} label={t("quarantine.body")} />
              </details>
            </li>
          );
        })}
      </ul>
      <p class="pager">
        {after.length > 0 && (
          <button type="button" class="btn" onClick={() => setAfter(after.slice(0, -1))}>
            {t("quarantine.newer")}
          </button>
        )}
        {next !== null && (
          <button type="button" class="btn" onClick={() => setAfter([...after, next])}>
            {t("quarantine.further")}
          </button>
        )}
      </p>
    </>
  );
}

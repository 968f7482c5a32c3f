import { useEffect, useRef, useState } from "preact/hooks";
import { isAbandoned } from "../api/client";
import type { Device } from "../api/types";
import { rangeOf, readView, type Range } from "../chart/range";
import { serverNow } from "../fleet/fleet";
import { query } from "../router";
import { bytes } from "../words/format";
import { t } from "../words/messages";
import { visible } from "../words/text";
import { announce } from "./announce";
import { DatesDialog } from "./dates";
import { failureWords } from "./failure";
import { download, save, stamp } from "./save";
import { SteadyButton } from "./steadybutton";

/** Makes one file that answers for a place over a period: a button, and what came of it. */
export function EvidenceButton({ place }: { place: NonNullable<Device["place"]> }) {
  const [asking, setAsking] = useState(false);
  const [busy, setBusy] = useState(false);
  const [said, setSaid] = useState("");
  const [failed, setFailed] = useState(false);
  const gone = useRef<AbortController | null>(null);
  useEffect(() => () => gone.current?.abort(), []);

  const make = async (range: Range) => {
    const control = new AbortController();
    gone.current = control;
    setBusy(true);
    setFailed(false);
    setSaid(t("evidence.making"));
    announce(t("evidence.making"));
    try {
      const period = new URLSearchParams({ from: new Date(range.from).toISOString(), to: new Date(range.to).toISOString() });
      const file = await download(`/places/${place.id}/evidence?${period}`, "application/zip", control.signal, (n) => setSaid(t("evidence.received", { size: bytes(n) })));
      save(file, `halley-evidence-place-${place.id}-${stamp(range.from)}-${stamp(range.to)}.zip`);
      setSaid(t("evidence.saved", { size: bytes(file.size) }));
      announce(t("evidence.saved", { size: bytes(file.size) }));
    } catch (cause) {
      if (isAbandoned(cause)) return;
      setFailed(true);
      setSaid(failureWords(cause));
    }
    setBusy(false);
  };
  return (
    <>
      <SteadyButton class="btn" off={busy} onClick={() => setAsking(true)}>
        {t("evidence.open")}
      </SteadyButton>
      {said && (
        <span class={failed ? "failure said" : "soft said"} {...(failed ? { role: "alert" } : {})}>
          {said}
        </span>
      )}
      {asking && (
        <DatesDialog
          title={t("evidence.title", { place: visible(place.name) })}
          what={t("evidence.what")}
          act={t("evidence.act")}
          range={rangeOf(readView(query.value), serverNow())}
          onRange={(range) => void make(range)}
          onClose={() => setAsking(false)}
        />
      )}
    </>
  );
}

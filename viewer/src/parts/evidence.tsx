import { useState } from "preact/hooks";
import type { Device } from "../api/types";
import { rangeOf, readView, type Range } from "../chart/range";
import { serverNow } from "../fleet/fleet";
import { query } from "../router";
import { t } from "../words/messages";
import { visible } from "../words/text";
import { DatesDialog } from "./dates";
import { stamp } from "./save";
import { Saved, useSaving } from "./saving";
import { SteadyButton } from "./steadybutton";

/** Makes one file that answers for a place over a period: a button, and what came of it. */
export function EvidenceButton({ place }: { place: NonNullable<Device["place"]> }) {
  const [asking, setAsking] = useState(false);
  const saving = useSaving();
  const make = ({ from, to }: Range) => {
    const period = new URLSearchParams({ from: new Date(from).toISOString(), to: new Date(to).toISOString() });
    saving.begin(`/places/${place.id}/evidence?${period}`, "application/zip", `halley-evidence-place-${place.id}-${stamp(from)}-${stamp(to)}.zip`);
  };
  return (
    <>
      <SteadyButton class="btn" off={saving.busy} onClick={() => setAsking(true)}>
        {t("evidence.open")}
      </SteadyButton>
      <Saved of={saving} />
      {asking && (
        <DatesDialog
          title={t("evidence.title", { place: visible(place.name) })}
          what={t("evidence.what")}
          act={t("evidence.act")}
          range={rangeOf(readView(query.value), serverNow())}
          onRange={make}
          onClose={() => setAsking(false)}
        />
      )}
    </>
  );
}

import { devices, may } from "../fleet/fleet";
import { places } from "../fleet/places";
import { wayTo } from "../tree/tree";
import { thingOf, type Names } from "../words/audit";
import { deviceName, placeName } from "../words/device";
import { t } from "../words/messages";
import { visible } from "../words/text";

/** What the numbers of the audit trail are called now; "" where that is not known here. */
export const nameNow: Names = {
  organization: wayTo,
  place: (id) => {
    const place = places.value.get(id);
    return place ? placeName(place) : "";
  },
  device: (id) => {
    const device = devices.value.get(id)?.peek();
    return device ? deviceName(device) : "";
  },
};

/** What an act was on: with its name where it is known, and as a link where it has a page that may be seen. */
export function Thing({ on }: { on: string }) {
  const thing = thingOf(on);
  if (!thing) return <bdi>{visible(on)}</bdi>;
  const { kind, id } = thing;
  const name = kind === "person" ? "" : nameNow[kind](id);
  const text = name ? t("audit.thing-named", { on: visible(on), name }) : visible(on);
  const path = { device: "/devices", place: "/places", person: "/people", organization: "" }[kind];
  if (path === "" || !may(`${kind}.read`)) return <bdi>{text}</bdi>;
  return (
    <a class="link" href={`${path}/${id}`}>
      {text}
    </a>
  );
}

import { instant, millis } from "./format";
import { joined, t, type Key } from "./messages";
import { permissionName, roleName } from "./people";
import { visible } from "./text";

// The audit trail's own words, and what a change changed.

const acts: Record<string, Key> = {
  "device.announce": "act.device.announce",
  "device.register": "act.device.register",
  "device.accept": "act.device.accept",
  "device.suspend": "act.device.suspend",
  "device.reject": "act.device.reject",
  "device.retire": "act.device.retire",
  "device.rename": "act.device.rename",
  "device.entry-point": "act.device.entry-point",
  "device.customer-key": "act.device.customer-key",
  "device.swap": "act.device.swap",
  "device.move": "act.device.move",
  "organization.add": "act.organization.add",
  "organization.change": "act.organization.change",
  "place.add": "act.place.add",
  "place.change": "act.place.change",
  "place.attach": "act.place.attach",
  "place.detach": "act.place.detach",
  "quarantine.release": "act.quarantine.release",
  "gap.explain": "act.gap.explain",
  "session.begin": "act.session.begin",
  "session.end": "act.session.end",
  "session.refuse": "act.session.refuse",
  "access.refuse": "act.access.refuse",
  "token.refuse": "act.token.refuse",
  "person.add": "act.person.add",
  "person.change": "act.person.change",
  "person.delete": "act.person.delete",
  "person.password": "act.person.password",
  "person.reset": "act.person.reset",
  "person.factor": "act.person.factor",
  "grant.add": "act.grant.add",
  "grant.end": "act.grant.end",
  "role.add": "act.role.add",
  "role.change": "act.role.change",
  "show-as.begin": "act.show-as.begin",
  "show-as.end": "act.show-as.end",
  "audit.review": "act.audit.review",
  "token.create": "act.token.create",
  "token.revoke": "act.token.revoke",
  "first-sign-in.issue": "act.first-sign-in.issue",
  "upload.read": "act.upload.read",
  "samples.export": "act.samples.export",
  "audit.export": "act.audit.export",
  "evidence.make": "act.evidence.make",
  "program.start": "act.program.start",
  "program.stop": "act.program.stop",
  "config.change": "act.config.change",
  "command.run": "act.command.run",
  "journal.prune": "act.journal.prune",
  "clock.step": "act.clock.step",
  "clock.drift": "act.clock.drift",
  "ledger.key": "act.ledger.key",
  "proof.verify": "act.proof.verify",
  "proof.backup": "act.proof.backup",
  "proof.drill": "act.proof.drill",
  "proof.restore": "act.proof.restore",
  "proof.set-back": "act.proof.set-back",
  "proof.sent": "act.proof.sent",
  "retention.plan": "act.retention.plan",
  "retention.remove": "act.retention.remove",
  "retention.done": "act.retention.done",
};

/** The acts that this viewer has words for, by what they are about, in the order in which they are offered. */
export const actGroups: readonly { title: Key; acts: readonly string[] }[] = [
  { title: "acts.devices", acts: ["device.announce", "device.register", "device.accept", "device.suspend", "device.reject", "device.retire", "device.rename", "device.entry-point", "device.customer-key", "device.swap", "device.move", "organization.add", "organization.change", "place.add", "place.change", "place.attach", "place.detach", "quarantine.release", "gap.explain"] },
  { title: "acts.people", acts: ["session.begin", "session.end", "session.refuse", "access.refuse", "person.add", "person.change", "person.delete", "person.password", "person.reset", "person.factor", "grant.add", "grant.end", "role.add", "role.change", "show-as.begin", "show-as.end", "token.create", "token.revoke", "token.refuse", "first-sign-in.issue"] },
  { title: "acts.read-out", acts: ["upload.read", "samples.export", "audit.export", "audit.review", "evidence.make"] },
  { title: "acts.program", acts: ["program.start", "program.stop", "config.change", "command.run", "journal.prune", "clock.step", "clock.drift"] },
  { title: "acts.proof", acts: ["ledger.key", "proof.verify", "proof.backup", "proof.drill", "proof.restore", "proof.set-back", "proof.sent", "retention.plan", "retention.remove", "retention.done"] },
];

/** What was done, in plain words; an act that this viewer does not know is shown as it is. */
export function actName(what: string): string {
  const key = acts[what];
  return key ? t(key) : visible(what);
}

/** What a change did to one value. An empty text stands for none. */
export interface Difference {
  /** The value's name, "" where the whole is one value. */
  name: string;
  old: string;
  new: string;
}

/** As many characters of a value as are shown. */
const mostShown = 300;

/** What numbers stand for; "" where that is not known. */
export interface Names {
  organization: (id: number) => string;
  place: (id: number) => string;
  device: (id: number) => string;
}

const nameless: Names = { organization: () => "", place: () => "", device: () => "" };

/** What a change changed, value by value; what stayed the same is left out. Numbers of things are shown with their names. */
export function differences(before: unknown, after: unknown, names: Names = nameless): Difference[] {
  const was = parsed(before),
    is = parsed(after);
  if (!isObject(was) && !isObject(is)) {
    const one = { name: "", old: shown(was), new: shown(is) };
    return one.old || one.new ? [one] : [];
  }
  const left = isObject(was) ? was : {},
    right = isObject(is) ? is : {};
  const out = [...new Set([...Object.keys(left), ...Object.keys(right)])].map((name) => ({ name: fieldName(name), old: fieldValue(name, left[name], names), new: fieldValue(name, right[name], names) }));
  // Where one side is no object, it stands for itself.
  if (!isObject(was) && shown(was)) out.unshift({ name: "", old: shown(was), new: "" });
  if (!isObject(is) && shown(is)) out.unshift({ name: "", old: "", new: shown(is) });
  return out.filter((d) => d.old !== d.new);
}

/** A value's name as a person reads it; a setting has a point in its name and is shown as it is written in the configuration. */
function fieldName(name: string): string {
  return visible(name.includes(".") ? name : name.replace(/_id$/, "").replaceAll("_", " "));
}

const thingFields: Record<string, keyof Names> = { organization: "organization", organization_id: "organization", parent_id: "organization", home: "organization", place: "place", place_id: "place", device: "device", device_id: "device" };
const instantPattern = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/;

function fieldValue(field: string, value: unknown, names: Names): string {
  const kind = thingFields[field];
  if (kind && typeof value === "number") {
    const name = names[kind](value);
    return name ? t("audit.named", { name, n: String(value) }) : shown(value);
  }
  if (field === "role" && typeof value === "string") return roleName(value);
  if (field === "permissions" && Array.isArray(value)) return joined(value.map((p) => permissionName(String(p))));
  const at = typeof value === "string" && instantPattern.test(value) ? millis(value) : null;
  return at === null ? shown(value) : instant(at);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A value of the trail: JSON, or a text that holds JSON, or any text. */
function parsed(value: unknown): unknown {
  if (typeof value !== "string") return value;
  try {
    return JSON.parse(value) as unknown;
  } catch {
    return value;
  }
}

function shown(value: unknown): string {
  if (value === undefined || value === null || value === "") return "";
  if (value === true) return t("audit.yes");
  if (value === false) return t("audit.no");
  const text = visible(typeof value === "string" ? value : JSON.stringify(value));
  return text.length > mostShown ? `${text.slice(0, mostShown)}…` : text;
}

export interface Thing {
  kind: keyof Names | "person";
  id: number;
}

/** The numbered thing that an act was on, or null: "device 12". */
export function thingOf(on: string): Thing | null {
  const [, kind, id] = /^(device|place|person|organization) (\d+)$/.exec(on) ?? [];
  return kind === undefined ? null : { kind: kind as Thing["kind"], id: Number(id) };
}

const kinds: Record<string, Key> = { token: "actor.token", command: "actor.command", policy: "actor.policy", program: "actor.program" };

/** By what means somebody acted, where it was not in a session of the viewer. */
export function actorKind(kind: string): string {
  const key = kinds[kind];
  return key ? t(key) : kind === "session" ? "" : visible(kind);
}

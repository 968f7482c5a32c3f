import type { PersonState } from "../api/people";
import { t, type Key } from "./messages";
import { visible } from "./text";

// Roles, permissions and states of people in plain words.

const roles: Record<string, { name: Key; what: Key }> = {
  "service-administrator": { name: "role.service-administrator", what: "role.service-administrator.what" },
  "distributor-administrator": { name: "role.distributor-administrator", what: "role.distributor-administrator.what" },
  "payment-administrator": { name: "role.payment-administrator", what: "role.payment-administrator.what" },
  administrator: { name: "role.administrator", what: "role.administrator.what" },
  "device-administrator": { name: "role.device-administrator", what: "role.device-administrator.what" },
  "alarm-administrator": { name: "role.alarm-administrator", what: "role.alarm-administrator.what" },
  user: { name: "role.user", what: "role.user.what" },
  "guest-administrator": { name: "role.guest-administrator", what: "role.guest-administrator.what" },
  guest: { name: "role.guest", what: "role.guest.what" },
  "view-by-measured-places": { name: "role.view-by-measured-places", what: "role.view-by-measured-places.what" },
  reader: { name: "role.reader", what: "role.reader.what" },
};

/** The only role that is given at a single place. */
export const placeRole = "view-by-measured-places";

/** A role's name; one that people of this installation made up is shown as they named it. */
export function roleName(role: string): string {
  const known = roles[role];
  return known ? t(known.name) : visible(role);
}

/** What a preset is for; "" for a role that people made up. */
export function roleWhat(role: string): string {
  const known = roles[role];
  return known ? t(known.what) : "";
}

const permissions: Record<string, Key> = {
  "status.read": "permission.status.read",
  "organization.read": "permission.organization.read",
  "organization.change": "permission.organization.change",
  "place.read": "permission.place.read",
  "place.change": "permission.place.change",
  "device.read": "permission.device.read",
  "device.decide": "permission.device.decide",
  "device.change": "permission.device.change",
  "device.attach": "permission.device.attach",
  "sample.read": "permission.sample.read",
  "upload.read": "permission.upload.read",
  "evidence.read": "permission.evidence.read",
  "gap.explain": "permission.gap.explain",
  "report.read": "permission.report.read",
  "limit.change": "permission.limit.change",
  "alarm.pause": "permission.alarm.pause",
  "alarm.acknowledge": "permission.alarm.acknowledge",
  "notification.change": "permission.notification.change",
  "person.read": "permission.person.read",
  "person.change": "permission.person.change",
  "role.change": "permission.role.change",
  "token.read": "permission.token.read",
  "token.change": "permission.token.change",
  "audit.read": "permission.audit.read",
  "audit.review": "permission.audit.review",
  "usage.read": "permission.usage.read",
  "server.read": "permission.server.read",
  "journal.flush": "permission.journal.flush",
  "diagnosis.read": "permission.diagnosis.read",
  "proof.read": "permission.proof.read",
  "proof.run": "permission.proof.run",
  "retention.decide": "permission.retention.decide",
};

/** What a permission allows, in words; one that this viewer does not know is shown as it is. */
export function permissionName(permission: string): string {
  const key = permissions[permission];
  return key ? t(key) : visible(permission);
}

const states: Record<PersonState, Key> = { invited: "people.state-invited", active: "people.state-active", disabled: "people.state-disabled", deleted: "people.state-deleted" };

export function personStateName(state: PersonState): string {
  return t(states[state]);
}

/** The class of a state's mark: the colours are those of devices. */
export function personStateMark(state: PersonState): string {
  switch (state) {
    case "active":
      return "accepted";
    case "invited":
      return "new";
    case "disabled":
      return "suspended";
    case "deleted":
      return "retired";
  }
}

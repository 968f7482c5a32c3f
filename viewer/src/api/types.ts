// What the API answers. The server's openapi.yaml describes the same; times are RFC 3339 in UTC.

export type DeviceState = "new" | "accepted" | "suspended" | "rejected" | "retired";

export interface Channel {
  id: number;
  number: number;
  name: string;
  quantity: string;
  unit: string;
  decimals: number;
  ended?: boolean;
}

export interface FirstValue {
  number: number;
  name: string;
  quantity: string;
  unit: string;
  decimals: number;
  value: number | null;
  quality: string;
}

export interface Quarantine {
  uploads: number;
  bytes: number;
  first_at: string | null;
  last_at: string | null;
  reasons: { reason: string; text: string; uploads: number }[];
  first_values: FirstValue[];
}

export interface Device {
  id: number;
  serial: string;
  family: string;
  model: string;
  name: string;
  state: DeviceState;
  simulated: boolean;
  first_seen_at: string | null;
  last_message_at: string | null;
  /** Seconds between two messages, null where the device has not said it. */
  interval: number | null;
  silent: boolean;
  place: { id: number; name: string } | null;
  channels: Channel[];
  quarantine: Quarantine | null;
}

export interface DeviceList {
  devices: Device[];
  next: string | null;
}

export interface LatestValue {
  channel_id: number;
  number: number;
  name: string;
  quantity: string;
  unit: string;
  decimals: number;
  value: number | null;
  quality: string;
}

export interface Latest {
  device_id: number;
  serial: string;
  family: string;
  model: string;
  name: string;
  state: DeviceState;
  measured_at: string | null;
  received_at: string | null;
  interval: number | null;
  late: boolean;
  silent: boolean;
  silent_since: string | null;
  signal_dbm: number | null;
  battery_percent: number | null;
  values: LatestValue[];
}

export interface LatestList {
  at: string;
  latest: Latest[];
}

export interface LiveMessage {
  device_id: number;
  measured_at: string;
  received_at: string;
  interval: number | null;
  late: boolean;
  values: { channel_id: number; value: number | null; quality: string }[];
}

export interface StatusMessage {
  code: string;
  severity: "degraded" | "failing";
  text: string;
}

export interface Listener {
  purpose: "devices" | "viewer";
  address: string;
  tls: boolean;
  requests: number;
  last_request_at: string | null;
  note: string;
}

/** Whether the database can be used. */
export interface StoreState {
  state: "ok" | "away" | "read-only" | "full";
  since: string | null;
  /** Why it is not "ok" and what to do. */
  problem: string;
}

/** The database, and how it grows. What is not known is 0, "" or null. */
export interface Store extends StoreState {
  kind: string;
  /** In words, with edition and version. */
  engine: string;
  schema: number;
  bytes: number;
  samples: number;
  bytes_per_sample: number;
  samples_per_day: number;
  limit_bytes: number;
  /** What sets the limit: "edition", "file-size", "disk" or "". */
  limit: string;
  full_at: string | null;
}

/** One of the servers that share the database, as it said itself when it was seen last. */
export interface Node {
  name: string;
  version: string;
  self: boolean;
  seen_at: string | null;
  silent: boolean;
  waiting: number;
  oldest_waiting_at: string | null;
  leads: boolean;
}

/** How the server stands. What it says only to those who may look after it is null or left out for everybody else. */
export interface Status {
  at: string;
  state: "ok" | "degraded" | "failing";
  messages: StatusMessage[];
  version: string;
  node: string | null;
  started_at: string;
  simulated: boolean;
  store: StoreState;
  devices: {
    new: number;
    accepted: number;
    suspended: number;
    rejected: number;
    retired: number;
    reporting: number;
    silent: number;
  };
  journal?: Journal | null;
  nodes?: Node[] | null;
  listeners?: Listener[] | null;
  quarantine?: QuarantineRoom | null;
  unrecognized?: { count: number; kept: number } | null;
}

/** What the server says to whoever may look after it. */
export interface FullStatus extends Status {
  node: string;
  store: Store;
  journal: Journal;
  /** The servers that share the database; at least this one. */
  nodes: Node[];
  listeners: Listener[];
  quarantine: QuarantineRoom;
  unrecognized: { count: number; kept: number };
}

export interface Journal {
  id: string;
  last: number;
  recorded: number;
  waiting: number;
  oldest_waiting_at: string | null;
  bytes: number;
  files: number;
  state: "ok" | "full" | "failing";
}

/** What quarantine holds and may hold. */
export interface QuarantineRoom {
  uploads: number;
  bytes: number;
  budget_bytes: number;
  devices: number;
  device_budget: number;
  refused: number;
}

/** Where somebody holds a role. */
export interface HeldRole {
  role: string;
  organization_id: number;
  /** The path of the node; "/" is the root. */
  organization: string;
  place_id: number | null;
  place: string | null;
}

export interface Me {
  name: string;
  kind: "session" | "token";
  person_id: number | null;
  full_name: string;
  email: string;
  role: string;
  roles: HeldRole[];
  /** What is held anywhere. */
  permissions: string[];
  sign_out_minutes: number;
  sign_out_choices: number[];
  expires_at: string | null;
  /** What must be done before anything else. */
  must: "" | "second-factor" | "account";
  /** Whether grave changes ask for the password anew. */
  confirm: boolean;
  confirmed_until: string | null;
  second_factor: { totp: boolean; passkeys: number; recovery_codes: number; required: boolean };
  shared: boolean;
  source: "local" | "ldap" | "oidc";
  /** Whose view is shown instead of one's own. */
  show_as: { person_id: number; name: string } | null;
}

/** Samples as they are stored, in columns; times are distances in milliseconds, the first from `start`. */
export interface RawColumns {
  channel_id: number;
  from: string;
  to: string;
  start: string | null;
  time: number[];
  value: (number | null)[];
  quality: number[];
  qualities: string[];
  next: string | null;
}

/** Samples gathered in buckets; empty buckets are left out. */
export interface BucketColumns {
  channel_id: number;
  from: string;
  to: string;
  width_ms: number;
  start: string | null;
  time: number[];
  min: (number | null)[];
  mean: (number | null)[];
  max: (number | null)[];
  count: number[];
}

export interface Completeness {
  from: string;
  to: string;
  expected: number | null;
  received: number;
  late: number;
  missing: number;
  uncertain: number;
  duplicates: number;
  conflicts: number;
  extra: number;
  /** The spans in which messages are missing. `by`, `at` and `note` are there where a person has said the cause. */
  gaps: { from: string; to: string; messages: number; cause: string; note?: string; by?: string; at?: string }[];
}

export interface LastUpload {
  received_at: string;
  family: string;
  bytes: number;
  body: string;
  quarantined: boolean;
  reason: string | null;
}

export interface QuarantinedUploads {
  uploads: { id: number; received_at: string; reason: string; text: string; bytes: number; body: string }[];
  next: string | null;
}

export interface Unrecognized {
  count: number;
  bodies: { received_at: string; reason: string; bytes: number; body: string }[];
}

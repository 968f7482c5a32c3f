import type { Completeness } from "./types";

// What the API answers about the proof: nothing lost, nothing changed, restorable. Times are RFC 3339 in UTC, days are UTC days.

/** A span in which messages are missing. Who said the cause and when is there only where a person did. */
export type Gap = Completeness["gaps"][number];

/** A cause that a person has given for missing messages. */
export interface GapCause {
  id: number;
  from: string;
  to: string;
  cause: string;
  note: string;
  by: string;
  at: string;
}

/** Counts of messages. */
export interface Counts {
  expected: number;
  received: number;
  late: number;
  missing: number;
  uncertain: number;
}

export interface DayCounts extends Counts {
  /** A UTC day: "2026-11-20". */
  day: string;
}

export interface DeviceDays extends Counts {
  device_id: number;
  device: string;
  place_id: number | null;
  place: string;
  duplicates: number;
  conflicts: number;
  extra: number;
  days: DayCounts[];
}

/**
 * The completeness of all devices, worst first. From is inclusive, to is exclusive. Days that were not counted yet, or of which
 * nothing is known, are left out, and so are devices without a day.
 */
export interface FleetCompleteness {
  from: string;
  to: string;
  devices: DeviceDays[];
}

export interface Finding {
  what: string;
  /** What is wrong and where, as a sentence. */
  text: string;
}

/** The newest verification. A range without ends is all that is stored. */
export interface Verification {
  at: string | null;
  ok: boolean;
  from: string | null;
  to: string | null;
  samples: number;
  batches: number;
  checkpoints: number;
  /** Whether a checkpoint kept outside this machine was compared with, and when that was made. */
  outside: boolean;
  anchor_at: string | null;
  finding_count: number;
  findings: Finding[];
  /** Why it was not done to the end; "" where it was. */
  problem: string;
  running: boolean;
  /** From 0 to 1, while it runs. */
  progress: number;
}

/** A place outside this machine to which a checkpoint was sent. */
export interface Sending {
  to: string;
  at: string | null;
  ok: boolean;
  problem: string;
}

export interface Checkpoint {
  at: string | null;
  node: string;
  sent: Sending[];
}

export interface Backup {
  at: string | null;
  /** What was acknowledged before this instant is in it. */
  end_at: string | null;
  ok: boolean;
  name: string;
  to: string;
  bytes: number;
  encrypted: boolean;
  problem: string;
  configured: boolean;
  overdue: boolean;
}

/** The newest backup, restored for trial. */
export interface Drill {
  at: string | null;
  ok: boolean;
  backup: string;
  backup_at: string | null;
  samples: number;
  problem: string;
  overdue: boolean;
  findings: Finding[];
}

export interface SetBack {
  at: string;
  what: string;
  text: string;
}

export interface Proof {
  verification: Verification | null;
  checkpoint: Checkpoint | null;
  backup: Backup | null;
  drill: Drill | null;
  set_back: SetBack[];
}

/** A kept result of a check. What its summary holds depends on its kind. */
export interface ProofResult {
  id: number;
  at: string;
  node: string;
  kind: string;
  ok: boolean;
  summary: Record<string, unknown>;
}

export interface ProofResults {
  results: ProofResult[];
  next: string | number | null;
}

/** A row of the audit trail. Old and new are JSON, or "" where there is none. */
export interface AuditRow {
  id: number;
  at: string;
  who: string;
  /** "session", "token", "command", "policy" or "program". */
  kind: string;
  session: string;
  what: string;
  on: string;
  old: unknown;
  new: unknown;
  why: string;
}

export interface AuditPage {
  entries: AuditRow[];
  next: string | number | null;
}

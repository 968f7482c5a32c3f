import type { Backup, Checkpoint, Drill, Proof, Verification } from "../api/proof";
import { date, millis } from "../words/format";
import { t } from "../words/messages";
import { visible } from "../words/text";
import type { FleetFigures } from "./days";

// The answers to an auditor's three questions. Only what is proven is "good"; what nobody has proven is grey, not green, and says so.

/** How an answer stands. "" is grey: not known, or not proven. */
export type Tone = "" | "good" | "missing" | "fault" | "alarm";

export interface Answer {
  tone: Tone;
  text: string;
}

/** Is anything missing? */
export function missingAnswer(of: FleetFigures): Answer {
  if (of.devices === 0) return { tone: "", text: t("proof.missing.no-device") };
  if (of.missing > 0) return { tone: "missing", text: t("proof.missing.some", { n: of.missing, expected: of.expected, devices: devicesWords(of.lacking, of.devices) }) };
  if (of.uncertain > 0) return { tone: "", text: t("proof.missing.uncertain", { n: of.uncertain, devices: devicesWords(of.unsure, of.devices) }) };
  if (of.expected <= 0) return { tone: "", text: t("proof.missing.none-expected") };
  if (of.uncounted > 0) return { tone: "", text: t("proof.missing.uncounted", { n: of.uncounted }) };
  return { tone: "good", text: t("proof.missing.none", { n: of.expected }) };
}

/** "2 of 24 devices" */
export function devicesWords(some: number, all: number): string {
  return t("proof.devices-of", { some, n: all });
}

/** Nothing is stored before this instant, and nothing from that one on. */
const earliest = Date.UTC(2000, 0, 1),
  latest = Date.UTC(2100, 0, 1) - 1;

/** The ends of what was verified; null where it was not bounded. */
export function boundsOf(from: number | null, to: number | null): { from: number | null; to: number | null } {
  return { from: from && from > earliest ? from : null, to: to && to < latest ? to : null };
}

/** Whether a verification took in all that is stored. */
export function isWhole(v: { from: string | null; to: string | null }): boolean {
  const { from, to } = boundsOf(millis(v.from), millis(v.to));
  return from === null && to === null;
}

/** Whether anything has been verified to an end. */
function isDone(v: Verification | null): v is Verification {
  return v !== null && millis(v.at) !== null;
}

/** Has anything been changed? */
export function changedAnswer(v: Verification | null): Answer {
  if (!isDone(v)) return { tone: "", text: t("proof.changed.never") };
  if (v.finding_count > 0) return { tone: "alarm", text: t("proof.changed.findings", { n: v.finding_count }) };
  if (v.problem || !v.ok) return { tone: "fault", text: t("proof.changed.problem") };
  return { tone: v.outside && isWhole(v) ? "good" : "", text: t("proof.changed.none") };
}

/** What a verification took in, as sentences: over which range, and against what. Empty where nothing was verified. */
export function scopeWords(v: Verification | null): string[] {
  if (!isDone(v)) return [];
  const range = rangeWords(v);
  const anchor = millis(v.anchor_at) || null;
  if (!v.outside) return [range, t("proof.scope.this-machine")];
  return [range, anchor === null ? t("proof.scope.outside") : t("proof.scope.outside-until", { at: date(anchor) })];
}

/** The same in few words: against what, and over which range where it was not all. */
export function shortScopeWords(v: Verification | null): string[] {
  if (!isDone(v)) return [];
  return [...(isWhole(v) ? [] : [rangeWords(v)]), t(v.outside ? "proof.scope.outside" : "proof.scope.this-machine")];
}

function rangeWords(v: Verification): string {
  const { from, to } = boundsOf(millis(v.from), millis(v.to));
  if (from !== null) return to === null ? t("proof.scope.since", { from: date(from) }) : t("proof.scope.between", { from: date(from), to: date(to - 1) });
  return to === null ? t("proof.scope.all") : t("proof.scope.until", { to: date(to) });
}

/** Whether the newest checkpoint has left this machine. */
export function hasLeft(c: Checkpoint | null): boolean {
  return c?.sent.some((s) => s.ok) ?? false;
}

/** Could you restore it? */
export function restoreAnswer(drill: Drill | null, backup: Backup | null): Answer {
  const at = millis(drill?.at);
  if (drill && at !== null) {
    const when = date(at);
    if (!drill.ok || drill.findings.length > 0) return { tone: "alarm", text: t("proof.restore.failed", { at: when }) };
    return drill.overdue ? { tone: "fault", text: t("proof.restore.overdue", { at: when }) } : { tone: "good", text: t("proof.restore.proven", { at: when }) };
  }
  if (drill?.overdue) return { tone: "fault", text: t("proof.restore.never-overdue") };
  if (!backup?.configured && millis(backup?.at) === null) return { tone: "", text: t("proof.restore.not-configured") };
  return { tone: "", text: t("proof.restore.never") };
}

/** How backups stand. */
export function backupAnswer(backup: Backup | null): Answer {
  const at = millis(backup?.at);
  if (!backup || at === null) {
    if (!backup?.configured) return { tone: "", text: t("proof.backup.not-configured") };
    return { tone: backup.overdue ? "fault" : "", text: t(backup.overdue ? "proof.backup.overdue-first" : "proof.backup.never") };
  }
  const when = date(at);
  if (!backup.ok) return { tone: "alarm", text: t("proof.backup.failed", { at: when }) };
  // A backup that nobody has restored is a hope, so it is never green.
  return backup.overdue ? { tone: "fault", text: t("proof.backup.overdue", { at: when }) } : { tone: "", text: t("proof.backup.made", { at: when }) };
}

/** For so long a server that was set back is worth a line on the first page, in milliseconds. */
const remembered = 30 * 86_400_000;

/**
 * What of the proof needs a person, the gravest first; none where nothing does. What the server says itself, in messages of these
 * codes, is left out.
 */
export function needs(proof: Proof, now: number, said: readonly string[] = []): Answer[] {
  const back = proof.set_back.filter((s) => now - (millis(s.at) ?? 0) < remembered).map((s): Answer => ({ tone: "fault", text: visible(s.text) }));
  const topics: [string, Answer[]][] = [
    ["verification", [changedAnswer(proof.verification)]],
    ["drill", [restoreAnswer(proof.drill, proof.backup)]],
    ["backup", [backupAnswer(proof.backup)]],
    ["set-back", back],
  ];
  const wanting = topics.flatMap(([topic, answers]) => (said.some((code) => code.includes(topic)) ? [] : answers)).filter((a) => a.tone === "alarm" || a.tone === "fault");
  return [...wanting.filter((a) => a.tone === "alarm"), ...wanting.filter((a) => a.tone === "fault")];
}

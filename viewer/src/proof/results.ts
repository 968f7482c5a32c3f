import type { ProofResult } from "../api/proof";
import { bytes, date, millis } from "../words/format";
import { joined, t, type Key } from "../words/messages";
import { visible } from "../words/text";
import { boundsOf, type Tone } from "./answers";

const kinds: Record<string, Key> = {
  verify: "result.verify",
  backup: "result.backup",
  drill: "result.drill",
  restore: "result.restore",
  "set-back": "result.set-back",
  sent: "result.sent",
};

/** The kinds of results, in the order in which they are offered. */
export const resultKinds: readonly string[] = Object.keys(kinds);

/** What a kind of result is called; one that this viewer does not know keeps the server's word. */
export function kindName(kind: string): string {
  const key = kinds[kind];
  return key ? t(key) : visible(kind);
}

/** How a result stands. What was checked against this machine only is not green, nor is what proves nothing. */
export function resultTone({ kind, ok, summary }: ProofResult): Tone {
  if (kind === "set-back") return "fault";
  if (!ok) return kind === "sent" ? "fault" : "alarm";
  if (kind === "verify") return flag(summary["outside"]) && isAll(summary) ? "good" : "";
  return kind === "drill" ? "good" : "";
}

/** What came of a check, as a sentence. */
export function resultWords({ kind, ok, summary: s }: ProofResult): string {
  const problem = text(s["problem"]);
  const findings = number(s["finding_count"]) || (Array.isArray(s["findings"]) ? s["findings"].length : 0);
  if (findings > 0) return t("result.findings", { n: findings });
  if (problem) return problem;
  switch (kind) {
    case "verify":
      return t(isAll(s) ? "result.verified" : "result.verified-part", {
        n: number(s["samples"]),
        batches: number(s["batches"]),
        scope: t(flag(s["outside"]) ? "result.outside" : "result.this-machine"),
      });
    case "backup":
      return ok ? joined([text(s["to"]) || text(s["name"]), bytes(number(s["bytes"])), t(flag(s["encrypted"]) ? "proof.encrypted" : "proof.not-encrypted")].filter(Boolean)) : t("result.failed");
    case "drill":
      return ok ? t("result.restored", { backup: text(s["backup"]), at: day(s["backup_at"]), n: number(s["samples"]) }) : t("result.failed");
    case "restore":
      return t("result.restored-from", { backup: text(s["backup"]), at: day(s["backup_at"]), node: text(s["old_node"]) });
    case "sent":
      return ok ? t("result.sent-to", { at: day(s["at"]), to: text(s["to"]) }) : t("result.failed");
  }
  return text(s["text"]) || t(ok ? "result.done" : "result.failed");
}

/** Whether a verification took in all that is stored. */
function isAll(summary: ProofResult["summary"]): boolean {
  const { from, to } = boundsOf(moment(summary["from"]), moment(summary["to"]));
  return from === null && to === null;
}

function text(value: unknown): string {
  return typeof value === "string" ? visible(value) : "";
}

function number(value: unknown): number {
  return typeof value === "number" && Number.isFinite(value) ? value : 0;
}

function flag(value: unknown): boolean {
  return value === true;
}

/** An instant of a summary: RFC 3339 or milliseconds; 0 and "" are none. */
function moment(value: unknown): number | null {
  return typeof value === "number" ? value || null : typeof value === "string" ? millis(value) || null : null;
}

function day(value: unknown): string {
  const at = moment(value);
  return at === null ? "–" : date(at);
}

import { expect, it } from "vitest";
import type { ProofResult } from "../api/proof";
import { kindName, resultTone, resultWords } from "./results";

const at = Date.UTC(2026, 10, 20, 12);
const result = (kind: string, ok: boolean, summary: ProofResult["summary"]): ProofResult => ({ id: 1, at: "", node: "a", kind, ok, summary });
const nothing = { findings: [], finding_count: 0, problem: "" };

it.each<[string, string, ProofResult]>([
  ["", "No change found in 5 samples of 2 batches, checked against this machine only", result("verify", true, { ...nothing, from: 0, to: 0, samples: 5, batches: 2, outside: false })],
  ["good", "No change found in 1 sample of 2 batches, checked against a checkpoint kept outside", result("verify", true, { ...nothing, from: 0, to: 0, samples: 1, batches: 2, outside: true })],
  ["", "No change found in 5 samples of 2 batches between two dates, checked against a checkpoint kept outside", result("verify", true, { ...nothing, from: at, to: at + 1, samples: 5, batches: 2, outside: true })],
  ["alarm", "14 things are not as they were recorded", result("verify", false, { ...nothing, findings: [{ what: "changed", text: "x" }], finding_count: 14 })],
  ["alarm", "The store went ⟨U+202E⟩ away.", result("verify", false, { ...nothing, problem: "The store went \u202E away." })],
  ["", "//nas/halley, 412\u00a0MB, encrypted", result("backup", true, { name: "b", to: "//nas/halley", bytes: 412_000_000, encrypted: true, problem: "" })],
  ["alarm", "Access is denied.", result("backup", false, { problem: "Access is denied." })],
  ["good", "b of 20 Nov 2026 restored for trial, 5 samples verified", result("drill", true, { ...nothing, backup: "b", backup_at: at, samples: 5 })],
  ["alarm", "1 thing is not as it was recorded", result("drill", false, { findings: [{ what: "missing", text: "x" }], problem: "" })],
  ["alarm", "Failed", result("drill", false, nothing)],
  ["", "Restored from b of 20 Nov 2026, made by brno", result("restore", true, { backup: "b", backup_at: "2026-11-20T12:00:00Z", old_node: "brno" })],
  ["fault", "Set back to noon.", result("set-back", false, { what: "store", text: "Set back to noon." })],
  ["", "Checkpoint of 20 Nov 2026 sent to //nas", result("sent", true, { at, to: "//nas", problem: "" })],
  ["fault", "No route to host.", result("sent", false, { at, to: "//nas", problem: "No route to host." })],
  ["", "Done", result("something", true, {})],
])("%s: %s", (tone, words, of) => {
  expect(resultWords(of)).toBe(words);
  expect(resultTone(of)).toBe(tone);
});

it("names kinds, also those that are not known", () => {
  expect(kindName("set-back")).toBe("Set back");
  expect(kindName("dance\u202E")).toBe("dance⟨U+202E⟩");
});

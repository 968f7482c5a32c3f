import { describe, expect, it } from "vitest";
import type { Backup, Drill, Proof, Verification } from "../api/proof";
import { backupAnswer, changedAnswer, hasLeft, missingAnswer, needs, restoreAnswer, scopeWords, shortScopeWords } from "./answers";
import type { FleetFigures } from "./days";
import { countsWords, dayWords, fleetWords } from "./words";

const at = "2026-11-20T12:00:00.000Z";
const figures = (change: Partial<FleetFigures> = {}): FleetFigures => ({ devices: 24, lacking: 0, unsure: 0, uncounted: 0, expected: 1_000, received: 1_000, late: 0, missing: 0, uncertain: 0, ...change });
const verification = (change: Partial<Verification> = {}): Verification => ({ at, ok: true, from: null, to: null, samples: 5, batches: 1, checkpoints: 1, outside: true, anchor_at: null, finding_count: 0, findings: [], problem: "", running: false, progress: 0, ...change });
const backup = (change: Partial<Backup> = {}): Backup => ({ at, end_at: at, ok: true, name: "b", to: "//nas", bytes: 1, encrypted: true, problem: "", configured: true, overdue: false, ...change });
const drill = (change: Partial<Drill> = {}): Drill => ({ at, ok: true, backup: "b", backup_at: at, samples: 5, problem: "", overdue: false, findings: [], ...change });

describe("Is anything missing?", () => {
  it.each([
    ["good", "Nothing missing of 1,000 messages", figures()],
    ["missing", "9 of 1,000 messages missing, at 2 of 24 devices", figures({ missing: 9, lacking: 2, uncertain: 1, uncounted: 1 })],
    ["", "Nothing missing for certain, 1 message uncertain at 1 of 24 devices", figures({ uncertain: 1, unsure: 1 })],
    ["", "Nothing missing so far; days of 2 devices are not counted", figures({ uncounted: 2 })],
    ["", "Nothing was expected", figures({ expected: 0, received: 0 })],
    ["", "Nothing has been counted yet", figures({ devices: 0 })],
  ])("%s: %s", (tone, text, of) => expect(missingAnswer(of)).toEqual({ tone, text }));
});

describe("Has anything been changed?", () => {
  it.each([
    ["", "Not verified yet", null],
    ["", "Not verified yet", verification({ at: null, running: true, ok: false })],
    ["good", "No change found", verification()],
    ["", "No change found", verification({ outside: false })],
    ["", "No change found", verification({ from: at })],
    ["", "No change found", verification({ to: at })],
    ["good", "No change found", verification({ from: "2000-01-01T00:00:00.000Z", to: "2099-12-31T23:59:59.999Z" })],
    ["alarm", "1 thing is not as it was recorded", verification({ ok: false, finding_count: 1 })],
    ["alarm", "2,000 things are not as they were recorded", verification({ ok: false, finding_count: 2_000, problem: "It was stopped." })],
    ["fault", "The last verification did not come to its end", verification({ ok: false, problem: "It was stopped." })],
    ["fault", "The last verification did not come to its end", verification({ ok: false })],
  ])("%s: %s", (tone, text, of) => expect(changedAnswer(of)).toEqual({ tone, text }));

  it.each([
    [[], null],
    [["all that is stored", "checked against this machine only"], verification({ outside: false })],
    [["all that is stored", "checked against a checkpoint kept outside this machine"], verification()],
    [["all that is stored", "checked against a checkpoint of 20 Nov 2026 kept outside this machine; what came later, against this machine only"], verification({ anchor_at: at })],
    [["measured since 20 Nov 2026", "checked against this machine only"], verification({ outside: false, from: at })],
    [["measured before 20 Nov 2026", "checked against this machine only"], verification({ outside: false, to: at })],
    [["measured 1 Jan 2026 to 20 Nov 2026", "checked against this machine only"], verification({ outside: false, from: "2026-01-01T00:00:00Z", to: at })],
  ])("says its scope: %j", (want, of) => expect(scopeWords(of)).toEqual(want));

  it("says the scope in few words", () => {
    expect(shortScopeWords(verification({ outside: false }))).toEqual(["checked against this machine only"]);
    expect(shortScopeWords(verification({ anchor_at: at, from: at }))).toEqual(["measured since 20 Nov 2026", "checked against a checkpoint kept outside this machine"]);
    expect(shortScopeWords(null)).toEqual([]);
  });

  it("knows whether a checkpoint has left", () => {
    const sent = (ok: boolean) => ({ to: "x", at, ok, problem: "" });
    expect(hasLeft(null)).toBe(false);
    expect(hasLeft({ at, node: "a", sent: [sent(false)] })).toBe(false);
    expect(hasLeft({ at, node: "a", sent: [sent(false), sent(true)] })).toBe(true);
  });
});

describe("Could you restore it?", () => {
  it.each([
    ["good", "Restore proven on 20 Nov 2026", drill(), backup()],
    ["fault", "Restore was proven on 20 Nov 2026; the next drill is overdue", drill({ overdue: true }), backup()],
    ["alarm", "The restore for trial of 20 Nov 2026 failed", drill({ ok: false, overdue: true }), backup()],
    ["alarm", "The restore for trial of 20 Nov 2026 failed", drill({ findings: [{ what: "missing", text: "" }] }), backup()],
    ["", "Not proven yet: no backup has been restored for trial", null, backup()],
    ["fault", "Not proven yet, and a drill is overdue", drill({ at: null, ok: false, overdue: true }), backup()],
    ["", "Not proven: no backup is set up", null, null],
    ["", "Not proven: no backup is set up", null, backup({ at: null, configured: false })],
    ["", "Not proven yet: no backup has been restored for trial", null, backup({ configured: false })],
  ])("%s: %s", (tone, text, d, b) => expect(restoreAnswer(d, b)).toEqual({ tone, text }));

  it.each([
    ["", "No backup is set up", null],
    ["", "Backups are set up; the first has not been made yet", backup({ at: null })],
    ["fault", "Backups are set up, but the first is overdue", backup({ at: null, overdue: true })],
    ["", "Last backup on 20 Nov 2026", backup()],
    ["fault", "The last backup was made on 20 Nov 2026; the next is overdue", backup({ overdue: true })],
    ["alarm", "The backup of 20 Nov 2026 failed", backup({ ok: false, overdue: true })],
  ])("%s: %s", (tone, text, b) => expect(backupAnswer(b)).toEqual({ tone, text }));
});

describe("what needs a person", () => {
  const now = Date.parse(at);
  const proof = (change: Partial<Proof> = {}): Proof => ({ verification: verification(), checkpoint: null, backup: backup(), drill: drill(), set_back: [], ...change });

  it("is nothing where all is proven, or nothing was set up", () => {
    expect(needs(proof(), now)).toEqual([]);
    expect(needs(proof({ verification: null, backup: null, drill: null }), now)).toEqual([]);
  });

  it("is the gravest first, and a set back for thirty days", () => {
    const back = (days: number) => ({ at: new Date(now - days * 86_400_000).toISOString(), what: "store", text: `set back ${days} days ago \u202E` });
    const texts = needs(proof({ drill: drill({ overdue: true }), backup: backup({ ok: false }), set_back: [back(29), back(31)] }), now).map((a) => a.text);
    expect(needs(proof({ drill: drill({ overdue: true }), backup: backup({ ok: false }), set_back: [back(29)] }), now, ["backup-failed", "store-set-back", "journal-full"]).map((a) => a.text)).toEqual(["Restore was proven on 20 Nov 2026; the next drill is overdue"]);
    expect(texts).toEqual(["The backup of 20 Nov 2026 failed", "Restore was proven on 20 Nov 2026; the next drill is overdue", "set back 29 days ago ⟨U+202E⟩"]);
  });
});

describe("a day in words", () => {
  const day = { expected: 1_440, received: 1_140, late: 60, missing: 300, uncertain: 0 };

  it.each([
    ["Fri 20 Nov 2026: Received 1,140 of 1,440, 300 missing, 60 late (21 % missing)", day],
    ["Fri 20 Nov 2026: Received 1,440 of 1,440, nothing missing", { ...day, received: 1_440, late: 0, missing: 0 }],
    ["Fri 20 Nov 2026: Received 1,440 of 1,440, 2 late, nothing missing", { ...day, received: 1_440, late: 2, missing: 0 }],
    ["Fri 20 Nov 2026: Received 1,438 of 1,438, 2 uncertain", { ...day, expected: 1_438, received: 1_438, late: 0, missing: 0, uncertain: 2 }],
    ["Fri 20 Nov 2026: nothing is known of it", undefined],
  ])("is %s", (want, of) => expect(dayWords("2026-11-20", of)).toBe(want));

  it("and a fleet", () => {
    expect(fleetWords(day)).toBe("Received 1,140 of 1,440, 300 missing, 60 late");
    expect(countsWords({ ...day, late: 0, missing: 0 })).toBe("");
  });
});

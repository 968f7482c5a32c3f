import { describe, expect, it } from "vitest";
import type { Journal, Status, Store } from "../api/types";
import { engineName, forecast, limitWords, noChangeWords, noRecordingWords, sinceWords, storeNote, usedWords, waitingWords } from "./store";

const now = Date.UTC(2026, 10, 21, 22, 30);
const hour = 3_600_000,
  day = 24 * hour;
const iso = (ms: number) => new Date(ms).toISOString();
const plain = (text: string) => text.replaceAll("\u00a0", " ");

const store = (of: Partial<Store> = {}): Store => ({
  kind: "sqlserver",
  engine: "SQL Server 2019 Express",
  state: "ok",
  since: null,
  problem: "",
  schema: 2,
  bytes: 6_400_000_000,
  samples: 320_000_000,
  bytes_per_sample: 20,
  samples_per_day: 400_000,
  limit_bytes: 10 * 2 ** 30,
  limit: "edition",
  full_at: null,
  ...of,
});
const status = (of: Partial<Store>, journal: Partial<Journal> = {}): Status =>
  ({ at: iso(now), store: store(of), journal: { state: "ok", waiting: 0, oldest_waiting_at: null, ...journal } }) as unknown as Status;

describe("the note on the database", () => {
  it("says nothing while all is well", () => {
    expect(storeNote(status({}), now)).toEqual([]);
    expect(storeNote(status({}, { waiting: 40, oldest_waiting_at: iso(now - 9_000) }), now)).toEqual([]);
  });

  it("says since when it is away, what waits, and what goes on", () => {
    expect(storeNote(status({ state: "away", since: iso(Date.UTC(2026, 10, 21, 20, 4)) }, { waiting: 1204 }), now)).toEqual([
      "The database has been away since 21:04.",
      "Nothing is lost: 1,204 uploads wait on this server.",
      "Live values go on; history, completeness and changes come back with it.",
    ]);
  });

  it("says the day of a state that began before today", () => {
    expect(storeNote(status({ state: "away", since: iso(now - 2 * day) }), now)[0]).toBe("The database has been away since Thu 19 Nov 23:30.");
    expect(storeNote(status({ state: "away" }), now)[0]).toBe("The database is away.");
  });

  it.each([
    ["away", "The database is away.", "Live values go on; history, completeness and changes come back with it."],
    ["read-only", "The database can only be read.", "Live values go on; history is shown up to then. What waits, and changes, go in once it can be written again."],
    ["full", "The database is full.", "Live values go on; history is shown up to then. What waits, and changes, go in once it has room."],
  ] as const)("has own words for %s", (state, first, last) => {
    expect(storeNote(status({ state }), now)).toEqual([first, "Nothing is lost: uploads wait on this server.", last]);
  });

  it.each(["full", "failing"] as const)("does not say that nothing is lost when the journal is %s", (state) => {
    const text = storeNote(status({ state: "away" }, { state, waiting: 1 }), now).join(" ");
    expect(text).not.toContain("Nothing is lost");
    expect(text).toContain("1 upload waits on this server, which cannot keep more: devices are answered “not stored”.");
  });

  it("says that what waited is still being recorded", () => {
    expect(storeNote(status({}, { waiting: 1204, oldest_waiting_at: iso(now - hour) }), now)).toEqual([
      "1,204 uploads wait to be recorded, the oldest since 22:30. History is whole once they are.",
    ]);
  });
});

describe("a refusal", () => {
  it.each(["away", "read-only", "full"] as const)("while %s says why", (state) => {
    expect(noChangeWords(state)).toMatch(/^This cannot be changed while the database/);
    expect(noRecordingWords(state)).toMatch(/this happens by itself\.$/);
  });

  it("is none while all is well", () => expect(noChangeWords("ok") + noRecordingWords("ok")).toBe(""));
});

describe("the forecast", () => {
  it.each([
    [13 * hour, "Full within a day (22 Nov 2026)", "alarm"],
    [day, "Full in about 1 day (22 Nov 2026)", "alarm"],
    [9.6 * day, "Full in about 10 days (1 Dec 2026)", "alarm"],
    [14 * day, "Full in about 2 weeks (5 Dec 2026)", "fault"],
    [89 * day, "Full in about 13 weeks (18 Feb 2027)", "fault"],
    [90 * day, "Full in about 3 months (February 2027)", ""],
    [Date.UTC(2028, 0, 20) - now, "Full in about 14 months (January 2028)", ""],
    [6.2 * 365 * day, "Full in about 6 years (2033)", ""],
    [0, "Full", "alarm"],
    [-day, "Full", "alarm"],
  ])("in %d ms is %s", (left, text, tone) => {
    expect(forecast(store({ full_at: iso(now + left) }), now)).toEqual({ text, tone });
  });

  it("says why there is none", () => {
    expect(forecast(store(), now).text).toBe("Not full in this century at the present growth");
    expect(forecast(store({ samples_per_day: 0 }), now).text).toMatch(/^When it will be full is not known yet/);
    expect(forecast(store({ limit_bytes: 0, limit: "" }), now).text).toMatch(/no limit is known$/);
    expect(forecast(store({ state: "full" }), now)).toEqual({ text: "Full", tone: "alarm" });
  });
});

describe("the room", () => {
  it("is said as size, limit and share", () => {
    expect(plain(usedWords(store()))).toBe("6.4 GB of 10.7 GB, 59.6 %");
    expect(plain(usedWords(store({ bytes: 2e10 })))).toBe("20.0 GB of 10.7 GB, 100 %");
  });

  it.each([
    [{}, /^The edition of SQL Server sets this limit: 10 GB as Microsoft counts them/],
    [{ limit: "file-size" }, /greatest size of the database's file/],
    [{ limit: "disk" }, /^The disk of the database/],
    [{ limit: "", limit_bytes: 0 }, /^$/],
    [{ limit: "edition", limit_bytes: 0 }, /^$/],
    [{ limit: "quota\u202E" }, /^quota⟨U\+202E⟩$/],
  ])("says what bounds it: %o", (of, want) => expect(limitWords(store(of))).toMatch(want));
});

describe("names and figures", () => {
  it("of engines are the engine's own, made visible", () => {
    expect(engineName(store({ engine: "SQL Server\u202E" }))).toBe("SQL Server⟨U+202E⟩");
    expect(engineName(store({ engine: "" }))).toBe("SQL Server");
    expect(engineName(store({ engine: "", kind: "sqlite" }))).toBe("SQLite, built in");
    expect(engineName(store({ engine: "", kind: "other" }))).toBe("other");
  });

  it("of what waits say how old the oldest is", () => {
    expect(waitingWords(0, null, now)).toBe("0");
    expect(waitingWords(1204, iso(now - 3 * hour - 12 * 60_000), now)).toBe("1,204, the oldest 3 h 12 min ago");
  });

  it("of a state say when it began and for how long it has been", () => {
    expect(sinceWords(now - 3 * hour, now)).toBe("20:30, for 3 h");
    expect(sinceWords(now + 5_000, now)).toBe("23:30, for 0 s");
  });
});

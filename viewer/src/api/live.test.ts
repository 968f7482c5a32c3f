import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { follow, waitBefore } from "./live";

class Stream extends EventTarget {
  static made: Stream[] = [];
  closed = false;
  constructor(readonly url: string) {
    super();
    Stream.made.push(this);
  }
  close() {
    this.closed = true;
  }
  say(type: string, data = "{}") {
    this.dispatchEvent(new MessageEvent(type, { data }));
  }
}

const heard = { open: vi.fn(), message: vi.fn(), stale: vi.fn(), cut: vi.fn() };

beforeEach(() => {
  vi.useFakeTimers();
  vi.clearAllMocks();
  Stream.made = [];
  vi.stubGlobal("EventSource", Stream);
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("follow", () => {
  it("passes on what the stream says", () => {
    const end = follow(heard);
    const stream = Stream.made[0]!;
    stream.say("hello");
    stream.say("message", '{"device_id":1,"values":[]}');
    stream.say("devices");
    stream.say("missed");
    expect(heard.open).toHaveBeenCalledOnce();
    expect(heard.message).toHaveBeenCalledWith({ device_id: 1, values: [] });
    expect(heard.stale).toHaveBeenCalledTimes(2);
    end();
    expect(stream.closed).toBe(true);
  });

  it("leaves out a message that cannot be read", () => {
    const end = follow(heard);
    Stream.made[0]!.say("message", "{");
    Stream.made[0]!.say("message", '{"device_id":"x"}');
    expect(heard.message).not.toHaveBeenCalled();
    end();
  });

  it("connects again after a cut, later each time, and at once again after a success", () => {
    const end = follow(heard);
    Stream.made[0]!.say("error");
    expect(heard.cut).toHaveBeenCalledOnce();
    expect(Stream.made[0]!.closed).toBe(true);
    vi.advanceTimersByTime(625);
    expect(Stream.made).toHaveLength(2);
    Stream.made[1]!.say("error");
    vi.advanceTimersByTime(625);
    expect(Stream.made).toHaveLength(2);
    vi.advanceTimersByTime(625);
    expect(Stream.made).toHaveLength(3);
    Stream.made[2]!.say("hello");
    Stream.made[2]!.say("error");
    vi.advanceTimersByTime(625);
    expect(Stream.made).toHaveLength(4);
    end();
  });

  it("does not come back once it was ended", () => {
    const end = follow(heard);
    Stream.made[0]!.say("error");
    end();
    vi.advanceTimersByTime(60_000);
    expect(Stream.made).toHaveLength(1);
  });
});

describe("waitBefore", () => {
  it.each([
    [0, 0.5, 500],
    [1, 0.5, 1_000],
    [99, 0.5, 20_000],
    [5, 0, 15_000],
    [5, 1, 25_000],
  ])("try %i with luck %f waits %i ms", (attempt, luck, want) => {
    expect(waitBefore(attempt, luck)).toBe(want);
  });
});

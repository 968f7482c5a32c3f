import { afterEach, describe, expect, it, vi } from "vitest";
import { Failure } from "./client";
import { remembering } from "./unchanged";

interface Asked {
  path: string;
  known: string | undefined;
}

const asked: Asked[] = [];

/** Answers one question after the other. */
function answering(...answers: (() => Response)[]): void {
  asked.length = 0;
  vi.stubGlobal("fetch", (path: string, init: RequestInit) => {
    asked.push({ path, known: (init.headers as Record<string, string>)["If-None-Match"] });
    const next = answers.shift();
    return next ? Promise.resolve(next()) : Promise.reject(new TypeError("nothing more was to be asked"));
  });
}

const list = (tag: string | null, value: unknown) => () => new Response(JSON.stringify(value), { status: 200, headers: tag === null ? {} : { ETag: tag } });
const same = () => new Response(null, { status: 304 });
const going = () => new AbortController().signal;

afterEach(() => {
  vi.unstubAllGlobals();
});

describe("a list that is remembered", () => {
  it("is the very list of before where the server says that it still is", async () => {
    answering(list('W/"a"', [1, 2]), same, list('W/"b"', [1, 2, 3]), same);
    const ask = remembering<number[]>();
    const first = await ask("/x", going());
    expect(await ask("/x", going())).toBe(first);
    const changed = await ask("/x", going());
    expect(changed).toEqual([1, 2, 3]);
    expect(await ask("/x", going())).toBe(changed);
    expect(asked.map((a) => a.known)).toEqual([undefined, 'W/"a"', 'W/"a"', 'W/"b"']);
  });

  it("is one for each address", async () => {
    answering(list('W/"a"', [1]), list('W/"b"', [2]), same);
    const ask = remembering<number[]>();
    await ask("/x", going());
    const other = await ask("/y", going());
    expect(await ask("/y", going())).toBe(other);
    expect(asked.map((a) => a.known)).toEqual([undefined, undefined, 'W/"b"']);
  });

  it("is asked for whole where the server gave no tag", async () => {
    answering(list(null, [1]), list(null, [1]));
    const ask = remembering<number[]>();
    await ask("/x", going());
    await ask("/x", going());
    expect(asked.map((a) => a.known)).toEqual([undefined, undefined]);
  });

  it("fails as every question does", async () => {
    answering(
      list('W/"a"', [1]),
      () => new Response("{}", { status: 503 }),
      () => new Response("no list", { status: 200 }),
      same,
    );
    const ask = remembering<number[]>();
    const first = await ask("/x", going());
    await expect(ask("/x", going())).rejects.toMatchObject({ status: 503 });
    await expect(ask("/x", going())).rejects.toBeInstanceOf(Failure);
    expect(await ask("/x", going())).toBe(first);
  });
});

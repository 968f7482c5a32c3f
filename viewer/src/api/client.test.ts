import { afterEach, describe, expect, it, vi } from "vitest";
import { ask, Failure, request, session, turnstile } from "./client";

afterEach(() => vi.unstubAllGlobals());

function answer(status: number, body: unknown) {
  const fetched = vi.fn<(url: string, init: RequestInit) => Promise<Response>>(() =>
    Promise.resolve(new Response(body === null ? null : typeof body === "string" ? body : JSON.stringify(body), { status })),
  );
  vi.stubGlobal("fetch", fetched);
  return fetched;
}

describe("ask", () => {
  it("gives the parsed answer", async () => {
    answer(200, { name: "first" });
    expect(await ask("/me")).toEqual({ name: "first" });
  });

  it("sends a body as JSON", async () => {
    const fetched = answer(204, null);
    await ask("/session", { method: "POST", body: { secret: "s" } });
    const [url, init] = fetched.mock.calls[0]!;
    expect(url).toBe("/api/v1/session");
    expect(init.body).toBe('{"secret":"s"}');
    expect(new Headers(init.headers).get("Content-Type")).toBe("application/json");
  });

  it("throws the server's own words", async () => {
    answer(409, { title: "Conflict", detail: "The device is accepted already.", code: "wrong-state", id: "7" });
    const failure = await ask("/devices/1/accept").catch((cause: unknown) => cause);
    expect(failure).toBeInstanceOf(Failure);
    expect(failure).toMatchObject({ status: 409, code: "wrong-state", detail: "The device is accepted already.", id: "7" });
  });

  it("makes something of an answer that is no problem document", async () => {
    answer(502, "<html>bad gateway</html>");
    await expect(request("/me")).rejects.toMatchObject({ status: 502, code: "502", detail: "" });
  });

  it("calls a server that does not answer unreachable", async () => {
    vi.stubGlobal("fetch", () => Promise.reject(new TypeError("failed")));
    await expect(ask("/me")).rejects.toMatchObject({ status: 0, code: "unreachable" });
  });

  it("calls a broken answer not understood", async () => {
    answer(200, "{");
    await expect(ask("/me")).rejects.toMatchObject({ code: "not-understood" });
  });

  it("ends the session on 401, but not for a wrong secret", async () => {
    session.value = "open";
    answer(401, { code: "secret-not-valid" });
    await ask("/session", { enters: true }).catch(() => undefined);
    expect(session.value).toBe("open");
    answer(401, { code: "no-session" });
    await ask("/me").catch(() => undefined);
    expect(session.value).toBe("none");
  });
});

describe("turnstile", () => {
  it("never runs more than its most at once and runs all", async () => {
    const inTurn = turnstile(4);
    let running = 0,
      most = 0;
    const done = await Promise.all(
      Array.from({ length: 50 }, (_, i) =>
        inTurn(async () => {
          most = Math.max(most, ++running);
          await Promise.resolve();
          running--;
          return i;
        }),
      ),
    );
    expect(most).toBe(4);
    expect(done).toHaveLength(50);
  });

  it("lets the next one in when one fails", async () => {
    const inTurn = turnstile(1);
    const first = inTurn(() => Promise.reject(new Error("broken")));
    const second = inTurn(() => Promise.resolve("fine"));
    await expect(first).rejects.toThrow("broken");
    await expect(second).resolves.toBe("fine");
  });

  it("does not begin work that was given up while it waited", async () => {
    const inTurn = turnstile(1);
    const gone = new AbortController();
    const work = vi.fn(() => Promise.resolve());
    const first = inTurn(() => Promise.resolve());
    const second = inTurn(work, gone.signal);
    gone.abort();
    await first;
    await expect(second).rejects.toMatchObject({ name: "AbortError" });
    expect(work).not.toHaveBeenCalled();
  });
});

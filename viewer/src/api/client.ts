import { signal } from "@preact/signals";
import { takeStir } from "../access/activity";

/** Whether this browser has a session: not known before the first answer. */
export const session = signal<"unknown" | "open" | "none">("unknown");

/** Counts the answers that something is away for now: how the server stands has changed, or is about to. */
export const refusals = signal(0);

/** What stands between a question and its answer, in the server's own words where it gave some. */
export class Failure extends Error {
  constructor(
    /** The HTTP status, 0 where no answer came at all. */
    readonly status: number,
    /** The server's code of it, "unreachable" or "not-understood". */
    readonly code: string,
    /** What to do, in the server's words; may be empty. */
    readonly detail: string,
    /** The id under which the server's log tells more; may be empty. */
    readonly id = "",
    /** All members of the server's problem document. */
    readonly members: Readonly<Record<string, unknown>> = {},
  ) {
    super(detail || code);
    this.name = "Failure";
  }
}

/** The longest time that an answer may take to begin and, but for files, to end. */
const patience = 20_000;

export const unreachable = "unreachable";

/** The root of all addresses of the API. */
export const root = "/api/v1";

interface Question {
  method?: "GET" | "POST" | "PATCH" | "DELETE";
  body?: unknown;
  accept?: string;
  /** Ends the question early: the page that asked has gone. */
  signal?: AbortSignal;
  /** Leaves out the limit of time, for files that may take long. */
  unhurried?: boolean;
  /** The tag of an answer that is known: where it still stands the response is a 304 without a body. */
  known?: string;
  /** The question is about signing in: that it is refused says nothing of a session that stands. */
  enters?: boolean;
}

/** Asks a person for the password again before a grave change; says whether it was given. Set by the part that shows it. */
export const confirmation: { ask: (() => Promise<boolean>) | null } = { ask: null };

/**
 * Asks the API and gives the response; throws a Failure for every answer that is not a success. Where the server wants the
 * password again first, it is asked for, and the question is put once more.
 */
export async function request(path: string, question: Question = {}): Promise<Response> {
  try {
    return await asked(path, question);
  } catch (cause) {
    if (!(cause instanceof Failure) || cause.code !== "confirmation-needed" || !confirmation.ask) throw cause;
    if (!(await confirmation.ask())) throw new Failure(403, "not-confirmed", "");
    return asked(path, question);
  }
}

async function asked(path: string, question: Question): Promise<Response> {
  const limits: AbortSignal[] = [];
  if (question.signal) limits.push(question.signal);
  if (!question.unhurried) limits.push(AbortSignal.timeout(patience));
  const headers: Record<string, string> = { Accept: question.accept ?? "application/json" };
  if (question.body !== undefined) headers["Content-Type"] = "application/json";
  if (question.known) headers["If-None-Match"] = question.known;
  const changes = question.method !== undefined && question.method !== "GET";
  // What the viewer asks by itself keeps no session alive; what a person has just done does.
  if (!takeStir() && !changes) headers["X-Halley-Passive"] = "1";
  let response: Response;
  try {
    response = await fetch(root + path, {
      method: question.method ?? "GET",
      headers,
      cache: "no-store",
      ...(question.body === undefined ? {} : { body: JSON.stringify(question.body) }),
      ...(limits.length ? { signal: AbortSignal.any(limits) } : {}),
    });
  } catch (cause) {
    if (question.signal?.aborted) throw cause;
    throw new Failure(0, unreachable, "");
  }
  if (response.status === 503) refusals.value++;
  if (!response.ok && !(response.status === 304 && question.known)) throw await failureOf(response, question.enters ?? false);
  return response;
}

/** Asks for a JSON answer. */
export async function ask<T>(path: string, question: Question = {}): Promise<T> {
  const response = await request(path, question);
  if (response.status === 204) return undefined as T;
  try {
    return (await response.json()) as T;
  } catch (cause) {
    if (question.signal?.aborted) throw cause;
    throw new Failure(response.status, "not-understood", "");
  }
}

async function failureOf(response: Response, enters: boolean): Promise<Failure> {
  let code = "",
    detail = "",
    id = "",
    members: Record<string, unknown> = {};
  try {
    const problem: unknown = await response.json();
    if (typeof problem === "object" && problem !== null) {
      const fields = problem as Record<string, unknown>;
      members = fields;
      const text = (name: string) => (typeof fields[name] === "string" ? fields[name] : "");
      code = text("code");
      detail = text("detail") || text("title");
      id = text("id");
    }
  } catch {
    // An answer that is no problem document comes from something between the server and us; its status says enough.
  }
  // A wrong password or secret is also 401, and tells nothing new about the session.
  if (response.status === 401 && (!enters || code === "session-not-valid")) session.value = "none";
  return new Failure(response.status, code || String(response.status), detail, id, members);
}

/** Says whether what was thrown only means that nobody waits for the answer any more. */
export function isAbandoned(cause: unknown): boolean {
  return cause instanceof DOMException && cause.name === "AbortError";
}

/** Lets at most `most` pieces of work run at once; the others wait in order. A piece whose signal ends while it waits is not begun. */
export function turnstile(most: number): <T>(work: () => Promise<T>, signal?: AbortSignal) => Promise<T> {
  const waiting: (() => void)[] = [];
  let running = 0;
  const leave = () => {
    running--;
    waiting.shift()?.();
  };
  return async (work, signal) => {
    if (running >= most) await new Promise<void>((go) => waiting.push(go));
    running++;
    try {
      signal?.throwIfAborted();
      return await work();
    } finally {
      leave();
    }
  };
}

/** Keeps the many small questions of the overview from crowding out what a person has just asked for. */
export const inTurn = turnstile(4);

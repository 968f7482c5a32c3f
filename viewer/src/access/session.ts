import { signal } from "@preact/signals";
import { ask, Failure, session } from "../api/client";
import type { Factor, Link, SignIn } from "../api/people";
import { me, recognise, trouble } from "../fleet/fleet";
import { visible } from "../words/text";
import { entry } from "./entry";
import { requestOptions, assertionOf } from "./passkey";

// Signing in and out. Several tabs share one session: what one of them does, the others hear of.

/** Why no session is, where it ended by itself. */
export const ended = signal<"" | "idle" | "server">("");

/** What a second step of signing in needs to know of the first. */
export interface SecondStep {
  factors: Factor[];
  pending: string;
  /** What the browser needs to know to ask for a passkey. */
  passkey: unknown;
}

const tabs = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel("halley-session");

/** Who was signed in last in this tab: what was loaded for one person must not be shown to another. */
let last = "";

function leave(why: "" | "idle" | "server"): void {
  ended.value = why;
  me.value = null;
  session.value = "none";
}

/** Hears what other tabs do, and when the server ends the session. Gives what ends it. */
export function watchSession(): () => void {
  const hear = (event: MessageEvent<unknown>) => {
    // What fails here shows itself at the next question.
    if (event.data === "entered") entered(false).catch(() => undefined);
    else if (event.data === "changed") location.assign("/");
    else if ((event.data === "out" || event.data === "idle") && session.peek() === "open") leave(event.data === "idle" ? "idle" : "");
  };
  tabs?.addEventListener("message", hear);
  const unfollow = session.subscribe((now) => {
    // Nobody signed out here: the server did not know the session any more.
    if (now === "none" && me.peek() !== null) leave("server");
    if (now === "open" && me.peek()) last = me.peek()?.name ?? "";
  });
  return () => {
    tabs?.removeEventListener("message", hear);
    unfollow();
  };
}

/** Goes on after signing in, on the page that the address names. */
export async function entered(tell = true): Promise<void> {
  const before = last;
  await recognise();
  if (me.value === null) throw trouble.value ?? new Failure(401, "no-session", "");
  ended.value = "";
  entry.value = null;
  if (tell) tabs?.postMessage("entered");
  // Another person begins with nothing of what the former one saw.
  if (before && before !== me.value.name) location.assign("/");
}

export function loadSignIn(signal?: AbortSignal): Promise<SignIn> {
  return ask<SignIn>("/sign-in", { enters: true, ...(signal ? { signal } : {}) });
}

/** The second step that an answer asks for; null where it is about something else. */
export function secondStepOf(cause: unknown): SecondStep | null {
  if (!(cause instanceof Failure) || cause.code !== "second-factor-needed") return null;
  const { factors, pending, passkey } = cause.members;
  return { factors: Array.isArray(factors) ? (factors as Factor[]) : ["totp"], pending: typeof pending === "string" ? pending : "", passkey };
}

/** Signs in one way or another. Gives the second step where one is asked for, null where somebody is signed in. */
export async function secondStepAfter(signingIn: Promise<void>): Promise<SecondStep | null> {
  try {
    await signingIn;
    return null;
  } catch (cause) {
    const step = secondStepOf(cause);
    if (!step) throw cause;
    return step;
  }
}

/** Signs in by name and password, and by the code of an authenticator where one is asked for. */
export async function signInByName(name: string, password: string, code?: string): Promise<void> {
  await ask("/session", { method: "POST", body: { name, password, ...(code ? { code } : {}) }, enters: true });
  await entered();
}

/** Finishes signing in with a passkey. */
export async function signInByPasskey(step: SecondStep): Promise<void> {
  const credential = await assertionOf(requestOptions(step.passkey));
  await ask("/session/passkey", { method: "POST", body: { pending: step.pending, credential }, enters: true });
  await entered();
}

/** Makes the first administrator, who is signed in then. A session of the first sign-in needs no secret. */
export async function makeFirst(account: { secret?: string; name: string; full_name: string; password: string }): Promise<void> {
  await ask("/first-account", { method: "POST", body: account, enters: true });
  await entered();
}

export function lookAtLink(secret: string, signal: AbortSignal): Promise<Link> {
  return ask<Link>("/links/look", { method: "POST", body: { secret }, enters: true, signal });
}

/** Sets the password that a link is for, which signs in. */
export async function useLink(secret: string, password: string): Promise<void> {
  await ask("/links", { method: "POST", body: { secret, password }, enters: true });
  await entered();
}

export function forgetPassword(name: string): Promise<void> {
  return ask("/password-reset", { method: "POST", body: { name }, enters: true });
}

/** Signs out, here and in every tab. */
export async function signOut(): Promise<void> {
  await ask("/session", { method: "DELETE" });
  tabs?.postMessage("out");
  leave("");
}

/** Signs out because nobody did anything. What was on the screen goes at once, whatever the server answers. */
export function signOutIdle(): void {
  tabs?.postMessage("idle");
  leave("idle");
  ask("/session", { method: "DELETE", enters: true }).catch(() => {
    // The server ends the session by itself at the same time.
  });
}

/** Shows what another person sees, or ends it; every tab begins anew, for nothing of before may stay in sight. */
export async function showAs(person: number | null): Promise<void> {
  await ask("/me/show-as", person === null ? { method: "DELETE" } : { method: "POST", body: { person_id: person } });
  tabs?.postMessage("changed");
  location.assign("/");
}

/** The address at which signing in with an issuer of OpenID Connect begins; it leads back to the page that was open. */
export function issuerAddress(id: string): string {
  return `/api/v1/session/oidc/${encodeURIComponent(id)}?to=${encodeURIComponent(location.pathname + location.search)}`;
}

/** Who is shown on the account's button. */
export function shownName(): string {
  const who = me.value;
  return who ? visible(who.full_name || who.name) : "";
}

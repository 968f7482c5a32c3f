import { useId } from "preact/hooks";
import { ask, Failure } from "../api/client";
import type { Token } from "../api/people";
import { may } from "../fleet/fleet";
import { pathName } from "../tree/tree";
import { t } from "../words/messages";
import { roleName } from "../words/people";
import { visible } from "../words/text";

/** Who made a token, and that they are gone where they are. */
export function makerWords(token: Token): string {
  const { kind, name, person_state: state } = token.made_by;
  if (!name) return "";
  const words = { name: visible(name) };
  if (kind === "token") return t("tokens.by-token", words);
  if (kind !== "session") return t("tokens.by-server", words);
  if (state === "deleted") return t("tokens.by-deleted", words);
  return t(state === "disabled" ? "tokens.by-disabled" : "tokens.by", words);
}

function List({ tokens }: { tokens: Token[] }) {
  return (
    <ul class="plain">
      {tokens.map((token) => (
        <li key={token.id}>
          <bdi>{visible(token.name)}</bdi>{" "}
          <small class="soft">
            {roleName(token.role)}, <bdi>{pathName(token.organization)}</bdi>
          </small>
        </li>
      ))}
    </ul>
  );
}

/** The tokens that somebody made and that work on without them; nothing where there are none. */
export function MadeTokens({ tokens }: { tokens: Token[] }) {
  if (tokens.length === 0) return null;
  return (
    <section class="panel" aria-labelledby="made-tokens">
      <div class="top">
        <h2 id="made-tokens">{t("people.tokens")}</h2>
        <a class="link tools" href="/tokens">
          {t("nav.tokens")}
        </a>
      </div>
      <p class="soft">{t("people.tokens-what")}</p>
      <List tokens={tokens} />
    </section>
  );
}

/** Warns whoever takes an account away of the tokens that stay, and offers to end them with it. */
export function TokensLeft({ tokens, ends, onEnds }: { tokens: Token[]; ends: boolean; onEnds: (ends: boolean) => void }) {
  const id = useId();
  if (tokens.length === 0) return null;
  return (
    <>
      <p>{t("people.tokens-left", { n: tokens.length })}</p>
      <List tokens={tokens} />
      {may("token.change") && (
        <p class="check">
          <input id={id} type="checkbox" checked={ends} onChange={(event) => onEnds(event.currentTarget.checked)} />
          <label for={id}>{t("people.tokens-end")}</label>
        </p>
      )}
    </>
  );
}

/** Ends tokens. One that somebody else has ended meanwhile is as it should be. */
export async function endTokens(tokens: Token[], why: string): Promise<void> {
  for (const token of tokens) {
    try {
      await ask(`/tokens/${encodeURIComponent(token.id)}`, { method: "DELETE", body: { why } });
    } catch (cause) {
      if (!(cause instanceof Failure && cause.status === 404)) throw cause;
    }
  }
}

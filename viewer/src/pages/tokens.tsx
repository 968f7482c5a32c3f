import { useId, useState } from "preact/hooks";
import { ask } from "../api/client";
import type { IssuedToken, Token, TokenList } from "../api/people";
import { may, serverNow } from "../fleet/fleet";
import { places } from "../fleet/places";
import { announce } from "../parts/announce";
import { Dialog, Field } from "../parts/dialog";
import { FailureNote } from "../parts/failure";
import { noGrant, onlyNode, PlaceSelect, RoleSelect, useRoles } from "../parts/grantfields";
import { Heading } from "../parts/heading";
import { useLoading } from "../parts/loading";
import { makerWords } from "../parts/madetokens";
import { Once } from "../parts/once";
import { PeopleNav } from "../parts/peoplenav";
import { ReasonField } from "../parts/reason";
import { Table } from "../parts/table";
import { useTitle } from "../parts/title";
import { NodeField } from "../tree/nodefield";
import { pathName } from "../tree/tree";
import { date, instant, millis } from "../words/format";
import { joined, t, type Key } from "../words/messages";
import { placeRole, roleName } from "../words/people";
import { visible } from "../words/text";

/** The programs that may ask this server. */
export function TokensPage() {
  useTitle(t("nav.tokens"));
  const list = useLoading((signal) => ask<TokenList>("/tokens", { signal }), []);
  const [makes, setMakes] = useState(false);
  const [revokes, setRevokes] = useState<Token | null>(null);
  const canChange = may("token.change");
  const tokens = list.value?.tokens ?? [];
  return (
    <>
      <PeopleNav />
      <section class="verdict">
        <Heading>{t("nav.tokens")}</Heading>
        {canChange && (
          <div class="buttons">
            <button type="button" class="btn primary" onClick={() => setMakes(true)}>
              {t("tokens.make")}
            </button>
          </div>
        )}
        <p class="facts">{t("tokens.what")}</p>
      </section>
      {list.failure !== undefined && <FailureNote cause={list.failure} again={list.again} />}
      {list.value && tokens.length === 0 && <p class="soft">{t("tokens.none")}</p>}
      {tokens.length > 0 && (
        <section class="panel" aria-label={t("nav.tokens")}>
          <Table
            label={t("nav.tokens")}
            class="stacked"
            columns={[
              t("tokens.name"),
              t("people.role"),
              t("people.at"),
              t("tokens.made"),
              t("tokens.ends"),
              canChange && { name: t("tokens.revoke"), unseen: true },
            ]}
          >
            {tokens.map((token) => (
              <Row key={token.id} token={token} canChange={canChange} onRevoke={() => setRevokes(token)} />
            ))}
          </Table>
        </section>
      )}
      {makes && (
        <MakeDialog
          onClose={() => {
            setMakes(false);
            list.again();
          }}
        />
      )}
      {revokes && <RevokeDialog token={revokes} onDone={list.again} onClose={() => setRevokes(null)} />}
    </>
  );
}

function Row({ token, canChange, onRevoke }: { token: Token; canChange: boolean; onRevoke: () => void }) {
  const made = millis(token.created_at),
    ends = millis(token.expires_at),
    revoked = millis(token.revoked_at);
  const over = revoked !== null || (ends !== null && ends <= serverNow());
  const at = token.place_ids.map((id) => visible(places.value.get(id)?.name ?? t("tokens.place", { n: id })));
  return (
    <tr class={over ? "over" : ""}>
      <td data-label={t("tokens.name")}>
        <bdi>{visible(token.name)}</bdi>
      </td>
      <td data-label={t("people.role")}>{roleName(token.role)}</td>
      <td data-label={t("people.at")}>
        <bdi>{pathName(token.organization)}</bdi>
        {at.length > 0 && <small class="cell soft">{joined(at)}</small>}
      </td>
      <td data-label={t("tokens.made")}>
        {made !== null && date(made)}
        <small class="cell soft">
          <bdi>{makerWords(token)}</bdi>
        </small>
      </td>
      <td data-label={t("tokens.ends")}>{revoked !== null ? t("tokens.revoked", { at: date(revoked) }) : ends === null ? t("tokens.never") : t(over ? "tokens.expired" : "tokens.until", { at: date(ends) })}</td>
      {canChange && (
        <td class={over ? "void" : ""}>
          {!over && (
            <button type="button" class="btn small" aria-label={t("tokens.revoke-of", { name: visible(token.name) })} onClick={onRevoke}>
              {t("tokens.revoke")}
            </button>
          )}
        </td>
      )}
    </tr>
  );
}

const lives: { value: string; key: Key }[] = [
  { value: "24h", key: "tokens.life-day" },
  { value: "30d", key: "tokens.life-month" },
  { value: "90d", key: "tokens.life-quarter" },
  { value: "365d", key: "tokens.life-year" },
  { value: "never", key: "tokens.life-never" },
];

function MakeDialog({ onClose }: { onClose: () => void }) {
  const roles = useRoles();
  const [name, setName] = useState("");
  const [role, setRole] = useState("");
  const [node, setNode] = useState(onlyNode);
  const [place, setPlace] = useState(noGrant().place_id);
  const [life, setLife] = useState("90d");
  const [why, setWhy] = useState("");
  const [made, setMade] = useState<IssuedToken | null>(null);
  const id = useId();
  if (made) {
    const ends = millis(made.expires_at);
    return (
      <Dialog title={t("tokens.made-title", { name: visible(made.name) })} onClose={onClose}>
        <p>{t("tokens.once")}</p>
        <Once label={t("tokens.token")} text={made.token} />
        <p class="soft">{ends === null ? t("tokens.never") : t("signin.link-until", { at: instant(ends, false) })}</p>
      </Dialog>
    );
  }
  const act = async () => {
    const body = { name: name.trim(), role, organization_id: node, ...(role === placeRole ? { place_ids: [place] } : {}), expires: life, why: why.trim() };
    setMade(await ask<IssuedToken>("/tokens", { method: "POST", body }));
    return "stay" as const;
  };
  return (
    <Dialog title={t("tokens.make-title")} act={t("tokens.make-act")} ready={name.trim() !== "" && role !== "" && node > 0 && (role !== placeRole || place > 0) && why.trim() !== ""} onAct={act} onClose={onClose}>
      {roles.failure !== undefined && <FailureNote cause={roles.failure} again={roles.again} />}
      <Field label={t("tokens.name")} hint={t("tokens.name-hint")} value={name} most={100} required onValue={setName} />
      <RoleSelect roles={roles.value ?? []} value={role} onValue={setRole} />
      <NodeField label={t("people.at")} value={node} onValue={setNode} />
      {role === placeRole && node > 0 && <PlaceSelect organization={node} value={place} onValue={setPlace} />}
      <p class="field">
        <label for={id}>{t("tokens.life")}</label>
        <select id={id} value={life} onChange={(event) => setLife(event.currentTarget.value)}>
          {lives.map((l) => (
            <option key={l.value} value={l.value}>
              {t(l.key)}
            </option>
          ))}
        </select>
      </p>
      <ReasonField value={why} onValue={setWhy} />
    </Dialog>
  );
}

function RevokeDialog({ token, onDone, onClose }: { token: Token; onDone: () => void; onClose: () => void }) {
  const [why, setWhy] = useState("");
  const act = async () => {
    await ask(`/tokens/${encodeURIComponent(token.id)}`, { method: "DELETE", body: { why: why.trim() } });
    announce(t("tokens.revoke-done"));
    onDone();
  };
  return (
    <Dialog title={t("tokens.revoke-title", { name: visible(token.name) })} act={t("tokens.revoke")} grave ready={why.trim() !== ""} onAct={act} onClose={onClose}>
      <p>{t("tokens.revoke-what")}</p>
      <ReasonField value={why} onValue={setWhy} />
    </Dialog>
  );
}

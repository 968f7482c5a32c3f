import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { showAs } from "../access/session";
import { ask } from "../api/client";
import type { Grant, IssuedLink, Person, PersonRights } from "../api/people";
import { may, me, serverNow } from "../fleet/fleet";
import { announce } from "../parts/announce";
import { Dialog, Field } from "../parts/dialog";
import { useDoing, Wrong } from "../parts/doing";
import { Facts } from "../parts/facts";
import { FailureNote } from "../parts/failure";
import { GrantFields, grantBody, isChosen, noGrant, useRoles } from "../parts/grantfields";
import { Heading } from "../parts/heading";
import { useLoading } from "../parts/loading";
import { endTokens, MadeTokens, TokensLeft } from "../parts/madetokens";
import { PeopleNav } from "../parts/peoplenav";
import { Sessions } from "../parts/sessions";
import { ReasonField } from "../parts/reason";
import { useTitle } from "../parts/title";
import { NodeField } from "../tree/nodefield";
import { pathName } from "../tree/tree";
import { ago, date, instant, millis } from "../words/format";
import { t, type Key } from "../words/messages";
import { permissionName, personStateMark, personStateName, roleName } from "../words/people";
import { visible } from "../words/text";
import { LinkDialog } from "./people";

/** One person: who it is, what they may do, and what may be done about their account. */
export function PersonPage({ id }: { id: number }) {
  const loading = useLoading((signal) => ask<Person>(`/people/${id}`, { signal }), [id]);
  const person = loading.value;
  useTitle(person ? visible(person.full_name || person.name) : t("nav.people"));
  if (!person)
    return (
      <>
        <PeopleNav />
        <Heading>{t("nav.people")}</Heading>
        {loading.failure === undefined ? <p class="soft">{t("app.asking")}</p> : <FailureNote cause={loading.failure} again={loading.again} />}
      </>
    );
  const isOwn = me.value?.person_id === person.id;
  const canChange = may("person.change") && !isOwn && person.state !== "deleted";
  return (
    <>
      <PeopleNav />
      <p class="crumb">
        <a href="/people">{t("nav.people")}</a>
      </p>
      <section class="verdict">
        <Heading>
          <bdi>{visible(person.full_name || person.name)}</bdi>
        </Heading>
        <span class={`state ${personStateMark(person.state)}`}>{personStateName(person.state)}</span>
      </section>
      {isOwn && <p class="note">{t("people.yourself")}</p>}
      <div class="two even">
        <Grants person={person} canChange={canChange} onDone={loading.again} />
        <About person={person} canChange={canChange} isOwn={isOwn} onDone={loading.again} />
      </div>
      <MadeTokens tokens={person.tokens ?? []} />
      <RightsAt person={person} />
      {person.state !== "deleted" && !isOwn && <Sessions of={`/people/${person.id}`} mine={false} canEnd={may("person.change")} />}
    </>
  );
}

function About({ person, canChange, isOwn, onDone }: { person: Person; canChange: boolean; isOwn: boolean; onDone: () => void }) {
  const seen = millis(person.last_sign_in_at),
    made = millis(person.created_at);
  const gone = person.state === "deleted";
  return (
    <section class="panel" aria-labelledby="about">
      <h2 id="about">{t("people.about")}</h2>
      <Facts
        rows={[
          [t("people.name"), <bdi key="name">{visible(person.name)}</bdi>],
          ...(gone ? [] : ([[t("people.email"), person.email ? <bdi key="mail">{visible(person.email)}</bdi> : t("people.email-none")]] as [string, ComponentChildren][])),
          [t("people.organization"), pathName(person.organization)],
          [t("people.source"), t(sourceKeys[person.source])],
          ...(person.shared ? ([[t("people.kind"), t("people.shared")]] as [string, string][]) : []),
          ...(gone
            ? []
            : ([
                [t("people.last"), seen === null ? t("people.never") : `${ago(seen, serverNow())}, ${instant(seen, false)}`],
                [t("account.factors"), t(person.second_factor ? "people.factor-yes" : "people.factor-no")],
              ] as [string, string][])),
          ...(made === null ? [] : ([[t("people.created"), date(made)]] as [string, string][])),
        ]}
      />
      {gone ? <p class="soft">{t("people.deleted-what")}</p> : <Acts person={person} canChange={canChange} isOwn={isOwn} onDone={onDone} />}
    </section>
  );
}

const sourceKeys: Record<Person["source"], Key> = { local: "people.source-local", ldap: "people.source-ldap", oidc: "people.source-oidc" };

type Act = "edit" | "reset" | "factor" | "disable" | "enable" | "delete";

function Acts({ person, canChange, isOwn, onDone }: { person: Person; canChange: boolean; isOwn: boolean; onDone: () => void }) {
  const [act, setAct] = useState<Act | null>(null);
  const [issued, setIssued] = useState<IssuedLink | null>(null);
  const doing = useDoing();
  const button = (of: Act, key: Key) => (
    <button type="button" class="btn small" onClick={() => setAct(of)}>
      {t(key)}
    </button>
  );
  const done = (said: Key) => {
    announce(t(said));
    onDone();
  };
  return (
    <>
      <p class="act">
        {canChange && button("edit", "people.edit")}
        {canChange && person.source === "local" && person.state !== "disabled" && button("reset", person.state === "invited" ? "people.link-anew" : "people.reset")}
        {canChange && person.second_factor && button("factor", "people.factor-remove")}
        {canChange && person.state === "active" && button("disable", "people.disable")}
        {canChange && person.state === "disabled" && button("enable", "people.enable")}
        {canChange && button("delete", "people.delete")}
        {!isOwn && person.state === "active" && me.value?.kind === "session" && !me.value.show_as && (
          <button type="button" class="btn small" onClick={() => void doing.run(() => showAs(person.id))}>
            {t("showas.begin")}
          </button>
        )}
      </p>
      <Wrong>{doing.wrong}</Wrong>
      {act === "edit" && <EditDialog person={person} onDone={() => done("people.changed")} onClose={() => setAct(null)} />}
      {act !== null && act !== "edit" && <ActDialog key={act} person={person} act={act} onIssued={setIssued} onDone={done} onClose={() => setAct(null)} />}
      {issued && <LinkDialog issued={issued} title={t("people.link-title", { name: visible(person.name) })} email={person.email} onClose={() => setIssued(null)} />}
    </>
  );
}

const texts: Record<Exclude<Act, "edit">, { title: Key; what: Key; act: Key; done: Key }> = {
  reset: { title: "people.reset-title", what: "people.reset-what", act: "people.reset-act", done: "people.reset-done" },
  factor: { title: "people.factor-title", what: "people.factor-what", act: "people.factor-act", done: "people.factor-done" },
  disable: { title: "people.disable-title", what: "people.disable-what", act: "people.disable-act", done: "people.disable-done" },
  enable: { title: "people.enable-title", what: "people.enable-what", act: "people.enable-act", done: "people.enable-done" },
  delete: { title: "people.delete-title", what: "people.delete-what", act: "people.delete-act", done: "people.delete-done" },
};

interface ActProps {
  person: Person;
  act: Exclude<Act, "edit">;
  onIssued: (link: IssuedLink) => void;
  onDone: (said: Key) => void;
  onClose: () => void;
}

function ActDialog({ person, act, onIssued, onDone, onClose }: ActProps) {
  const [why, setWhy] = useState("");
  const [ends, setEnds] = useState(false);
  const left = act === "disable" || act === "delete" ? (person.tokens ?? []) : [];
  const text = texts[act];
  const at = `/people/${person.id}`;
  const work = async () => {
    const reason = why.trim();
    if (ends) await endTokens(left, reason);
    switch (act) {
      case "reset":
        onIssued(await ask<IssuedLink>(`${at}/reset`, { method: "POST", body: { why: reason } }));
        break;
      case "factor":
        await ask(`${at}/second-factor`, { method: "DELETE", body: { why: reason } });
        break;
      case "disable":
      case "enable":
        await ask(at, { method: "PATCH", body: { state: act === "disable" ? "disabled" : "active", why: reason } });
        break;
      case "delete":
        await ask(at, { method: "DELETE", body: { why: reason } });
        break;
    }
    onDone(text.done);
  };
  const name = visible(person.full_name || person.name);
  return (
    <Dialog title={t(text.title, { name })} act={t(text.act)} grave={act === "delete" || act === "disable" || act === "factor"} ready={why.trim() !== ""} onAct={work} onClose={onClose}>
      <p>{t(text.what)}</p>
      <TokensLeft tokens={left} ends={ends} onEnds={setEnds} />
      <ReasonField value={why} onValue={setWhy} />
    </Dialog>
  );
}

function EditDialog({ person, onDone, onClose }: { person: Person; onDone: () => void; onClose: () => void }) {
  const [fullName, setFullName] = useState(person.full_name);
  const [email, setEmail] = useState(person.email);
  const [shared, setShared] = useState(person.shared);
  const [organization, setOrganization] = useState(person.organization_id);
  const [why, setWhy] = useState("");
  const work = async () => {
    const changed = {
      full_name: fullName.trim(),
      email: email.trim(),
      ...(shared === person.shared ? {} : { shared }),
      ...(organization === person.organization_id ? {} : { organization_id: organization }),
    };
    await ask(`/people/${person.id}`, { method: "PATCH", body: { ...changed, why: why.trim() } });
    onDone();
  };
  return (
    <Dialog title={t("people.edit-title", { name: visible(person.name) })} act={t("account.save")} ready={why.trim() !== ""} onAct={work} onClose={onClose}>
      <Field label={t("signin.full-name")} value={fullName} onValue={setFullName} />
      <Field label={t("account.email")} value={email} most={254} onValue={setEmail} />
      <NodeField label={t("people.home")} value={organization} onValue={setOrganization} />
      <p class="check">
        <input id="edit-shared" type="checkbox" checked={shared} aria-describedby="edit-shared-hint" onChange={(event) => setShared(event.currentTarget.checked)} />
        <label for="edit-shared">{t("people.shared-mark")}</label>
      </p>
      <small id="edit-shared-hint" class="hint">
        {t("people.shared-hint")}
      </small>
      <ReasonField value={why} onValue={setWhy} />
    </Dialog>
  );
}

/** The roles that count now, each with a way to end it, and one to give another. */
function Grants({ person, canChange, onDone }: { person: Person; canChange: boolean; onDone: () => void }) {
  const [adds, setAdds] = useState(false);
  const [ends, setEnds] = useState<Grant | null>(null);
  return (
    <section class="panel" aria-labelledby="grants">
      <div class="top">
        <h2 id="grants">{t("people.roles")}</h2>
        {canChange && (
          <div class="buttons">
            <button type="button" class="btn small" onClick={() => setAdds(true)}>
              {t("people.grant")}
            </button>
          </div>
        )}
      </div>
      {person.grants.length === 0 && <p class="soft">{t("people.roles-none")}</p>}
      <ul class="plain entries">
        {person.grants.map((g) => (
          <li key={g.id}>
            <div>
              {roleName(g.role)}
              <GrantWhere grant={g} />
            </div>
            {canChange && (
              <button type="button" class="btn small" aria-label={t("people.grant-end-of", { role: roleName(g.role), where: where(g) })} onClick={() => setEnds(g)}>
                {t("people.grant-end-open")}
              </button>
            )}
          </li>
        ))}
      </ul>
      {adds && <GrantDialog person={person} onDone={onDone} onClose={() => setAdds(false)} />}
      {ends && <EndDialog person={person} grant={ends} onDone={onDone} onClose={() => setEnds(null)} />}
    </section>
  );
}

function where(grant: Grant): string {
  return grant.place ? t("people.where-place", { place: visible(grant.place), where: pathName(grant.organization) }) : pathName(grant.organization);
}

function GrantWhere({ grant }: { grant: Grant }) {
  const from = millis(grant.from);
  return (
    <small class="cell soft">
      <bdi>{where(grant)}</bdi>
      {from !== null && ` · ${t("people.since", { at: date(from) })}`}
    </small>
  );
}

function GrantDialog({ person, onDone, onClose }: { person: Person; onDone: () => void; onClose: () => void }) {
  const roles = useRoles();
  const [grant, setGrant] = useState(noGrant);
  const [why, setWhy] = useState("");
  const work = async () => {
    await ask(`/people/${person.id}/grants`, { method: "POST", body: { ...grantBody(grant), why: why.trim() } });
    announce(t("people.grant-done"));
    onDone();
  };
  return (
    <Dialog title={t("people.grant-title", { name: visible(person.full_name || person.name) })} act={t("people.grant-act")} ready={isChosen(grant) && why.trim() !== ""} onAct={work} onClose={onClose}>
      {roles.failure !== undefined && <FailureNote cause={roles.failure} again={roles.again} />}
      <GrantFields roles={roles.value ?? []} value={grant} onValue={setGrant} />
      <ReasonField value={why} onValue={setWhy} />
    </Dialog>
  );
}

function EndDialog({ person, grant, onDone, onClose }: { person: Person; grant: Grant; onDone: () => void; onClose: () => void }) {
  const [why, setWhy] = useState("");
  const work = async () => {
    await ask(`/people/${person.id}/grants/${grant.id}`, { method: "DELETE", body: { why: why.trim() } });
    announce(t("people.grant-ended"));
    onDone();
  };
  return (
    <Dialog title={t("people.grant-end-title", { role: roleName(grant.role) })} act={t("people.grant-end")} grave ready={why.trim() !== ""} onAct={work} onClose={onClose}>
      <p>{t("people.grant-end-what", { name: visible(person.full_name || person.name), where: where(grant) })}</p>
      <ReasonField value={why} onValue={setWhy} />
    </Dialog>
  );
}

/** What somebody may do, or could at the end of any day that is over. */
function RightsAt({ person }: { person: Person }) {
  const [day, setDay] = useState("");
  const loading = useLoading((signal) => ask<PersonRights>(`/people/${person.id}/rights${day ? `?at=${encodeURIComponent(endOf(day))}` : ""}`, { signal }), [person, day]);
  const rights = loading.value;
  const at = millis(rights?.at);
  return (
    <section class="panel" aria-labelledby="rights">
      <div class="top">
        <h2 id="rights">{t("people.rights")}</h2>
        <p class="tools dated">
          <label for="rights-at">{t("people.rights-at")}</label>
          <input id="rights-at" type="date" value={day} max={today()} onChange={(event) => setDay(event.currentTarget.value)} />
          {day && (
            <button type="button" class="btn small" onClick={() => setDay("")}>
              {t("people.rights-now")}
            </button>
          )}
        </p>
      </div>
      {loading.failure !== undefined && <FailureNote cause={loading.failure} again={loading.again} />}
      {rights && (
        <div aria-busy={loading.busy}>
          {at !== null && <p class="soft">{t("people.rights-as-of", { at: instant(at) })}</p>}
          {rights.organizations.length + rights.places.length === 0 && <p>{t(day || person.state === "active" ? "people.rights-none" : "people.rights-inactive")}</p>}
          {rights.organizations.map((o) => (
            <div key={o.id} class="held">
              <h3>
                <bdi>{t("people.and-below", { where: pathName(o.path) })}</bdi>
              </h3>
              <Permissions of={o.permissions} />
            </div>
          ))}
          {rights.places.map((p) => (
            <div key={`place ${p.id}`} class="held">
              <h3>
                <bdi>{visible(p.name)}</bdi>
              </h3>
              {p.permissions && <Permissions of={p.permissions} />}
            </div>
          ))}
        </div>
      )}
    </section>
  );
}

/** What is allowed, in words. */
export function Permissions({ of }: { of: string[] }) {
  return (
    <ul class="permissions">
      {of.map((p) => (
        <li key={p}>{permissionName(p)}</li>
      ))}
    </ul>
  );
}

/** The last instant of a day of the browser's zone, or now while the day lasts. */
function endOf(day: string): string {
  const [year = 0, month = 1, number = 1] = day.split("-").map(Number);
  return new Date(Math.min(new Date(year, month - 1, number + 1).getTime() - 1, serverNow())).toISOString();
}

function today(): string {
  const now = new Date();
  return `${now.getFullYear()}-${String(now.getMonth() + 1).padStart(2, "0")}-${String(now.getDate()).padStart(2, "0")}`;
}

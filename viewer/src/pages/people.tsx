import { useId, useState } from "preact/hooks";
import { ask } from "../api/client";
import type { Invited, IssuedLink, Person, PersonList, PersonState, Role } from "../api/people";
import { may, returns, serverNow } from "../fleet/fleet";
import { Dialog, Field } from "../parts/dialog";
import { FailureNote } from "../parts/failure";
import { GrantFields, grantBody, isChosen, noGrant, onlyNode, useRoles, type GrantDraft } from "../parts/grantfields";
import { Heading } from "../parts/heading";
import { More } from "../parts/more";
import { Once, wholeLink } from "../parts/once";
import { usePages } from "../parts/paged";
import { PeopleNav } from "../parts/peoplenav";
import { Table } from "../parts/table";
import { useTitle } from "../parts/title";
import { go, query } from "../router";
import { everything } from "../tree/nodes";
import { NodeField } from "../tree/nodefield";
import { choice, pathName } from "../tree/tree";
import { ago, instant, millis } from "../words/format";
import { t } from "../words/messages";
import { personStateMark, personStateName, roleName } from "../words/people";
import { visible } from "../words/text";

const atOnce = 100;

interface Filter {
  q: string;
  state: string;
}

function readFilter(search: URLSearchParams): Filter {
  return { q: search.get("q") ?? "", state: search.get("state") ?? "" };
}

/** Who may use this server, found by name, node and state. */
export function PeoplePage() {
  useTitle(t("nav.people"));
  const filter = readFilter(query.value);
  const { id: organization, sub } = choice.value;
  const key = JSON.stringify(filter);
  const choices = useRoles();
  const [invites, setInvites] = useState(false);
  const [round, setRound] = useState(0);
  return (
    <>
      <PeopleNav />
      <section class="verdict">
        <Heading>{t("nav.people")}</Heading>
        {may("person.change") && (
          <div class="buttons">
            <button type="button" class="btn primary" onClick={() => setInvites(true)}>
              {t("people.invite")}
            </button>
          </div>
        )}
      </section>
      <section class="panel" aria-label={t("nav.people")}>
        <FilterForm key={key} filter={filter} />
        {choices.failure !== undefined && <FailureNote cause={choices.failure} again={choices.again} />}
        <List key={`list ${key} ${organization} ${sub} ${round}`} filter={filter} />
      </section>
      {invites && choices.value && (
        <InviteDialog
          roles={choices.value}
          onClose={() => {
            setInvites(false);
            setRound(round + 1);
          }}
        />
      )}
    </>
  );
}

const states: PersonState[] = ["active", "invited", "disabled", "deleted"];

function FilterForm({ filter }: { filter: Filter }) {
  const [q, setQ] = useState(filter.q);
  const id = useId();
  const show = (of: Filter) => {
    const search = new URLSearchParams();
    if (of.q.trim()) search.set("q", of.q.trim());
    if (of.state) search.set("state", of.state);
    go(`/people${search.size ? `?${search}` : ""}`);
  };
  const submit = (event: Event) => {
    event.preventDefault();
    show({ ...filter, q });
  };
  return (
    <form class="filters" role="search" aria-label={t("people.find")} onSubmit={submit}>
      <p class="field">
        <label for={id}>{t("people.search")}</label>
        <input id={id} type="search" value={q} autocomplete="off" onInput={(event) => setQ(event.currentTarget.value)} />
      </p>
      <p class="field">
        <label for={`${id}-state`}>{t("people.state")}</label>
        <select id={`${id}-state`} value={filter.state} onChange={(event) => show({ ...filter, q, state: event.currentTarget.value })}>
          <option value="">{t("people.state-any")}</option>
          {states.map((s) => (
            <option key={s} value={s}>
              {personStateName(s)}
            </option>
          ))}
        </select>
      </p>
      <p class="act">
        <button type="submit" class="btn primary">
          {t("people.show")}
        </button>
        {(filter.q || filter.state) && (
          <button type="button" class="btn" onClick={() => show({ q: "", state: "" })}>
            {t("people.show-all")}
          </button>
        )}
      </p>
    </form>
  );
}

function List({ filter }: { filter: Filter }) {
  const list = usePages(
    (after, signal) => {
      const search = new URLSearchParams({ limit: String(atOnce) });
      if (filter.q) search.set("q", filter.q);
      const { id, sub } = choice.peek();
      if (id !== everything) {
        search.set("organization_id", String(id));
        search.set("sub", String(sub));
      }
      if (filter.state) search.set("state", filter.state);
      if (after !== null) search.set("after", String(after));
      return ask<PersonList>(`/people?${search}`, { signal });
    },
    [returns.value],
  );
  const people = list.pages.flatMap((p) => p.people);
  return (
    <>
      {list.failure !== undefined && <FailureNote cause={list.failure} again={list.again} />}
      {list.pages.length > 0 && people.length === 0 && <p class="soft waiting">{t("people.none")}</p>}
      {people.length > 0 && (
        <Table label={t("nav.people")} class="stacked" columns={[t("people.name"), t("people.state"), t("people.roles"), t("people.organization"), t("people.last")]}>
          {people.map((p) => (
            <Row key={p.id} person={p} />
          ))}
        </Table>
      )}
      <More list={list} act={t("people.more")} />
    </>
  );
}

function Row({ person }: { person: Person }) {
  const seen = millis(person.last_sign_in_at);
  return (
    <tr>
      <td data-label={t("people.name")}>
        <a class="link" href={`/people/${person.id}`}>
          <bdi>{visible(person.full_name || person.name)}</bdi>
        </a>
        {person.full_name && (
          <small class="cell soft">
            <bdi>{visible(person.name)}</bdi>
          </small>
        )}
      </td>
      <td data-label={t("people.state")}>
        <span class={`state ${personStateMark(person.state)}`}>{personStateName(person.state)}</span>
        {person.shared && <small class="cell soft">{t("people.shared")}</small>}
      </td>
      <td data-label={t("people.roles")} class={person.grants.length ? "" : "void"}>
        {person.grants.map((g) => (
          <span key={g.id} class="cell">
            {roleName(g.role)} <span class="soft">{t("account.role-at", { where: g.place ? visible(g.place) : pathName(g.organization) })}</span>
          </span>
        ))}
      </td>
      <td data-label={t("people.organization")}>
        <bdi>{pathName(person.organization)}</bdi>
      </td>
      <td data-label={t("people.last")}>
        {seen === null ? <span class="soft">{t("people.never")}</span> : ago(seen, serverNow())}
        {person.second_factor && <small class="cell soft">{t("people.with-factor")}</small>}
      </td>
    </tr>
  );
}

/** Asks somebody in: name, roles by node; then the link, shown this once. */
function InviteDialog({ roles, onClose }: { roles: Role[]; onClose: () => void }) {
  const [name, setName] = useState("");
  const [fullName, setFullName] = useState("");
  const [email, setEmail] = useState("");
  const [home, setHome] = useState(onlyNode);
  const [shared, setShared] = useState(false);
  const [grants, setGrants] = useState<GrantDraft[]>([noGrant()]);
  const [made, setMade] = useState<Invited | null>(null);
  const id = useId();
  if (made) return <LinkDialog issued={made} title={t("people.invited", { name: visible(made.person.name) })} email={made.person.email} onClose={onClose} />;
  const set = (at: number, grant: GrantDraft) => {
    setGrants(grants.map((g, n) => (n === at ? grant : g)));
    // Most people belong where their first role counts.
    if (at === 0 && home === (grants[0]?.organization_id ?? 0)) setHome(grant.organization_id);
  };
  const act = async () => {
    const body = { name: name.trim(), full_name: fullName.trim(), email: email.trim(), organization_id: home, shared, grants: grants.map(grantBody) };
    const invited = await ask<Invited>("/people", { method: "POST", body });
    setMade(invited);
    return "stay" as const;
  };
  return (
    <Dialog title={t("people.invite-title")} act={t("people.invite-act")} ready={name.trim() !== "" && home > 0 && grants.every(isChosen)} onAct={act} onClose={onClose}>
      <Field label={t("signin.name")} hint={t("people.name-hint")} value={name} most={100} required onValue={setName} />
      <Field label={t("signin.full-name")} value={fullName} onValue={setFullName} />
      <Field label={t("account.email")} hint={t("people.email-hint")} value={email} most={254} onValue={setEmail} />
      <fieldset class="grants">
        <legend>{t("people.roles")}</legend>
        {grants.map((grant, n) => (
          <div key={n} class="one">
            <GrantFields roles={roles} value={grant} onValue={(g) => set(n, g)} />
            {grants.length > 1 && (
              <button type="button" class="btn small" onClick={() => setGrants(grants.filter((_, k) => k !== n))}>
                {t("people.role-leave-out")}
              </button>
            )}
          </div>
        ))}
        <button type="button" class="btn small" onClick={() => setGrants([...grants, noGrant()])}>
          {t("people.role-another")}
        </button>
      </fieldset>
      <NodeField label={t("people.home")} value={home} onValue={setHome} />
      <p class="check">
        <input id={id} type="checkbox" checked={shared} aria-describedby={`${id}-hint`} onChange={(event) => setShared(event.currentTarget.checked)} />
        <label for={id}>{t("people.shared-mark")}</label>
      </p>
      <small id={`${id}-hint`} class="hint">
        {t("people.shared-hint")}
      </small>
    </Dialog>
  );
}

/** A link that is shown this once. */
export function LinkDialog({ issued, title, email, onClose }: { issued: IssuedLink; title: string; email: string; onClose: () => void }) {
  const until = millis(issued.until);
  return (
    <Dialog title={title} onClose={onClose}>
      <p>{issued.mailed ? t("people.link-mailed", { email: visible(email) }) : t("people.link-what")}</p>
      <Once label={t("people.link")} text={wholeLink(issued.link)} href />
      {until !== null && <p class="soft">{t("signin.link-until", { at: instant(until, false) })}</p>}
    </Dialog>
  );
}

import type { ComponentChildren } from "preact";
import { useId, useState } from "preact/hooks";
import { ask } from "../api/client";
import type { PermissionInfo, Role, RoleList } from "../api/people";
import { may } from "../fleet/fleet";
import { announce } from "../parts/announce";
import { Dialog, Field } from "../parts/dialog";
import { FailureNote } from "../parts/failure";
import { onlyNode } from "../parts/grantfields";
import { Heading } from "../parts/heading";
import { useLoading } from "../parts/loading";
import { PeopleNav } from "../parts/peoplenav";
import { ReasonField } from "../parts/reason";
import { useTitle } from "../parts/title";
import { NodeField } from "../tree/nodefield";
import { wayTo } from "../tree/tree";
import { t } from "../words/messages";
import { permissionName, roleName, roleWhat } from "../words/people";
import { Permissions } from "./person";

type Asked = { act: "add" } | { act: "change" | "end"; role: Role };

/** What each role may do, and the roles that people of this installation made up. */
export function RolesPage() {
  useTitle(t("nav.roles"));
  const list = useLoading((signal) => ask<RoleList>("/roles", { signal }), []);
  const [asked, setAsked] = useState<Asked | null>(null);
  const roles = list.value?.roles.filter((r) => !r.closed) ?? [];
  const own = roles.filter((r) => !r.preset);
  const canChange = may("role.change");
  return (
    <>
      <PeopleNav />
      <section class="verdict">
        <Heading>{t("nav.roles")}</Heading>
        {canChange && (
          <div class="buttons">
            <button type="button" class="btn primary" onClick={() => setAsked({ act: "add" })}>
              {t("roles.add")}
            </button>
          </div>
        )}
        <p class="facts">{t("roles.what")}</p>
      </section>
      {list.failure !== undefined && <FailureNote cause={list.failure} again={list.again} />}
      {own.length > 0 && (
        <section class="panel" aria-labelledby="own">
          <h2 id="own">{t("roles.own")}</h2>
          {own.map((role) => (
            <RoleEntry key={role.name} role={role}>
              {canChange && (
                <p class="act">
                  <button type="button" class="btn small" aria-label={t("roles.change-of", { role: roleName(role.name) })} onClick={() => setAsked({ act: "change", role })}>
                    {t("roles.change")}
                  </button>
                  <button type="button" class="btn small" aria-label={t("roles.end-of", { role: roleName(role.name) })} onClick={() => setAsked({ act: "end", role })}>
                    {t("roles.end")}
                  </button>
                </p>
              )}
            </RoleEntry>
          ))}
        </section>
      )}
      {roles.length > 0 && (
        <section class="panel" aria-labelledby="presets">
          <h2 id="presets">{t("roles.presets")}</h2>
          {roles
            .filter((r) => r.preset)
            .map((role) => (
              <RoleEntry key={role.name} role={role} />
            ))}
        </section>
      )}
      {asked?.act === "end" && <EndDialog role={asked.role} onDone={list.again} onClose={() => setAsked(null)} />}
      {asked && asked.act !== "end" && list.value && <RoleDialog role={asked.act === "change" ? asked.role : null} permissions={list.value.permissions} onDone={list.again} onClose={() => setAsked(null)} />}
    </>
  );
}

function RoleEntry({ role, children }: { role: Role; children?: ComponentChildren }) {
  const where = role.organization_id === null ? "" : wayTo(role.organization_id);
  return (
    <details class="role">
      <summary>
        <b>
          <bdi>{roleName(role.name)}</bdi>
        </b>{" "}
        <span class="soft">{role.preset ? roleWhat(role.name) : where ? t("roles.for", { where }) : ""}</span> <span class="faint">{t("roles.count", { n: role.permissions.length })}</span>
      </summary>
      <Permissions of={role.permissions} />
      {children}
    </details>
  );
}

/** What a name of a role may be made of. */
const namePattern = /^[a-z0-9-]{1,40}$/;

function RoleDialog({ role, permissions, onDone, onClose }: { role: Role | null; permissions: PermissionInfo[]; onDone: () => void; onClose: () => void }) {
  const [name, setName] = useState(role?.name ?? "");
  const [node, setNode] = useState(role?.organization_id ?? onlyNode());
  const [held, setHeld] = useState<ReadonlySet<string>>(new Set(role?.permissions ?? []));
  const [why, setWhy] = useState("");
  const toggle = (permission: string, on: boolean) => {
    const after = new Set(held);
    if (on) after.add(permission);
    else after.delete(permission);
    setHeld(after);
  };
  const act = async () => {
    const chosen = permissions.map((p) => p.permission).filter((p) => held.has(p));
    if (role) await ask(`/roles/${role.id}`, { method: "PATCH", body: { permissions: chosen, why: why.trim() } });
    else await ask("/roles", { method: "POST", body: { name, organization_id: node, permissions: chosen, why: why.trim() } });
    announce(t("roles.saved"));
    onDone();
  };
  const fits = namePattern.test(name);
  const groups: { title: string; of: PermissionInfo[] }[] = [
    { title: t("roles.reads"), of: permissions.filter((p) => p.reads && !p.of_server) },
    { title: t("roles.changes"), of: permissions.filter((p) => !p.reads && !p.of_server) },
    { title: t("roles.server"), of: permissions.filter((p) => p.of_server) },
  ];
  return (
    <Dialog title={role ? t("roles.change-title", { role: roleName(role.name) }) : t("roles.add-title")} act={t("account.save")} wide ready={fits && node > 0 && held.size > 0 && why.trim() !== ""} onAct={act} onClose={onClose}>
      {role ? (
        <p>{t("roles.change-what")}</p>
      ) : (
        <>
          <Field label={t("roles.name")} hint={t("roles.name-hint")} value={name} most={40} required onValue={(v) => setName(v.toLowerCase())} />
          <NodeField label={t("roles.node")} value={node} onValue={setNode} />
        </>
      )}
      {groups.map((group) => (
        <Boxes key={group.title} title={group.title} of={group.of} held={held} onToggle={toggle} />
      ))}
      <ReasonField value={why} onValue={setWhy} />
    </Dialog>
  );
}

/** Permissions with a box each; what one does not hold oneself cannot be put into a role. */
function Boxes({ title, of, held, onToggle }: { title: string; of: PermissionInfo[]; held: ReadonlySet<string>; onToggle: (permission: string, on: boolean) => void }) {
  const id = useId();
  if (of.length === 0) return null;
  return (
    <fieldset class="boxes">
      <legend>{title}</legend>
      {of.map((p) => (
        <p key={p.permission} class="check">
          <input id={`${id}-${p.permission}`} type="checkbox" checked={held.has(p.permission)} disabled={!may(p.permission) && !held.has(p.permission)} onChange={(event) => onToggle(p.permission, event.currentTarget.checked)} />
          <label for={`${id}-${p.permission}`}>{permissionName(p.permission)}</label>
        </p>
      ))}
    </fieldset>
  );
}

function EndDialog({ role, onDone, onClose }: { role: Role; onDone: () => void; onClose: () => void }) {
  const [why, setWhy] = useState("");
  const act = async () => {
    await ask(`/roles/${role.id}`, { method: "DELETE", body: { why: why.trim() } });
    announce(t("roles.ended"));
    onDone();
  };
  return (
    <Dialog title={t("roles.end-title", { role: roleName(role.name) })} act={t("roles.end")} grave ready={why.trim() !== ""} onAct={act} onClose={onClose}>
      <p>{t("roles.end-what")}</p>
      <ReasonField value={why} onValue={setWhy} />
    </Dialog>
  );
}

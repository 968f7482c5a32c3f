import { useId, useRef, useState } from "preact/hooks";
import { loadSignIn, shownName } from "../access/session";
import { ask } from "../api/client";
import type { Passkey } from "../api/people";
import type { Me } from "../api/types";
import { me, recognise } from "../fleet/fleet";
import { announce } from "../parts/announce";
import { Dialog } from "../parts/dialog";
import { Act, useDoing, Wrong } from "../parts/doing";
import { AuthenticatorSetup, PasskeySetup, RecoveryCodes, RenewDialog } from "../parts/factors";
import { FailureNote } from "../parts/failure";
import { Heading } from "../parts/heading";
import { useLoading } from "../parts/loading";
import { isReady, NewPasswordFields, noPassword, SecretField } from "../parts/passwords";
import { Sessions } from "../parts/sessions";
import { useTitle } from "../parts/title";
import { pathName } from "../tree/tree";
import { date, millis } from "../words/format";
import { t } from "../words/messages";
import { roleName } from "../words/people";
import { visible } from "../words/text";

/** What a person sets of their own account. */
export function AccountPage() {
  useTitle(t("account.title"));
  const who = me.value;
  if (!who || who.kind !== "session") return <Heading>{t("account.title")}</Heading>;
  return (
    <>
      <section class="verdict">
        <Heading>{t("account.title")}</Heading>
        <div class="facts">
          <span>
            {t("account.name")} <b>{visible(who.name)}</b>
          </span>
          {who.roles.map((r, n) => (
            <span key={n}>
              <b>{roleName(r.role)}</b> {t("account.role-at", { where: r.place ? visible(r.place) : pathName(r.organization) })}
            </span>
          ))}
        </div>
      </section>
      <div class="two even">
        <Details who={who} />
        <SignOutAfter who={who} />
      </div>
      <div class="two even">
        <Password who={who} />
        <Factors who={who} />
      </div>
      <Sessions of="/me" mine canEnd />
    </>
  );
}

function Details({ who }: { who: Me }) {
  const [fullName, setFullName] = useState(who.full_name);
  const [email, setEmail] = useState(who.email);
  const [said, setSaid] = useState("");
  const doing = useDoing();
  const id = useId();
  const submit = (event: Event) => {
    event.preventDefault();
    void doing.run(async () => {
      setSaid("");
      me.value = await ask<Me>("/me", { method: "PATCH", body: { full_name: fullName.trim(), email: email.trim() } });
      setSaid(t("account.saved"));
    });
  };
  return (
    <form class="panel" onSubmit={submit} aria-labelledby={`${id}-title`}>
      <h2 id={`${id}-title`}>{t("account.details")}</h2>
      <p class="field">
        <label for={id}>{t("signin.full-name")}</label>
        <input id={id} type="text" value={fullName} maxLength={200} autocomplete="name" onInput={(event) => setFullName(event.currentTarget.value)} />
      </p>
      <p class="field">
        <label for={`${id}-mail`}>{t("account.email")}</label>
        <input id={`${id}-mail`} type="email" value={email} maxLength={254} autocomplete="email" aria-describedby={`${id}-hint`} onInput={(event) => setEmail(event.currentTarget.value)} />
        <small id={`${id}-hint`} class="hint">
          {t("account.email-hint")}
        </small>
      </p>
      <Act act={t("account.save")} doing={doing}>
        <span role="status">{said}</span>
      </Act>
    </form>
  );
}

/** After how long without activity one is signed out, of what the administrator allows. */
function SignOutAfter({ who }: { who: Me }) {
  const doing = useDoing();
  const [said, setSaid] = useState("");
  const id = useId();
  // What was chosen last stands at once; choosing again while it is being saved saves that too.
  const wanted = useRef(who.sign_out_minutes);
  const [shown, setShown] = useState(who.sign_out_minutes);
  const choose = (minutes: number) => {
    wanted.current = minutes;
    setShown(minutes);
    let begun = false;
    void doing
      .run(async () => {
        begun = true;
        setSaid("");
        let saved: number;
        do {
          saved = wanted.current;
          me.value = await ask<Me>("/me", { method: "PATCH", body: { sign_out_minutes: saved } });
        } while (saved !== wanted.current);
        setSaid(t("account.saved"));
      })
      .then((done) => {
        if (begun && !done) setShown(me.value?.sign_out_minutes ?? minutes);
      });
  };
  return (
    <section class="panel" aria-labelledby={id}>
      <h2 id={id}>{t("account.sign-out")}</h2>
      <p class="soft">{t("account.sign-out-what")}</p>
      <fieldset class="choices">
        <legend class="unseen">{t("account.sign-out")}</legend>
        {who.sign_out_choices.map((minutes) => (
          <p key={minutes} class="check">
            <input id={`${id}-${minutes}`} type="radio" name={id} checked={shown === minutes} onChange={() => choose(minutes)} />
            <label for={`${id}-${minutes}`}>{minutes < 60 ? t("account.minutes", { n: minutes }) : t("account.hours", { n: minutes / 60 })}</label>
          </p>
        ))}
      </fieldset>
      <Wrong>{doing.wrong}</Wrong>
      <p role="status">{said}</p>
    </section>
  );
}

function Password({ who }: { who: Me }) {
  const [open, setOpen] = useState(false);
  const [said, setSaid] = useState("");
  return (
    <section class="panel" aria-labelledby="password">
      <h2 id="password">{t("signin.password")}</h2>
      {who.source === "local" ? (
        <>
          <p class="soft">{t("account.password-what")}</p>
          <p class="act">
            <button type="button" class="btn" onClick={() => setOpen(true)}>
              {t("account.password-change")}
            </button>
            <span role="status">{said}</span>
          </p>
        </>
      ) : (
        <p class="soft">{t("account.password-elsewhere")}</p>
      )}
      {open && <PasswordDialog onDone={() => setSaid(t("account.password-changed"))} onClose={() => setOpen(false)} />}
    </section>
  );
}

function PasswordDialog({ onDone, onClose }: { onDone: () => void; onClose: () => void }) {
  const how = useLoading(loadSignIn, []);
  const [old, setOld] = useState("");
  const [passwords, setPasswords] = useState(noPassword);
  const act = async () => {
    await ask("/me/password", { method: "POST", body: { password: old, new_password: passwords.password }, enters: true });
    onDone();
  };
  return (
    <Dialog title={t("account.password-change")} act={t("account.password-act")} ready={how.value !== undefined && old !== "" && isReady(how.value.password_rule, passwords)} onAct={act} onClose={onClose}>
      <p>{t("account.password-others")}</p>
      <SecretField label={t("account.password-now")} value={old} autocomplete="current-password" onValue={setOld} />
      {how.value ? <NewPasswordFields rule={how.value.password_rule} value={passwords} onValue={setPasswords} /> : how.failure !== undefined && <FailureNote cause={how.failure} again={how.again} />}
    </Dialog>
  );
}

/** Authenticator and passkeys: what there is, adding and removing. */
function Factors({ who }: { who: Me }) {
  const [adds, setAdds] = useState<"" | "totp" | "passkey">("");
  const [renews, setRenews] = useState(false);
  const [codes, setCodes] = useState<string[] | null>(null);
  const [removes, setRemoves] = useState<{ path: string; name: string } | null>(null);
  const factor = who.second_factor;
  const list = useLoading((signal) => ask<{ passkeys: Passkey[] }>("/me/passkeys", { signal }), [factor.passkeys]);
  const done = () => {
    setAdds("");
    setCodes(null);
    void recognise();
  };
  const passkeys = list.value?.passkeys ?? [];
  const has = factor.totp || passkeys.length > 0;
  return (
    <section class="panel" aria-labelledby="factors">
      <h2 id="factors">{t("account.factors")}</h2>
      <p class="soft">{t(has ? "account.factors-some" : "account.factors-none")}</p>
      {list.failure !== undefined && <FailureNote cause={list.failure} again={list.again} />}
      <ul class="plain entries">
        {factor.totp && (
          <li>
            <div>
              {t("account.totp")}
            </div>
            <button type="button" class="btn small" aria-label={t("account.remove-of", { name: t("account.totp") })} onClick={() => setRemoves({ path: "/me/totp", name: t("account.totp") })}>
              {t("account.remove")}
            </button>
          </li>
        )}
        {passkeys.map((p) => {
          const added = millis(p.added_at);
          return (
            <li key={p.id}>
              <div>
                <bdi>{visible(p.name)}</bdi>
                <small class="cell soft">
                  {t("account.passkey")}
                  {added !== null && ` · ${t("account.added", { at: date(added) })}`}
                </small>
              </div>
              <button type="button" class="btn small" aria-label={t("account.remove-of", { name: visible(p.name) })} onClick={() => setRemoves({ path: `/me/passkeys/${encodeURIComponent(p.id)}`, name: visible(p.name) })}>
                {t("account.remove")}
              </button>
            </li>
          );
        })}
        {has && (
          <li>
            <div>
              {t("account.codes")}
              <small class="cell soft">{t("account.codes-left", { n: factor.recovery_codes })}</small>
            </div>
            <button type="button" class="btn small" onClick={() => setRenews(true)}>
              {t("account.codes-renew")}
            </button>
          </li>
        )}
      </ul>
      {codes && <RecoveryCodes codes={codes} onDone={done} />}
      {adds === "totp" && <AuthenticatorSetup onDone={done} onCancel={() => setAdds("")} />}
      {adds === "passkey" && <PasskeySetup onDone={done} onCancel={() => setAdds("")} />}
      {adds === "" && !codes && (
        <p class="act">
          {!factor.totp && (
            <button type="button" class="btn" onClick={() => setAdds("totp")}>
              {t("account.totp-add")}
            </button>
          )}
          <button type="button" class="btn" onClick={() => setAdds("passkey")}>
            {t("account.passkey-add")}
          </button>
        </p>
      )}
      {renews && (
        <RenewDialog
          onClose={(made) => {
            setRenews(false);
            if (made) setCodes(made);
          }}
        />
      )}
      {removes && (
        <Dialog
          title={t("account.remove-title", { name: removes.name })}
          act={t("account.remove")}
          grave
          onAct={async () => {
            await ask(removes.path, { method: "DELETE" });
            announce(t("account.removed", { name: removes.name }));
            await recognise();
          }}
          onClose={() => setRemoves(null)}
        >
          <p>{t(factor.required ? "account.remove-required" : "account.remove-what")}</p>
        </Dialog>
      )}
    </section>
  );
}

/** The way to one's own account, and out. */
export function AccountLink() {
  return (
    <a class="btn quiet who" href="/account" title={t("nav.signed-in", { name: me.value?.name ?? "" })}>
      <bdi>{shownName()}</bdi>
    </a>
  );
}

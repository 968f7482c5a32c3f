import { useEffect, useLayoutEffect, useState } from "preact/hooks";
import { session } from "./api/client";
import { followFleet, hearing, may, me, recognise, signIn, signOut, status, trouble } from "./fleet/fleet";
import { AuditPage } from "./pages/audit";
import { CompletenessPage } from "./pages/completeness";
import { CompletenessDayPage } from "./pages/completenessday";
import { DevicePage } from "./pages/device";
import { DevicesPage } from "./pages/devices";
import { NewDevicesPage } from "./pages/newdevices";
import { OverviewPage } from "./pages/overview";
import { ProofPage } from "./pages/proof";
import { QuarantinePage } from "./pages/quarantine";
import { ServerPage } from "./pages/server";
import { SignInPage } from "./pages/signin";
import { Announcer } from "./parts/announce";
import { failureWords } from "./parts/failure";
import { Heading, wantHeading, watchHands } from "./parts/heading";
import { StoreNote } from "./parts/storenote";
import { path, takeSecret, watchAddress } from "./router";
import { t, type Key } from "./words/messages";
import { Comet } from "./parts/comet";

/** The viewer: who may look, then the page that the address names. */
export function App() {
  const [failure, setFailure] = useState("");
  useEffect(watchAddress, []);
  useEffect(watchHands, []);
  useEffect(() => {
    const secret = takeSecret();
    const first = secret === null ? recognise() : signIn(secret);
    first.catch((cause: unknown) => {
      setFailure(failureWords(cause));
      // An open session is no worse for a secret that does not count any more.
      void recognise();
    });
  }, []);
  switch (session.value) {
    case "none":
      return <SignInPage failure={failure} />;
    case "unknown":
      return <Waiting />;
    case "open":
      return <Viewer />;
  }
}

/** Before the server has said who asks; tries again while it cannot be reached. */
function Waiting() {
  const cause = trouble.value;
  useEffect(() => {
    if (!cause) return;
    const timer = setTimeout(() => void recognise(), 3_000);
    return () => clearTimeout(timer);
  }, [cause]);
  return (
    <main class="lonely">
      <h1>{t("app.name")}</h1>
      {cause ? <p role="alert">{failureWords(cause)}</p> : <p class="soft">{t("app.asking")}</p>}
    </main>
  );
}

/** The pages, each with the right that it takes. */
const pages: { path: string; key: Key; permission?: string }[] = [
  { path: "/", key: "nav.overview" },
  { path: "/new", key: "nav.new" },
  { path: "/devices", key: "nav.devices" },
  { path: "/completeness", key: "nav.completeness", permission: "sample.read" },
  { path: "/proof", key: "nav.proof", permission: "proof.read" },
  { path: "/audit", key: "nav.audit", permission: "audit.read" },
  { path: "/server", key: "nav.server" },
];

function Viewer() {
  useEffect(followFleet, []);
  return (
    <>
      <a class="skip" href="#main" onClick={toMain}>
        {t("nav.skip")}
      </a>
      <Header />
      <main id="main" tabIndex={-1} class={hearing.value === "cut" || hearing.value === "unreachable" ? "stale" : ""}>
        <Hearing />
        <StoreNote />
        <Page key={path.value} />
      </main>
      <Announcer />
    </>
  );
}

function toMain(event: Event): void {
  event.preventDefault();
  document.getElementById("main")?.focus();
}

function Page() {
  const at = path.value;
  useLayoutEffect(() => {
    if (!firstPage) {
      wantHeading();
      scrollTo(0, 0);
    }
    firstPage = false;
  }, []);
  const device = /^\/devices\/(\d+)(\/quarantine)?$/.exec(at);
  if (device) return device[2] ? <QuarantinePage id={Number(device[1])} /> : <DevicePage id={Number(device[1])} />;
  const day = /^\/completeness\/(\d+)\/(\d{4}-\d\d-\d\d)$/.exec(at);
  if (day) return <CompletenessDayPage id={Number(day[1])} day={day[2] ?? ""} />;
  switch (at) {
    case "/":
    case "/index.html":
      return <OverviewPage />;
    case "/new":
      return <NewDevicesPage />;
    case "/devices":
      return <DevicesPage />;
    case "/completeness":
      return <CompletenessPage />;
    case "/proof":
      return <ProofPage />;
    case "/audit":
      return <AuditPage />;
    case "/server":
      return <ServerPage />;
    default:
      return <Lost />;
  }
}

/** The page that was opened by loading the viewer keeps the browser's own focus. */
let firstPage = true;

function Lost() {
  return (
    <section class="verdict">
      <Heading>{t("lost.title")}</Heading>
      <p>
        <a class="link" href="/">
          {t("lost.back")}
        </a>
      </p>
    </section>
  );
}

function Header() {
  const at = path.value;
  const waiting = status.value?.devices.new ?? 0;
  return (
    <header>
      <a class="brand" href="/">
        <Comet />
        {t("app.name")}
      </a>
      {status.value?.simulated && <span class="simulated">{t("app.simulated")}</span>}
      <nav aria-label={t("nav.label")}>
        {pages.filter((page) => !page.permission || may(page.permission)).map((page) => {
          const current = page.path === "/" ? at === "/" : at.startsWith(page.path);
          return (
            <a key={page.path} href={page.path} {...(current ? { "aria-current": "page" as const } : {})}>
              {t(page.key)}
              {page.path === "/new" && waiting > 0 && <span class="n">{t("count", { n: waiting })}</span>}
            </a>
          );
        })}
      </nav>
      <Account />
    </header>
  );
}

function Account() {
  const [failure, setFailure] = useState("");
  if (me.value?.kind !== "session") return null;
  return (
    <button type="button" class="btn quiet" title={failure || t("nav.signed-in", { name: me.value.name })} onClick={() => void signOut().catch((cause: unknown) => setFailure(failureWords(cause)))}>
      {failure ? t("nav.sign-out-failed") : t("nav.sign-out")}
    </button>
  );
}

/** Says that what is shown is not live, and grey. */
function Hearing() {
  const how = hearing.value;
  if (how === "live" || how === "joining") return null;
  return (
    <p class="hearing" role="alert">
      {t(how === "unreachable" ? "hearing.unreachable" : "hearing.cut")}
    </p>
  );
}

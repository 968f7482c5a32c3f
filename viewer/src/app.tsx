import type { ComponentChild } from "preact";
import { useEffect, useLayoutEffect, useState } from "preact/hooks";
import { entry, watchEntry } from "./access/entry";
import { loadSignIn, signOut, watchSession } from "./access/session";
import { session } from "./api/client";
import type { SignIn } from "./api/people";
import { followFleet, hearing, me, recognise, status, trouble } from "./fleet/fleet";
import { followPlaces } from "./fleet/places";
import { AccountLink, AccountPage } from "./pages/account";
import { AuditPage } from "./pages/audit";
import { CompletenessPage } from "./pages/completeness";
import { CompletenessDayPage } from "./pages/completenessday";
import { DevicePage } from "./pages/device";
import { DevicesPage } from "./pages/devices";
import { EnrolPage } from "./pages/enrol";
import { FirstInSession, FirstPage } from "./pages/first";
import { LinkPage } from "./pages/link";
import { NewDevicesPage } from "./pages/newdevices";
import { OrganizationsPage } from "./pages/organizations";
import { OverviewPage } from "./pages/overview";
import { PeoplePage } from "./pages/people";
import { PersonPage } from "./pages/person";
import { PlacePage } from "./pages/place";
import { PlacesPage } from "./pages/places";
import { ProofPage } from "./pages/proof";
import { QuarantinePage } from "./pages/quarantine";
import { RolesPage } from "./pages/roles";
import { ServerPage } from "./pages/server";
import { SignInPage } from "./pages/signin";
import { TokensPage } from "./pages/tokens";
import { UsagePage } from "./pages/usage";
import { Announcer } from "./parts/announce";
import { Confirmation } from "./parts/confirm";
import { failureWords } from "./parts/failure";
import { Heading, wantHeading, watchHands } from "./parts/heading";
import { Idle } from "./parts/idle";
import { Navigation } from "./parts/navigation";
import { ShowAsNote } from "./parts/showas";
import { StoreNote } from "./parts/storenote";
import { path, watchAddress } from "./router";
import { routeOf, type Route, type RouteName } from "./routes";
import { OrganizationPicker } from "./tree/picker";
import { followChoice } from "./tree/tree";
import { t, type Key } from "./words/messages";
import { Comet } from "./parts/comet";

/** The viewer: who may look, then the page that the address names. */
export function App() {
  const [first, setFirst] = useState<SignIn | null>(null);
  useEffect(watchAddress, []);
  useEffect(watchHands, []);
  useEffect(watchSession, []);
  useEffect(() => {
    const unwatch = watchEntry();
    // The secret of the first sign-in counts only while nobody has an account; an open session is no worse for it.
    if (entry.peek()?.kind === "first") {
      void loadSignIn()
        .then((how) => (how.first ? setFirst(how) : undefined))
        .catch(() => undefined)
        .finally(() => void recognise());
    } else void recognise();
    return unwatch;
  }, []);
  const brought = entry.value;
  if (brought?.kind === "link") return <LinkPage key={brought.secret} secret={brought.secret} />;
  if (brought?.kind === "first" && first) return <FirstPage how={first} secret={brought.secret} />;
  switch (session.value) {
    case "none":
      return <SignInPage failure={brought?.kind === "failed" ? signInFailure(brought.code) : ""} />;
    case "unknown":
      return <Waiting />;
    case "open":
      return <Entered />;
  }
}

const elsewhere: Record<string, Key> = {
  "oidc-away": "signin.elsewhere-away",
  "oidc-cancelled": "signin.elsewhere-cancelled",
  "oidc-expired": "signin.elsewhere-expired",
  "no-role": "signin.elsewhere-no-role",
  "sign-in-failed": "signin.elsewhere-refused",
};

/** Why signing in elsewhere did not work. */
function signInFailure(code: string): string {
  return t(elsewhere[code] ?? "signin.elsewhere-failed");
}

/** Somebody is signed in; some must do something first. */
function Entered() {
  const must = me.value?.must;
  if (must === "account") return <FirstInSession />;
  if (must !== "second-factor") return <Viewer />;
  return (
    <>
      <EnrolPage />
      <Idle />
      <Confirmation />
    </>
  );
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

function Viewer() {
  useEffect(followFleet, []);
  useEffect(followPlaces, []);
  useEffect(followChoice, []);
  return (
    <>
      <a class="skip" href="#main" onClick={toMain}>
        {t("nav.skip")}
      </a>
      <Header />
      <main id="main" tabIndex={-1} class={hearing.value === "cut" || hearing.value === "unreachable" ? "stale" : ""}>
        <ShowAsNote />
        <Hearing />
        <StoreNote />
        <Page key={path.value} />
      </main>
      <Announcer />
      <Idle />
      <Confirmation />
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
  const route = routeOf(at);
  return route ? pages[route.name](route) : <Lost />;
}

/** What is shown at each address. */
const pages: Record<RouteName, (at: Route) => ComponentChild> = {
  overview: () => <OverviewPage />,
  places: () => <PlacesPage />,
  place: ({ id }) => <PlacePage id={id} />,
  organizations: () => <OrganizationsPage />,
  newDevices: () => <NewDevicesPage />,
  devices: () => <DevicesPage />,
  device: ({ id }) => <DevicePage id={id} />,
  quarantine: ({ id }) => <QuarantinePage id={id} />,
  completeness: () => <CompletenessPage />,
  completenessDay: ({ id, day }) => <CompletenessDayPage id={id} day={day} />,
  proof: () => <ProofPage />,
  audit: () => <AuditPage />,
  people: () => <PeoplePage />,
  person: ({ id }) => <PersonPage id={id} />,
  roles: () => <RolesPage />,
  tokens: () => <TokensPage />,
  usage: () => <UsagePage />,
  server: () => <ServerPage />,
  account: () => <AccountPage />,
};

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
  return (
    <header>
      <a class="brand" href="/">
        <Comet />
        {t("app.name")}
      </a>
      <OrganizationPicker />
      {status.value?.simulated && <span class="simulated">{t("app.simulated")}</span>}
      <Navigation />
      <Account />
    </header>
  );
}

function Account() {
  const [failure, setFailure] = useState("");
  if (me.value?.kind !== "session") return null;
  return (
    <div class="account">
      <AccountLink />
      <button type="button" class="btn quiet" title={failure} onClick={() => void signOut().catch((cause: unknown) => setFailure(failureWords(cause)))}>
        {failure ? t("nav.sign-out-failed") : t("nav.sign-out")}
      </button>
    </div>
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

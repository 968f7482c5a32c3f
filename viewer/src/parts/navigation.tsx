import { useEffect, useId, useRef, useState } from "preact/hooks";
import { may, me, status } from "../fleet/fleet";
import { path } from "../router";
import { routes } from "../routes";
import { t, type Key } from "../words/messages";
import { peoplePages } from "./peoplenav";

interface Entry {
  path: string;
  key: Key;
}

/** The pages of everyday, each with the right that it takes. */
const everyday: (Entry & { permission?: string; ofDevices?: boolean; ofDecisions?: boolean })[] = [
  { path: routes.overview, key: "nav.overview" },
  { path: routes.places, key: "nav.places", permission: "place.read" },
  { path: routes.newDevices, key: "nav.new", permission: "device.read", ofDevices: true, ofDecisions: true },
  { path: routes.devices, key: "nav.devices", permission: "device.read", ofDevices: true },
  { path: routes.completeness, key: "nav.completeness", permission: "sample.read" },
  { path: routes.proof, key: "nav.proof", permission: "proof.read" },
];

/** The pages about the installation itself, for whoever may see them. */
function administration(): Entry[] {
  const more: (Entry & { permission: string })[] = [
    { path: routes.organizations, key: "nav.organizations", permission: "organization.change" },
    { path: routes.audit, key: "nav.audit", permission: "audit.read" },
    { path: routes.server, key: "nav.server", permission: "server.read" },
  ];
  return [...peoplePages(), ...more.filter((p) => may(p.permission))];
}

/** The ways to the pages: those of everyday in a line, those of administration behind one button. */
export function Navigation() {
  const waiting = status.value?.devices.new ?? 0;
  return (
    <nav aria-label={t("nav.label")}>
      {everyday
        .filter((page) => (!page.permission || may(page.permission)) && !(page.ofDevices && seesPlacesOnly()) && !(page.ofDecisions && waiting === 0 && !may("device.decide")))
        .map((page) => (
          <Way key={page.path} page={page}>
            {page.path === routes.newDevices && waiting > 0 && <span class="n">{t("count", { n: waiting })}</span>}
          </Way>
        ))}
      <Administration />
    </nav>
  );
}

/** Whether somebody sees named places and nothing else: devices as such mean nothing to them. */
function seesPlacesOnly(): boolean {
  const roles = me.value?.roles ?? [];
  return roles.length > 0 && roles.every((role) => role.place_id !== null);
}

function isCurrent(page: Entry): boolean {
  const at = path.value;
  return page.path === "/" ? at === "/" : at === page.path || at.startsWith(`${page.path}/`);
}

function Way({ page, children }: { page: Entry; children?: preact.ComponentChildren }) {
  return (
    <a href={page.path} {...(isCurrent(page) ? { "aria-current": "page" as const } : {})}>
      {t(page.key)}
      {children}
    </a>
  );
}

/** A button that shows the further pages; a single one needs no button. */
function Administration() {
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const id = useId();
  const pages = administration();
  const at = path.value;
  // Whoever has gone to a page does not need the list any more.
  useEffect(() => setOpen(false), [at]);
  useEffect(() => {
    if (!open) return;
    const outside = (event: Event) => {
      if (event.target instanceof Node && !box.current?.contains(event.target)) setOpen(false);
    };
    addEventListener("pointerdown", outside);
    addEventListener("focusin", outside);
    return () => {
      removeEventListener("pointerdown", outside);
      removeEventListener("focusin", outside);
    };
  }, [open]);
  const [only] = pages;
  if (!only) return null;
  if (pages.length === 1) return <Way page={only} />;
  const ways = () => [...(box.current?.querySelectorAll<HTMLElement>("a") ?? [])];
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Escape" && open) {
      setOpen(false);
      button.current?.focus();
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (!open) return setOpen(true);
      const all = ways();
      const from = all.findIndex((way) => way === document.activeElement);
      const to = event.key === "ArrowDown" ? Math.min(from + 1, all.length - 1) : from - 1;
      (all[to] ?? button.current)?.focus();
    }
  };
  return (
    <div class="further" ref={box} onKeyDown={onKeyDown}>
      <button ref={button} type="button" class={pages.some(isCurrent) ? "current" : ""} aria-expanded={open} aria-controls={id} onClick={() => setOpen(!open)}>
        {t("nav.administration")}
        <span class={open ? "twist open" : "twist"} aria-hidden="true" />
      </button>
      <div id={id} class="further-list" hidden={!open}>
        {open && pages.map((page) => <Way key={page.path} page={page} />)}
      </div>
    </div>
  );
}

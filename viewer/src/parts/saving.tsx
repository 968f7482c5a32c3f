import { useEffect, useRef, useState } from "preact/hooks";
import { isAbandoned } from "../api/client";
import { bytes } from "../words/format";
import { t } from "../words/messages";
import { announce } from "./announce";
import { useDoing, type Doing } from "./doing";
import { download, save } from "./save";

/** A file that a person asked for, and how far it is. */
export interface Saving extends Pick<Doing, "busy" | "wrong"> {
  /** How much has come, or that it was saved; "" before it was asked for. */
  said: string;
  /** Asks the server for it, in a format, and has the browser save it under a name. Leaving the page gives it up. */
  begin: (path: string, accept: string, name: string) => void;
}

export function useSaving(): Saving {
  const { busy, wrong, run } = useDoing();
  const [said, setSaid] = useState("");
  const gone = useRef<AbortController | null>(null);
  useEffect(() => () => gone.current?.abort(), []);
  const fetched = async (path: string, accept: string, name: string) => {
    const control = new AbortController();
    gone.current = control;
    setSaid(t("saving.begun"));
    announce(t("saving.begun"));
    try {
      const file = await download(path, accept, control.signal, (n) => setSaid(t("saving.received", { size: bytes(n) })));
      save(file, name);
      const words = t("saving.done", { size: bytes(file.size) });
      setSaid(words);
      announce(words);
    } catch (cause) {
      setSaid("");
      if (!isAbandoned(cause)) throw cause;
    }
  };
  return { busy, wrong, said, begin: (path, accept, name) => void run(() => fetched(path, accept, name)) };
}

/** How far a file is, beside the button that asked for it; nothing before. */
export function Saved({ of }: { of: Saving }) {
  if (of.wrong)
    return (
      <span class="failure said" role="alert">
        {of.wrong}
      </span>
    );
  return of.said ? <span class="soft said">{of.said}</span> : null;
}

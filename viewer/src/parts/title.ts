import { useEffect } from "preact/hooks";
import { t } from "../words/messages";

/** Names the page in the browser's tab. */
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = t("app.title", { title });
  }, [title]);
}

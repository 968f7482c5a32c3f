import { t } from "../words/messages";
import { SteadyButton } from "./steadybutton";

interface Props {
  /** What is paged, for those who hear it. */
  label: string;
  page: number;
  size: number;
  all: number;
  onPage: (page: number) => void;
}

/** Goes through a long list page by page, so that the page of the browser stays small; nothing where one page has all. */
export function Pager({ label, page, size, all, onPage }: Props) {
  if (all <= size) return null;
  const pages = Math.ceil(all / size);
  return (
    <nav class="pager" aria-label={label}>
      <SteadyButton class="btn" off={page === 0} onClick={() => onPage(page - 1)}>
        {t("place.page-before")}
      </SteadyButton>
      <SteadyButton class="btn" off={page >= pages - 1} onClick={() => onPage(page + 1)}>
        {t("place.page-after")}
      </SteadyButton>
      <span class="soft" role="status">
        {t("place.page", { from: page * size + 1, to: Math.min(all, (page + 1) * size), n: all })}
      </span>
    </nav>
  );
}

/** The page that is shown, brought back to those that there are. */
export function pageWithin(page: number, all: number, size: number): number {
  return Math.max(0, Math.min(page, Math.ceil(all / size) - 1));
}

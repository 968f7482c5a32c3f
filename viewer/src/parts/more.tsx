import type { Paged } from "./paged";
import { SteadyButton } from "./steadybutton";

/** Loads the next page of a list; nothing where there is none, or where the last one failed and can be tried again. */
export function More({ list, act }: { list: Pick<Paged<unknown>, "hasMore" | "failure" | "busy" | "more">; act: string }) {
  if (!list.hasMore || list.failure !== undefined) return null;
  return (
    <p class="pager">
      <SteadyButton class="btn" off={list.busy} onClick={list.more}>
        {act}
      </SteadyButton>
    </p>
  );
}

import { useId } from "preact/hooks";

/** A box that narrows a list while it is typed into. */
export function Filter({ label, value, onValue }: { label: string; value: string; onValue: (value: string) => void }) {
  const id = useId();
  return (
    <p class="filter">
      <label class="unseen" for={id}>
        {label}
      </label>
      <input id={id} type="search" placeholder={label} value={value} autocomplete="off" onInput={(event) => onValue(event.currentTarget.value)} />
    </p>
  );
}

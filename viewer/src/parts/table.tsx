import type { ComponentChildren } from "preact";

/** The head of a column: its name, or more of it. */
export type Column =
  | string
  | {
      name: string;
      /** How the column looks: "num" for figures, "wide" for what a narrow screen leaves out. */
      class?: string;
      /** Its cells are buttons that say what they are: the name is only for those who hear it. */
      unseen?: boolean;
    };

/** The heads of columns, from the left; what is false is left out. */
export function Heads({ of }: { of: readonly (Column | false)[] }) {
  return (
    <>
      {of.map((column) => {
        if (column === false) return null;
        const { name, class: look, unseen } = typeof column === "string" ? { name: column } : column;
        return (
          <th key={name} scope="col" {...(look ? { class: look } : {})}>
            {unseen ? <span class="unseen">{name}</span> : name}
          </th>
        );
      })}
    </>
  );
}

interface Props {
  /** What the table lists, for those who hear it. */
  label: string;
  class?: string;
  /** The columns from the left; what is false is left out. */
  columns: readonly (Column | false)[];
  /** The rows. */
  children: ComponentChildren;
  /** The last row, which sums up. */
  foot?: ComponentChildren;
}

/** A table in a box of its own, which is scrolled sideways, by keys too, where the screen is too narrow for it. */
export function Table({ label, class: look, columns, children, foot }: Props) {
  return (
    <div class="scroll" tabIndex={0} role="group" aria-label={label}>
      <table {...(look ? { class: look } : {})}>
        <thead>
          <tr>
            <Heads of={columns} />
          </tr>
        </thead>
        <tbody>{children}</tbody>
        {foot && <tfoot>{foot}</tfoot>}
      </table>
    </div>
  );
}

/** The mark of Halley. */
export function Comet() {
  return (
    <svg class="comet" width="22" height="22" viewBox="0 0 22 22" aria-hidden="true">
      <path d="M2 20 13 9" stroke-width="2.4" />
      <path class="tail" d="M5 21 14 12M1 17l9-9" stroke-width="1.4" />
      <circle cx="15.5" cy="6.5" r="4.5" />
    </svg>
  );
}

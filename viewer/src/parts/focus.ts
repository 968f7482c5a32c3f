/** Takes the focus when it appears; given as a ref. The browser's own attribute works only once a page. */
export function focused(element: HTMLElement | null): void {
  element?.focus();
}

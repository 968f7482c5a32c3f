// Whether a person did something since the server was last asked: the next question tells it so. What the viewer asks by
// itself, such as how the server stands, does not count as use of the session.

let stirred = true;

/** A person did something. */
export function stir(): void {
  stirred = true;
}

/** Says whether a person did something since it was last asked. */
export function takeStir(): boolean {
  const was = stirred;
  stirred = false;
  return was;
}

/** Says whether a person did something that the server has not been told yet. */
export function isStirred(): boolean {
  return stirred;
}

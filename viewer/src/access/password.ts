import type { PasswordRule } from "../api/people";

/** One thing that a password must have. */
export type Need = "length" | "digit" | "upper" | "lower" | "special";

/** What a rule asks for, and whether a password has it. Whether it is a common one, only the server knows. */
export function needsOf(rule: PasswordRule, password: string): { need: Need; met: boolean }[] {
  const all: { need: Need; asked: boolean; met: boolean }[] = [
    { need: "length", asked: rule.length > 0, met: [...password].length >= rule.length },
    { need: "digit", asked: rule.digit, met: /\p{Nd}/u.test(password) },
    { need: "upper", asked: rule.upper, met: /\p{Lu}/u.test(password) },
    { need: "lower", asked: rule.lower, met: /\p{Ll}/u.test(password) },
    { need: "special", asked: rule.special, met: /[^\p{L}\p{N}\s]/u.test(password) },
  ];
  return all.filter((n) => n.asked).map(({ need, met }) => ({ need, met }));
}

/** Whether a password has all that the rule asks for. */
export function isGood(rule: PasswordRule, password: string): boolean {
  return needsOf(rule, password).every((n) => n.met);
}

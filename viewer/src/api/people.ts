// What the API answers about people, their rights and what they did.

/** What a password must have. */
export interface PasswordRule {
  length: number;
  digit: boolean;
  upper: boolean;
  lower: boolean;
  special: boolean;
}

/** How one may sign in at this server. */
export interface SignIn {
  /** No account exists yet. */
  first: boolean;
  ldap: boolean;
  /** The issuers of OpenID Connect, by what their buttons say. */
  oidc: { id: string; name: string }[];
  passkeys: boolean;
  reset_by_mail: boolean;
  password_rule: PasswordRule;
}

export type Factor = "totp" | "passkey" | "recovery";

/** What a link for an invitation or a new password is good for. */
export interface Link {
  purpose: "invite" | "reset";
  name: string;
  until: string;
}

export interface Session {
  id: string;
  begun_at: string;
  seen_at: string;
  expires_at: string;
  address: string;
  agent: string;
  this: boolean;
}

export interface SessionList {
  sessions: Session[];
}

/** An authenticator that is set up but not yet in force. */
export interface Authenticator {
  secret: string;
  uri: string;
  /** A picture, as a data address. */
  qr: string;
}

export interface Passkey {
  id: number | string;
  name: string;
  added_at: string;
}

export interface Grant {
  id: number;
  role: string;
  organization_id: number;
  /** The path of the node; "/" is the root. */
  organization: string;
  place_id: number | null;
  place: string | null;
  from: string | null;
}

export type PersonState = "invited" | "active" | "disabled" | "deleted";

export interface Person {
  id: number;
  name: string;
  full_name: string;
  email: string;
  state: PersonState;
  shared: boolean;
  source: "local" | "ldap" | "oidc";
  organization_id: number;
  organization: string;
  created_at: string | null;
  last_sign_in_at: string | null;
  second_factor: boolean;
  grants: Grant[];
  /** Of one person alone: the tokens that they made and that count; null while nobody can say. */
  tokens?: Token[] | null;
}

export interface PersonList {
  people: Person[];
  next: string | number | null;
}

/** A link that is shown once, how long it works, and whether it was sent by e-mail too. */
export interface IssuedLink {
  link: string;
  until: string;
  mailed: boolean;
}

export interface Invited extends IssuedLink {
  person: Person;
}

/** What somebody may do where, at an instant: the highest nodes only, and single places. */
export interface PersonRights {
  at: string;
  grants: Grant[];
  organizations: { id: number; path: string; permissions: string[] }[];
  places: { id: number; name: string; permissions?: string[] }[];
}

export interface Role {
  /** Null for a preset. */
  id: number | null;
  name: string;
  preset: boolean;
  /** The node at and below which it can be granted; null for a preset. */
  organization_id: number | null;
  permissions: string[];
  closed: boolean;
}

export interface PermissionInfo {
  permission: string;
  /** Counts only where it is granted at the root. */
  of_server: boolean;
  /** Changes nothing. */
  reads: boolean;
}

export interface RoleList {
  roles: Role[];
  permissions: PermissionInfo[];
}

export interface Token {
  id: number | string;
  name: string;
  role: string;
  organization_id: number;
  organization: string;
  place_ids: number[];
  created_at: string;
  expires_at: string | null;
  revoked_at: string | null;
  made_by: TokenMaker;
}

/** Who made a token, and the person behind it where the reader sees one. */
export interface TokenMaker {
  kind: string;
  name: string;
  person_id: number | null;
  person_state: PersonState | null;
}

export interface TokenList {
  tokens: Token[];
}

/** A new token with its secret, which is shown once. */
export interface IssuedToken extends Token {
  token: string;
}

export interface Review {
  id: number;
  /** The last entry that was looked at. */
  up_to: number;
  at: string;
  who: string;
  note: string;
}

export interface ReviewList {
  /** Newest first. */
  reviews: Review[];
  /** Acts after the newest mark, 10,000 at most. */
  unreviewed: number;
}

export interface Usage {
  places: number;
  devices: number;
  people: number;
  channels: number;
  samples_per_day: number;
}

export interface UsageList {
  at: string;
  organizations: (Usage & { organization_id: number; path: string })[];
  total: Usage;
}

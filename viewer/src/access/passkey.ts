// Passkeys: what the server says of them in JSON, in the shape that the browser takes, and back.

type Plain = Record<string, unknown>;

function bytesOf(text: unknown): ArrayBuffer {
  const plain = typeof text === "string" ? text.replace(/-/g, "+").replace(/_/g, "/") : "";
  const raw = atob(plain.padEnd(Math.ceil(plain.length / 4) * 4, "="));
  return Uint8Array.from(raw, (c) => c.charCodeAt(0)).buffer;
}

/** Bytes in base 64 for addresses, without padding. */
export function textOf(bytes: ArrayBuffer | null): string {
  if (!bytes) return "";
  return btoa(String.fromCharCode(...new Uint8Array(bytes)))
    .replace(/\+/g, "-")
    .replace(/\//g, "_")
    .replace(/=+$/, "");
}

function inside(options: unknown): Plain {
  if (typeof options !== "object" || options === null) return {};
  const plain = options as Plain;
  const key = plain["publicKey"];
  return typeof key === "object" && key !== null ? (key as Plain) : plain;
}

function listed(list: unknown): PublicKeyCredentialDescriptor[] {
  if (!Array.isArray(list)) return [];
  return (list as Plain[]).map((one) => ({ ...one, type: "public-key", id: bytesOf(one["id"]) }));
}

/** What the browser needs to make a passkey. */
export function creationOptions(options: unknown): PublicKeyCredentialCreationOptions {
  const plain = inside(options);
  const user = inside(plain["user"]);
  return {
    ...(plain as unknown as PublicKeyCredentialCreationOptions),
    challenge: bytesOf(plain["challenge"]),
    user: { ...(user as unknown as PublicKeyCredentialUserEntity), id: bytesOf(user["id"]) },
    excludeCredentials: listed(plain["excludeCredentials"]),
  };
}

/** What the browser needs to use a passkey. */
export function requestOptions(options: unknown): PublicKeyCredentialRequestOptions {
  const plain = inside(options);
  return { ...(plain as unknown as PublicKeyCredentialRequestOptions), challenge: bytesOf(plain["challenge"]), allowCredentials: listed(plain["allowCredentials"]) };
}

/** Whether this browser can use passkeys at this address. */
export function canPasskey(): boolean {
  return isSecureContext && typeof PublicKeyCredential !== "undefined" && "credentials" in navigator;
}

/** The person or the browser gave up, or has no passkey for this address. */
export class PasskeyRefused extends Error {}

async function made(work: Promise<Credential | null>): Promise<PublicKeyCredential> {
  try {
    const credential = await work;
    if (credential instanceof PublicKeyCredential) return credential;
  } catch (cause) {
    throw new PasskeyRefused("no passkey", { cause });
  }
  throw new PasskeyRefused("no passkey");
}

/** Asks for a passkey, and gives the browser's answer as the server reads it. */
export async function assertionOf(publicKey: PublicKeyCredentialRequestOptions): Promise<unknown> {
  const credential = await made(navigator.credentials.get({ publicKey }));
  const response = credential.response as AuthenticatorAssertionResponse;
  return {
    ...head(credential),
    response: {
      clientDataJSON: textOf(response.clientDataJSON),
      authenticatorData: textOf(response.authenticatorData),
      signature: textOf(response.signature),
      userHandle: textOf(response.userHandle),
    },
  };
}

/** Makes a passkey, and gives what the server keeps of it. */
export async function attestationOf(publicKey: PublicKeyCredentialCreationOptions): Promise<unknown> {
  const credential = await made(navigator.credentials.create({ publicKey }));
  const response = credential.response as AuthenticatorAttestationResponse;
  return {
    ...head(credential),
    response: { clientDataJSON: textOf(response.clientDataJSON), attestationObject: textOf(response.attestationObject), transports: response.getTransports() },
  };
}

function head(credential: PublicKeyCredential): Plain {
  return {
    id: credential.id,
    rawId: textOf(credential.rawId),
    type: credential.type,
    ...(credential.authenticatorAttachment ? { authenticatorAttachment: credential.authenticatorAttachment } : {}),
    clientExtensionResults: credential.getClientExtensionResults(),
  };
}

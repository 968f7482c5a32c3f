import { request } from "../api/client";

/** Has the browser save a file. */
export function save(content: Blob, name: string): void {
  const url = URL.createObjectURL(content);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // The browser needs the address until it has begun to save.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** An instant in a file's name: 20261121T1316Z */
export function stamp(ms: number): string {
  return new Date(ms).toISOString().replace(/[-:]/g, "").slice(0, 13) + "Z";
}

/** Asks for a file and says now and then how much of it has come, in bytes. What ends before its end fails. */
export async function download(path: string, accept: string, signal: AbortSignal, onProgress: (received: number) => void): Promise<Blob> {
  const response = await request(path, { accept, unhurried: true, signal });
  const type = response.headers.get("Content-Type") ?? accept;
  if (!response.body) return response.blob();
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let received = 0;
  const reader = response.body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    received += value.length;
    onProgress(received);
  }
  return new Blob(parts, { type });
}

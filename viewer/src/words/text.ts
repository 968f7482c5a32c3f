// Names, units and bodies come from devices and are hostile text: what cannot be seen, or turns text around, is made
// visible. Escaping for the page is Preact's work.

// Controls, bidirectional marks, zero-width characters, invisible operators, variation selectors beyond emoji, tags,
// private use, non-characters and lone surrogates.
const unseen =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0d\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\ue000-\uf8ff]|[\u{e0000}-\u{e0fff}]|[\u{f0000}-\u{10ffff}]|[\ud800-\udfff]/gu;

function shown(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return `⟨U+${code.toString(16).toUpperCase().padStart(4, "0")}⟩`;
}

/** Makes a one-line text of a device safe to show. */
export function visible(text: string): string {
  return text.replace(unseen, shown);
}

/** Makes a body safe to show; its line ends and tabs stay. */
export function visibleBody(text: string): string {
  return text.replace(/\r\n/g, "\n").replace(unseen, (c) => (c === "\n" || c === "\t" ? c : shown(c)));
}

/** Indents a body of JSON or XML for reading without changing any of its tokens; gives null for anything else. */
export function indented(body: string): string | null {
  const text = body.trim();
  if (text.startsWith("{") || text.startsWith("[")) return indentedJSON(text);
  if (text.startsWith("<")) return indentedXML(text);
  return null;
}

/** Works on tokens: parsing and printing would change numbers such as 20.10 or drop a name that stands twice. */
function indentedJSON(text: string): string | null {
  try {
    JSON.parse(text);
  } catch {
    return null;
  }
  const tokens = text.match(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/gs) ?? [];
  let out = "",
    depth = 0;
  const line = () => "\n" + "  ".repeat(depth);
  tokens.forEach((token, i) => {
    const next = tokens[i + 1] ?? "";
    if (token === "{" || token === "[") {
      depth++;
      out += token + (next === "}" || next === "]" ? "" : line());
    } else if (token === "}" || token === "]") {
      depth--;
      const before = tokens[i - 1] ?? "";
      out += (before === "{" || before === "[" ? "" : line()) + token;
    } else if (token === ",") out += token + line();
    else if (token === ":") out += ": ";
    else out += token;
  });
  return out;
}

/** Breaks lines between tags only, so that no text of an element changes. */
function indentedXML(text: string): string | null {
  const tokens = text.match(/<!--.*?-->|<!\[CDATA\[.*?\]\]>|<\?.*?\?>|<(?:"[^"]*"|'[^']*'|[^"'>])*>|[^<]+/gs);
  if (!tokens || tokens.join("") !== text) return null;
  let out = "",
    depth = 0;
  let leaf = false;
  for (const token of tokens) {
    if (!token.startsWith("<")) {
      if (token.trim() === "") continue;
      out += token;
      leaf = true;
      continue;
    }
    const closes = token.startsWith("</");
    if (closes) depth = Math.max(0, depth - 1);
    const opened = out.endsWith(">") && !out.endsWith("/>") && /<[^/!?][^<]*>$/.test(out);
    if (!leaf && out && !(closes && opened)) out += "\n" + "  ".repeat(depth);
    out += token;
    if (!closes && !token.endsWith("/>") && !/^<[!?]/.test(token)) depth++;
    leaf = false;
  }
  return out;
}

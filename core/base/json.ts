/**
 * `JSON.parse`, right in spite of V8 13 and 14 (Node 24 and 26): once a key that ends in a backslash was parsed, these
 * take other keys with escapes for it, so `{"a": 1, "\n": 2}` may come back with a key `\` (nodejs/node issue 63785).
 */

/** Throws like `JSON.parse`. */
export function parseJson(text: string): unknown {
  const value: unknown = JSON.parse(text);
  return IS_WRONG && ESCAPE_IN_KEY.test(text) ? new Reader(text).value() : value;
}

/** Says yes of some texts that have no such key, too. */
const ESCAPE_IN_KEY = /\\.[^"\\]*(?:\\.[^"\\]*)*"\s*:/s;

/** Whether this V8 is one of those. Nobody else has objects with this key, whom asking could harm. */
const IS_WRONG = ((): boolean => {
  JSON.parse('{"fleche asks":0,"\\\\":0}');
  return !Object.hasOwn(JSON.parse('{"fleche asks":0,"\\n":0}') as object, '\n');
})();

/** Reads a text that is known to be JSON. */
class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(): unknown {
    const token = this.#token();
    if (token === '{') return this.#table();
    if (token === '[') return this.#list();
    return JSON.parse(token);
  }

  #table(): object {
    const members: [string, unknown][] = [];
    for (let token = this.#token(); token !== '}'; token = this.#token()) {
      const key = token === ',' ? this.#token() : token;
      this.#token();
      members.push([JSON.parse(key), this.value()]);
    }
    return Object.fromEntries(members);
  }

  #list(): unknown[] {
    const items: unknown[] = [];
    for (;;) {
      const before = this.#at;
      const token = this.#token();
      if (token === ']') return items;
      if (token !== ',') this.#at = before;
      items.push(this.value());
    }
  }

  /** The next bracket, comma, colon, text, number or word. */
  #token(): string {
    TOKEN.lastIndex = this.#at;
    const token = TOKEN.exec(this.#text)?.[1] ?? '';
    this.#at = TOKEN.lastIndex;
    return token;
  }
}

const TOKEN = /\s*([[\]{},:]|"[^"\\]*(?:\\.[^"\\]*)*"|[^\s[\]{},:"]+)/suy;

/**
 * Where in a TOML text every key and value stands. The parser tells places for syntax errors alone, so a text that it
 * has accepted is scanned once more, when the first place is asked for: on the usual way nothing here runs. Of a text
 * that is not TOML the answers are some places in it. Knows nothing of what the keys mean.
 */
import type { SourcePosition } from '../../../base/errors.ts';

/** The keys and array indexes that lead to a value. */
export type KeyPath = readonly (string | number)[];

/** What is known of one key or array element; offsets count UTF-16 code units. */
interface Place {
  /** Where the key is written; for an array element, where its value begins. */
  key: number;
  /** Where the value or the header of the table begins; undefined for a table that is only named on the way to another. */
  value: number | undefined;
  /** Number of elements, for an array of tables. */
  tables: number;
  readonly children: Map<string | number, Place>;
}

/** Columns count UTF-16 code units, as editors do. */
export class Positions {
  readonly #file: string;
  readonly #text: string;
  #root: Place | undefined;
  #lines: readonly number[] | undefined;

  /** `file` is only told in positions; `text` begins without a byte order mark. */
  constructor(file: string, text: string) {
    this.#file = file;
    this.#text = text;
  }

  /** Where the last key of the path is written, or for an array element its value. */
  key(path: KeyPath): SourcePosition {
    return this.#position(this.#find(path).place.key);
  }

  /** Where the value of the path begins. A path that is not there has the place of its nearest parent's key. */
  value(path: KeyPath): SourcePosition {
    const { place, isWhole } = this.#find(path);
    return this.#position(isWhole ? (place.value ?? place.key) : place.key);
  }

  /** As `key`, looked up when line or column is first read. */
  lazyKey(path: KeyPath): SourcePosition {
    let found: SourcePosition | undefined;
    const find = (): SourcePosition => {
      found ??= this.key(path);
      return found;
    };
    return {
      file: this.#file,
      get line() {
        return find().line;
      },
      get column() {
        return find().column;
      },
    };
  }

  #find(path: KeyPath): { readonly place: Place; readonly isWhole: boolean } {
    this.#root ??= new Scanner(this.#text).document();
    let place = this.#root;
    for (const step of path) {
      const next = place.children.get(step);
      if (next === undefined) return { place, isWhole: false };
      place = next;
    }
    return { place, isWhole: true };
  }

  #position(offset: number): SourcePosition {
    this.#lines ??= [0, ...[...this.#text.matchAll(/\n/g)].map((newline) => newline.index + 1)];
    const after = this.#lines.findIndex((start) => start > offset);
    const line = after < 0 ? this.#lines.length : after;
    return { file: this.#file, line, column: offset - (this.#lines[line - 1] ?? 0) + 1 };
  }
}

interface Name {
  readonly text: string;
  readonly at: number;
}

/** Every loop consumes at least one character a turn, so that the scan of any text comes to an end. */
class Scanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  document(): Place {
    const root = newPlace(0);
    let table = root;
    for (this.#blank(); this.#at < this.#text.length; this.#blank()) {
      if (this.#text[this.#at] === '[') table = this.#header(root);
      else this.#pair(table);
    }
    return root;
  }

  /** `[a.b]` or `[[a.b]]`: the place of the table that follows. */
  #header(root: Place): Place {
    const start = this.#at;
    const isArray = this.#text.startsWith('[[', start);
    this.#at += isArray ? 2 : 1;
    const names = this.#names();
    this.#at += isArray ? 2 : 1;
    const place = descend(root, names);
    if (!isArray || place.value === undefined) {
      place.key = names.at(-1)?.at ?? start;
      place.value = start;
    }
    if (!isArray) return place;
    const element = newPlace(start, start);
    place.children.set(place.tables++, element);
    return element;
  }

  #pair(table: Place): void {
    const place = descend(table, this.#names());
    this.#at++;
    this.#spaces();
    this.#value(place);
  }

  /** The parts of a key, up to the character that ends it. */
  #names(): readonly Name[] {
    const names: Name[] = [];
    do {
      if (names.length > 0) this.#at++;
      this.#spaces();
      const at = this.#at;
      const quote = this.#text[at];
      if (quote === '"' || quote === "'") {
        this.#string();
        const inner = this.#text.slice(at + 1, this.#at - 1);
        names.push({ text: quote === '"' ? unescaped(inner) : inner, at });
      } else {
        this.#run(/[\w-]*/y);
        names.push({ text: this.#text.slice(at, this.#at), at });
      }
      this.#spaces();
    } while (this.#text[this.#at] === '.');
    return names;
  }

  #value(place: Place): void {
    const start = this.#at;
    place.value = start;
    switch (this.#text[start]) {
      case '[':
        this.#elements(']', (index) => {
          const element = newPlace(this.#at);
          place.children.set(index, element);
          this.#value(element);
        });
        break;
      case '{':
        this.#elements('}', () => this.#pair(place));
        break;
      case '"':
      case "'":
        this.#string();
        break;
      default:
        // A date and its time may stand with a space between them; a number or a word ends at the same marks.
        this.#at++;
        this.#run(/[^,\]}#\r\n]*/y);
    }
  }

  /** What stands between two brackets, separated by commas. */
  #elements(close: string, element: (index: number) => void): void {
    this.#at++;
    this.#blank();
    for (let index = 0; this.#at < this.#text.length && this.#text[this.#at] !== close; index++) {
      element(index);
      this.#blank();
      if (this.#text[this.#at] === ',') this.#at++;
      this.#blank();
    }
    this.#at++;
  }

  #string(): void {
    const quote = this.#text[this.#at] ?? '';
    const isLong = this.#text.startsWith(quote.repeat(3), this.#at);
    const close = isLong ? quote.repeat(3) : quote;
    this.#at += close.length;
    while (this.#at < this.#text.length && !this.#text.startsWith(close, this.#at)) {
      this.#at += quote === '"' && this.#text[this.#at] === '\\' ? 2 : 1;
    }
    this.#at += close.length;
    // The last one or two quotes of a long string may be its content.
    if (isLong) this.#run(quote === '"' ? /"{0,2}/y : /'{0,2}/y);
  }

  #spaces(): void {
    this.#run(/[ \t]*/y);
  }

  #blank(): void {
    this.#run(/(?:[ \t\r\n]|#[^\n]*)*/y);
  }

  #run(pattern: RegExp): void {
    pattern.lastIndex = this.#at;
    if (pattern.test(this.#text)) this.#at = pattern.lastIndex;
  }
}

function newPlace(key: number, value?: number): Place {
  return { key, value, tables: 0, children: new Map() };
}

/** The place that a dotted key leads to; on the way an array of tables stands for its last element. */
function descend(from: Place, names: readonly Name[]): Place {
  let place = from;
  for (const { text, at } of names) {
    if (place.tables > 0) place = place.children.get(place.tables - 1) ?? place;
    let next = place.children.get(text);
    if (next === undefined) {
      next = newPlace(at);
      place.children.set(text, next);
    }
    place = next;
  }
  return place;
}

const ESCAPES: Readonly<Record<string, string>> = { b: '\b', t: '\t', n: '\n', f: '\f', r: '\r', e: '\x1b' };

function unescaped(text: string): string {
  return text.replace(/\\(?:x(\w{2})|u(\w{4})|U(\w{8})|(.))/g, (whole, x, u, U, char) => {
    const point = Number.parseInt(x ?? u ?? U ?? '', 16);
    if (char !== undefined) return ESCAPES[char] ?? char;
    return point <= 0x10ffff ? String.fromCodePoint(point) : whole;
  });
}

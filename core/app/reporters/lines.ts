/** From the bytes that tasks print to lines, and a store for lines that does not grow without bound. */

/** A line that is longer is cut into several: a task that prints no line break must not fill the memory. */
const LONGEST = 1 << 16;

/** Splits bytes into lines, whatever the borders of the chunks; bytes that are not UTF-8 become U+FFFD. */
export class LineSplitter {
  readonly #decoder = new TextDecoder();
  #rest = '';

  /** The lines that end in this chunk, without their line breaks. */
  push(chunk: Uint8Array): readonly string[] {
    return this.#take(this.#decoder.decode(chunk, { stream: true }));
  }

  /** What is left after the last line break, if anything. */
  end(): readonly string[] {
    const lines = [...this.#take(this.#decoder.decode()), this.#rest];
    this.#rest = '';
    return lines.at(-1) === '' ? lines.slice(0, -1) : lines;
  }

  #take(text: string): readonly string[] {
    const lines = text.split('\n');
    lines[0] = this.#rest + (lines[0] ?? '');
    this.#rest = lines.pop() ?? '';
    while (this.#rest.length > LONGEST) {
      lines.push(this.#rest.slice(0, LONGEST));
      this.#rest = this.#rest.slice(LONGEST);
    }
    return lines;
  }
}

/** Characters that are kept of the beginning and of the end of a log. */
const KEPT_HEAD = 1 << 18;
const KEPT_TAIL = 1 << 20;

/** The lines of one task until they are shown: the beginning and the end of them, if there are very many. */
export class Log {
  readonly #splitter = new LineSplitter();
  readonly #head: string[] = [];
  readonly #tail: string[] = [];
  #headSize = 0;
  #tailSize = 0;
  /** Lines at the beginning of the tail that are given up. */
  #dropped = 0;
  #gone = 0;

  push(chunk: Uint8Array): void {
    for (const line of this.#splitter.push(chunk)) this.#add(line);
  }

  /** All lines, once the task is over. What was left out is replaced by one line that says so. */
  end(): readonly string[] {
    for (const line of this.#splitter.end()) this.#add(line);
    const tail = this.#tail.slice(this.#dropped);
    return this.#gone === 0 ? [...this.#head, ...tail] : [...this.#head, `… ${this.#gone} lines left out …`, ...tail];
  }

  #add(line: string): void {
    const size = line.length + 1;
    if (this.#tail.length === 0 && this.#headSize + size <= KEPT_HEAD) {
      this.#head.push(line);
      this.#headSize += size;
      return;
    }
    this.#tail.push(line);
    this.#tailSize += size;
    while (this.#tailSize > KEPT_TAIL) {
      this.#tailSize -= (this.#tail[this.#dropped] ?? '').length + 1;
      this.#dropped++;
      this.#gone++;
    }
    if (this.#dropped > 1 << 12 && this.#dropped * 2 > this.#tail.length) {
      this.#tail.splice(0, this.#dropped);
      this.#dropped = 0;
    }
  }
}

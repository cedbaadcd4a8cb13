/** Small projects on disk, and texts in which `▸` marks the places where errors are expected. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import * as assert from 'uvu/assert';
import { type Config, loadConfig } from '../../../core/app/config/load.ts';
import { ConfigErrors } from '../../../core/base/errors.ts';

/** Writes files into a new folder, which stands for the home folder too, and removes it after `body`. */
export function inHome<T>(files: Readonly<Record<string, string>>, body: (home: string) => T): T {
  const home = realpathSync(mkdtempSync(join(tmpdir(), 'fleche-')));
  try {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(home, name)), { recursive: true });
      writeFileSync(join(home, name), text);
    }
    return body(home);
  } finally {
    rmSync(home, { recursive: true });
  }
}

/** Loads a project that has nothing but this configuration. */
export function load(text: string): Config {
  return inHome({ 'p/fleche.config.toml': text }, (home) => loadConfig(join(home, 'p'), { home }));
}

/** What `body` throws: all errors as `CODE line:column message`, and the hints. */
export function thrown(body: () => unknown): { readonly errors: readonly string[]; readonly hints: readonly string[] } {
  try {
    body();
  } catch (error) {
    if (!(error instanceof ConfigErrors)) throw error;
    return {
      errors: error.errors.map(({ code, message, at }) => `${code} ${at?.line}:${at?.column} ${message}`),
      hints: error.errors.map(({ hint }) => hint ?? ''),
    };
  }
  return { errors: [], hints: [] };
}

/** Takes the marks out of a text; each becomes `line:column`. */
export function marked(text: string): { readonly text: string; readonly places: readonly string[] } {
  const [first = '', ...others] = text.split('▸');
  let before = first;
  const places = others.map((part) => {
    const lines = before.split('\n');
    before += part;
    return `${lines.length}:${(lines.at(-1) ?? '').length + 1}`;
  });
  return { text: before, places };
}

/** Text with marks, and for each of them what is said there: code, message and hint. */
export type Case = readonly [text: string, ...said: (readonly [code: string, message: string, hint: string])[]];

/** Checks that each text has exactly the errors that are told, at the marks. */
export function assertErrors(cases: readonly Case[]): void {
  for (const [withMarks, ...said] of cases) {
    const { text, places } = marked(withMarks);
    assert.is(places.length, said.length, `as many marks as errors in ${withMarks}`);
    const found = thrown(() => load(text));
    const wanted = said.map(([code, message], at) => `${code} ${places[at]} ${message}`);
    assert.equal(found.errors, wanted, withMarks);
    assert.equal(
      found.hints,
      said.map(([, , hint]) => hint),
      withMarks,
    );
  }
}

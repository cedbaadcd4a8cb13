/**
 * Random files that include each other, random edits, and a model of what must come out and when the task must run: if
 * and only if nothing on file was made of the very files that it reaches now. One of them is written by another task.
 */
import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { RelPath } from '../../../core/base/paths.ts';
import { onSite, type Site } from '../_site.ts';

const FILES = ['a', 'b', 'c', 'sub/d'] as const;
/** What the other task makes of `seed`: its first character. */
const MADE = 'made';

/** `+x` includes x; anything else is copied. Every file that is looked for is listed. */
const SCRIPT = [
  'say cat',
  'visit() { case " $seen " in *" $1 "*) return;; esac; seen="$seen $1"',
  'if [ ! -f "$1" ]; then echo "?$1" >>list; return; fi; echo "$1" >>list',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the shell's
  'for word in $(cat "$1"); do case "$word" in +*) visit "${word#+}";; *) echo "$word" >>out;; esac; done; }',
  ': >list; : >out; seen=; visit main',
].join('\n');

const TASKS = {
  make: { run: 'say make; head -c1 seed >made', inputs: ['seed'], outputs: [MADE] },
  cat: {
    run: SCRIPT,
    needs: ['make'],
    inputs: ['main'],
    outputs: ['out'],
    discovered: { form: 'list', file: 'list' as RelPath },
  },
} as const;

type Files = ReadonlyMap<string, string>;

/** What the task writes, and all that it looks at. */
function model(files: Files): { readonly out: string; readonly question: string } {
  const seen = new Map<string, string | undefined>();
  let out = '';
  const visit = (path: string): void => {
    if (seen.has(path)) return;
    const text = files.get(path);
    seen.set(path, text);
    for (const word of text?.split(' ').filter((word) => word !== '') ?? []) {
      if (word.startsWith('+')) visit(word.slice(1));
      else out += `${word}\n`;
    }
  };
  visit('main');
  // What is needed is part of the question whether it is looked at or not.
  seen.set(MADE, files.get(MADE));
  return { out, question: JSON.stringify([...seen].sort()) };
}

const text = fc
  .array(fc.constantFrom('x', 'y', ...[...FILES, MADE].map((path) => `+${path}`)), { maxLength: 3 })
  .map((words) => words.join(' '));
const edit = fc.oneof(
  { weight: 4, arbitrary: fc.record({ path: fc.constantFrom('main', ...FILES), text }) },
  { weight: 2, arbitrary: fc.record({ path: fc.constantFrom(...FILES), text: fc.constant(undefined) }) },
  { weight: 1, arbitrary: fc.record({ path: fc.constant('seed'), text: fc.constantFrom('x', 'xy', 'y') }) },
  { weight: 1, arbitrary: fc.record({ path: fc.constant('state'), text: fc.constant(undefined) }) },
);

function apply(site: Site, files: Map<string, string>, path: string, text: string | undefined): void {
  if (path === 'state') return site.forget();
  if (text !== undefined) {
    site.write({ [path]: text });
    files.set(path, text);
    if (path === 'seed') files.set(MADE, text.slice(0, 1));
  } else if (files.delete(path)) site.remove(path);
}

test('the task runs if and only if what it reaches is new, and its output is always right', async () => {
  await fc.assert(
    fc.asyncProperty(text, fc.array(edit, { minLength: 4, maxLength: 10 }), async (main, edits) => {
      await onSite(TASKS, { main, seed: 'x' }, async (site) => {
        const files = new Map([
          ['main', main],
          ['seed', 'x'],
          [MADE, 'x'],
        ]);
        const asked = new Set<string>();
        for (const { path, text } of [{ path: 'main', text: main }, ...edits]) {
          apply(site, files, path, text);
          const { out, question } = model(files);
          const { outcomes, log, warnings } = await site.run();
          assert.equal(warnings, []);
          assert.is(site.read('out'), out);
          assert.is(outcomes['cat'], asked.has(question) ? 'cached' : 'ran', question);
          assert.is(log.includes('cat'), !asked.has(question));
          asked.add(question);
        }
      });
    }),
    { numRuns: process.env['FLECHE_TEST_PROFILE'] === 'nightly' ? 500 : 25 },
  );
});

test.run();

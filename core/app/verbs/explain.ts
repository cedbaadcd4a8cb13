/** `fleche explain`: what an error code means, from the page that lists them all. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { FlecheError } from '../../base/errors.ts';
import { suggest } from '../../base/nearest.ts';
import { EXIT } from '../cli/exit-code.ts';
import type { VerbContext } from '../cli/verb.ts';
import { columnsText } from '../terminal/columns.ts';
import { styleFor } from '../terminal/style.ts';

/** Put in place by the build, which stands in another folder than the source. */
declare const FLECHE_VERSION: string | undefined;

const PAGE = typeof FLECHE_VERSION === 'string' ? '../core/ERRORS.md' : '../../ERRORS.md';

export async function explain({ invocation, machine }: VerbContext): Promise<number> {
  const { stdout } = machine;
  const style = styleFor(stdout);
  const rows = explanations(readFileSync(fileURLToPath(new URL(PAGE, import.meta.url)), 'utf8'));
  const [word] = invocation.args;
  if (word === undefined) {
    stdout.write(
      columnsText(
        [{ title: 'CODE' }, { title: 'MEANING' }],
        rows.map(({ code, meaning }) => [code, meaning]),
        style,
      ),
    );
    return EXIT.done;
  }
  const code = word.toUpperCase();
  const row = rows.find((row) => row.code === code);
  if (row === undefined) {
    throw new FlecheError('USAGE', `there is no error code "${word}"`, {
      hint: suggest(
        code,
        rows.map(({ code }) => code),
      ),
    });
  }
  stdout.write(`${style.bold(row.code)}\n${row.meaning}\n${row.remedy}\n`);
  return EXIT.done;
}

export interface Explanation {
  readonly code: string;
  readonly meaning: string;
  readonly remedy: string;
}

/** The rows of the tables of a page. */
export function explanations(page: string): readonly Explanation[] {
  return [...page.matchAll(/^\| `([A-Z_]+)` \| (.*?) \| (.*?) \|$/gm)].map(
    ([, code = '', meaning = '', remedy = '']) => ({
      code,
      meaning: meaning.replaceAll('`', ''),
      remedy: remedy.replaceAll('`', ''),
    }),
  );
}

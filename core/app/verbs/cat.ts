/** `fleche cat`: what is stored under a digest. */
import { isUtf8 } from 'node:buffer';
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { inspect } from 'node:util';
import { FlecheError } from '../../base/errors.ts';
import { isDigest } from '../../base/hash.ts';
import { Cache } from '../../call/caches/cache.ts';
import { expand } from '../../call/prefix.ts';
import { parseTree } from '../../files/trees/tree.ts';
import { decodeValue } from '../../store/codecs/value-codec.ts';
import { EXIT } from '../exit-code.ts';
import { harmless } from '../terminal/text.ts';
import type { VerbContext } from '../verb.ts';

/** A file or log as it is, a tree as its list, a value as text; with `--output` the very bytes. */
export async function cat(context: VerbContext): Promise<number> {
  const { invocation, machine } = context;
  const project = await context.open();
  try {
    const { values, calls } = project.stores();
    const cache = new Cache(values, calls);
    const prefix = invocation.args[0] ?? '';
    const digest = isDigest(prefix) ? prefix : await expand(cache, prefix);
    const blob = values.target(digest) ?? digest;
    const bytes = values.get(blob);
    if (bytes === undefined) throw new FlecheError('DIGEST_UNKNOWN', `nothing is stored under ${prefix}`);
    const file = invocation.text('output');
    if (file !== undefined) writeFileSync(resolve(machine.cwd, file), bytes);
    else machine.stdout.write(textOf(bytes, values.target(digest) !== undefined));
    return EXIT.done;
  } finally {
    await project.close();
  }
}

function textOf(bytes: Uint8Array, isValue: boolean): string {
  if (isValue) return `${inspect(decodeValue(bytes), { depth: 10, maxArrayLength: 1000 })}\n`;
  if (!isUtf8(bytes)) {
    throw new FlecheError('USAGE', 'what is stored there is not text', { hint: 'Write it to a file: --output FILE' });
  }
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
  try {
    const { entries } = parseTree(text);
    return entries
      .map(
        (entry) =>
          `${entry.kind.padEnd(6)} ${'digest' in entry ? (entry.digest ?? '') : ''}  ${harmless(entry.path)}\n`,
      )
      .join('');
  } catch {
    // Not a tree: a file or a log, as it is.
    return text;
  }
}

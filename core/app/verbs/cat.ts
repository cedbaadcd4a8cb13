/** `fleche cat`: what is stored under a digest. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { resolve } from 'node:path';
import { inspect } from 'node:util';
import { FlecheError } from '../../base/errors.ts';
import { expandStored } from '../../call/prefix.ts';
import { parseTree, TREE_HEADER } from '../../files/trees/tree.ts';
import { decodeValue } from '../../store/codecs/value-codec.ts';
import { EXIT } from '../cli/exit-code.ts';
import type { VerbContext } from '../cli/verb.ts';
import type { Project } from '../project.ts';
import { taskNamed } from '../selection/targets.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { harmless } from '../terminal/text.ts';

/** A file or log as it is, a tree as its list, a value as text; with `--output` the very bytes. */
export async function cat(context: VerbContext): Promise<number> {
  const { invocation, machine } = context;
  const project = await context.open();
  try {
    const { values } = project.stores();
    const prefix = invocation.args[0] ?? '';
    if (!/^[0-9a-f]+$/i.test(prefix)) throw noDigest(prefix, project);
    const digest = await expandStored(values, prefix);
    const alias = values.target(digest);
    const pieces = values.pieces(alias ?? digest);
    if (pieces === undefined)
      throw new FlecheError('DIGEST_UNKNOWN', `nothing is stored under ${prefix}`, {
        hint: 'Its content may have been removed by gc; run the task that makes it again.',
      });
    const file = invocation.text('output');
    if (file !== undefined) writeBytes(resolve(machine.cwd, file), pieces);
    else if (alias !== undefined) machine.stdout.write(valueText(pieces));
    else await writeText(pieces, machine.stdout);
    return EXIT.done;
  } finally {
    await project.close();
  }
}

function noDigest(word: string, project: Project): FlecheError {
  const task = taskNamed(word, project);
  return new FlecheError('USAGE', `"${word}" is no digest`, {
    hint:
      task === undefined
        ? 'Write a digest or the beginning of one, as fleche show prints it.'
        : `See the digests of what the task made: fleche show ${word}`,
  });
}

function writeBytes(path: string, pieces: Iterable<Uint8Array>): void {
  const fd = openSync(path, 'w');
  try {
    for (const piece of pieces) for (let at = 0; at < piece.length; ) at += writeSync(fd, piece, at);
  } finally {
    closeSync(fd);
  }
}

function valueText(pieces: Iterable<Uint8Array>): string {
  return `${inspect(decodeValue(Buffer.concat([...pieces])), { depth: 10, maxArrayLength: 1000 })}\n`;
}

async function writeText(pieces: Iterable<Uint8Array>, stdout: Terminal): Promise<void> {
  const list = listOf(pieces);
  if (list !== undefined) {
    stdout.write(list);
    return;
  }
  // Nothing of what is no text is to reach the terminal.
  for (const _ of textOf(pieces));
  for (const text of textOf(pieces)) await stdout.write(text);
}

/** A tree as its list; undefined for what is none. */
function listOf(pieces: Iterable<Uint8Array>): string | undefined {
  const [first = new Uint8Array()] = pieces;
  if (!Buffer.from(first).toString('latin1').startsWith(TREE_HEADER)) return undefined;
  try {
    const { entries } = parseTree(Buffer.concat([...pieces]).toString());
    return entries
      .map(
        (entry) =>
          `${entry.kind.padEnd(6)} ${'digest' in entry ? (entry.digest ?? '') : ''}  ${harmless(entry.path)}\n`,
      )
      .join('');
  } catch {
    // A file that begins like one.
    return undefined;
  }
}

/** Throws `USAGE` for what is no text. */
function* textOf(pieces: Iterable<Uint8Array>): Generator<string, void, undefined> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  try {
    for (const piece of pieces) yield decoder.decode(piece, { stream: true });
    yield decoder.decode();
  } catch {
    throw new FlecheError('USAGE', 'what is stored there is not text', { hint: 'Write it to a file: --output FILE' });
  }
}

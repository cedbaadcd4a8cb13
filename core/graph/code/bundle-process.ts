/**
 * The program that bundles for those who cannot wait: takes a job from standard input, writes one reply to descriptor 3,
 * ends. A fault of one entry is told of that entry alone.
 */
import { readFileSync, writeSync } from 'node:fs';
import { decode } from '../../base/decode.ts';
import { encode } from '../../base/encode.ts';
import { FlecheError, messageOf } from '../../base/errors.ts';
import { bundle } from './bundle.ts';
import type { BundleJob, BundleReply } from './bundle-now.ts';

const REPLY = 3;

async function replies({ root, entries }: BundleJob): Promise<readonly BundleReply[]> {
  try {
    return await bundle(root, entries, 'digest', Date.now);
  } catch (error) {
    if (entries.length === 1) return [faultOf(error)];
  }
  const each: BundleReply[] = [];
  for (const entry of entries) each.push(...(await replies({ root, entries: [entry] })));
  return each;
}

function faultOf(error: unknown): BundleReply {
  if (!(error instanceof FlecheError)) return { code: 'CODE_UNRESOLVED', message: messageOf(error) };
  const { code, message, hint, at } = error;
  return { code, message, hint, at };
}

const bytes = encode(await replies(decode(readFileSync(0)) as BundleJob));
for (let written = 0; written < bytes.length; ) written += writeSync(REPLY, bytes, written);

/**
 * The same as `bundle`, for those who cannot wait, such as a synchronous function that is called: in a process of its
 * own, because esbuild has no plugins where it answers at once. Costs a start of Node beside the work itself.
 */
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { decode } from '../../base/decode.ts';
import { encode } from '../../base/encode.ts';
import { type ErrorCode, FlecheError, type FlecheErrorOptions, messageOf } from '../../base/errors.ts';
import type { AbsPath } from '../../base/paths.ts';
import { programOf } from '../../files/program.ts';
import type { Bundle } from './bundle.ts';
import type { Entry } from './bundle-reader.ts';

export interface BundleJob {
  readonly root: AbsPath;
  readonly entries: readonly Entry[];
}

/** A bundle, or what is wrong with its entry. */
export type BundleReply =
  | Bundle
  | (Pick<FlecheErrorOptions, 'hint' | 'at'> & { readonly code: ErrorCode; readonly message: string });

/** A project of any size is bundled within seconds; what takes longer will not end, ms. */
const PATIENCE = 60_000;
const LARGEST_REPLY = 2 ** 30;

/**
 * Bundles entries for their digests; what is wrong with one stands in its place, `CODE_UNRESOLVED`. `root` must be a real
 * path. Throws `CODE_UNRESOLVED` if nothing can be bundled here.
 */
export function bundleNow(root: AbsPath, entries: readonly Entry[]): readonly (Bundle | FlecheError)[] {
  const job: BundleJob = { root, entries };
  const replies = decode(run(encode(job), root)) as readonly BundleReply[];
  return replies.map((reply) => ('code' in reply ? new FlecheError(reply.code, reply.message, reply) : reply));
}

function run(input: Uint8Array, cwd: AbsPath): Uint8Array {
  // Takes longer to load than many a run has to last, and few need it.
  const { spawnSync } = createRequire(import.meta.url)('node:child_process') as typeof import('node:child_process');
  const { file, loader } = programOf(new URL('./bundle-process.ts', import.meta.url));
  const args = [...(loader === undefined ? [] : ['--import', loader.href]), fileURLToPath(file)];
  let why: unknown;
  try {
    const { output, stderr, error } = spawnSync(process.execPath, args, {
      cwd,
      input,
      stdio: ['pipe', 'ignore', 'pipe', 'pipe'],
      timeout: PATIENCE,
      maxBuffer: LARGEST_REPLY,
      windowsHide: true,
    });
    const reply: unknown = output?.[3];
    if (reply instanceof Uint8Array && reply.length > 0 && error === undefined) return reply;
    why = error ?? stderr.toString().trim();
  } catch (error) {
    // Node was told not to start processes.
    why = error;
  }
  throw new FlecheError('CODE_UNRESOLVED', `code could not be bundled: ${messageOf(why)}`, {
    hint: 'That takes a process of its own. May Node start one here?',
    cause: why,
  });
}

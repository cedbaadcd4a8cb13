/** Names of any kind as names of folders: safe on every system, and never two for one. */
import { digest } from './digest.ts';

/** What can be a folder's name as it is. Lower case only: some file systems do not tell the cases apart. */
const PLAIN = /^[a-z0-9][a-z0-9_-]{0,59}$/;
/** Names of devices on Windows. */
const DEVICE = /^(?:con|prn|aux|nul|com\d|lpt\d)$/;

/** The name itself if it is plain, else what can be read of it, `~` (which no plain name has) and 128 bits of its digest. */
export function folderName(name: string): string {
  if (PLAIN.test(name) && !DEVICE.test(name)) return name;
  const readable = name
    .slice(0, 200)
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '')
    .slice(0, 30);
  return `${readable}~${digest(name).slice(0, 32)}`;
}

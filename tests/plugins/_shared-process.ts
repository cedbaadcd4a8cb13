/** A build in a process of its own: `_shared-process.ts BUNDLER ROOT CACHE`. Prints what became of it. */
import { LocalCache } from '../../core/call/caches/local-cache.ts';
import { type Bundler, buildMarked } from './_marking.ts';

const [bundler, root = '', folder = ''] = process.argv.slice(2);
const warnings: string[] = [];
const cache = new LocalCache(folder);
const built = await buildMarked(bundler as Bundler, root, { cache, onWarning: (text) => warnings.push(text) });
await cache.close();
console.log(JSON.stringify({ ...built, warnings }));

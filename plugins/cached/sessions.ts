/**
 * What one plugin did for one file in one environment. Plugins keep what they found in a file for the parts of it that
 * are asked for later (`a.vue`, then `a.vue?vue&type=style`): so a later call depends on the earlier ones, and before it
 * is made those that were answered from the cache are made up for.
 */
import { type Digest, type Part, sha256 } from '../../core/index.ts';
import type { Made, Whole } from './hooks.ts';

interface Main {
  readonly asked: readonly Part[];
  /** Undefined for a call that cannot be cached. */
  readonly filed: Whole | undefined;
}

const NOTHING = sha256('');

export class Session {
  readonly #mains = new Map<string, Main>();
  readonly #asked = new Map<string, readonly Part[]>();
  /** Calls that were answered from the cache, in their order. */
  #skipped = new Map<string, () => Promise<unknown>>();
  readonly watched: Set<string> = new Set();

  /** A digest of the calls that this one comes after. */
  before(hook: string, id: string): Digest {
    let earlier = '';
    for (const [name, { filed }] of this.#mains)
      if (isPart(id) || (name === 'load' && hook === 'transform')) earlier += `,${name} ${filed?.key}`;
    return earlier === '' ? NOTHING : sha256(earlier.slice(1));
  }

  /** What was answered for the whole module, if this call is for a part of it. */
  whole(id: string): Whole | undefined {
    return isPart(id) ? [...this.#mains.values()].at(-1)?.filed : undefined;
  }

  /** Why a call cannot be cached because of those before it. `parts` are what is known of it. */
  obstacle(hook: string, id: string, parts: readonly Part[]): string | undefined {
    if (isPart(id)) {
      const isOpen = [...this.#mains.values()].some(({ filed }) => filed === undefined);
      return isOpen ? 'the call for the whole module cannot be cached' : undefined;
    }
    const earlier = this.#mains.get(hook);
    this.#asked.set(hook, parts);
    if (earlier === undefined || areSame(earlier.asked, parts)) return undefined;
    return 'the module changed in this process, so that the plugin may compare it with what it was';
  }

  done(hook: string, id: string, made: Made, again: () => Promise<unknown>): void {
    for (const path of made.watched) this.watched.add(path);
    const asked = this.#asked.get(hook);
    if (!isPart(id) && asked !== undefined) {
      this.#mains.set(hook, { asked, filed: made.filed });
      if (made.isHit) this.#skipped.set(hook, again);
    }
  }

  /** Whether calls were answered from the cache, of which the plugin knows nothing. */
  get isBehind(): boolean {
    return this.#skipped.size > 0;
  }

  /** Makes the calls that were answered from the cache, for what the plugin keeps of them. */
  async catchUp(): Promise<void> {
    const skipped = [...this.#skipped.values()];
    this.#skipped = new Map();
    for (const again of skipped) {
      try {
        await again();
      } catch {
        // It succeeded when it was recorded; what is wrong now shows in the call that follows.
      }
    }
  }
}

function areSame(some: readonly Part[], others: readonly Part[]): boolean {
  return some.length === others.length && some.every(({ digest }, at) => digest === others[at]?.digest);
}

/** Whether an id names part of a module. */
function isPart(id: string): boolean {
  return id.includes('?');
}

export class Sessions {
  readonly #sessions = new Map<string, Session>();

  of(environment: string, file: string): Session {
    const name = `${environment}\n${file}`;
    let session = this.#sessions.get(name);
    if (session === undefined) {
      session = new Session();
      this.#sessions.set(name, session);
    }
    return session;
  }

  /** Catches up with all that was done for a file, or with its help. */
  async catchUpWith(file: string): Promise<void> {
    for (const [name, session] of this.#sessions) {
      if (name.endsWith(`\n${file}`) || session.watched.has(file)) await session.catchUp();
    }
  }
}

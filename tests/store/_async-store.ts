/** A values store whose every answer comes later, as that of a server does. */
import type { ValueStore } from '../../core/store/values.ts';

export function answeringLater(store: ValueStore): ValueStore {
  return {
    location: store.location,
    has: async (digest) => store.has(digest),
    get: async (digest) => store.get(digest),
    put: async (digest, bytes) => store.put(digest, bytes),
    delete: async (digest) => store.delete(digest),
    alias: async (value, blob) => store.alias(value, blob),
    target: async (value) => store.target(value),
    unalias: async (value) => store.unalias(value),
    async *list() {
      yield* store.list();
    },
    async *aliases() {
      yield* store.aliases();
    },
    matching: async (prefix, limit) => store.matching(prefix, limit),
    flush: async () => store.flush(),
    close: async () => store.close(),
  };
}

/**
 * Calls that have to be made: by one process at a time, the others find its answer. A caller's arguments may change while
 * something is waited for; what was asked is then no longer what would be run, and nothing is filed under its key.
 */
import { type Awaitable, chain, isPromise } from '../../../base/awaitable.ts';
import type { Key } from '../../../base/hash.ts';
import type { BaseCache } from '../../caches/base-cache.ts';
import { inScope } from '../../context.ts';
import type { Trouble } from '../../trouble.ts';
import type { Turn, Turns, Waited } from '../turns/turns.ts';
import type { Answers, Entry } from './answers.ts';
import { handed } from './answers.ts';
import type { Asking } from './asking.ts';
import type { Making } from './making.ts';
import type { Question } from './question.ts';

interface ExecutionParts {
  readonly answers: Answers;
  readonly turns: Turns;
  readonly making: Making;
  readonly trouble: Trouble;
  /** The key that a call has by now; undefined if that cannot be told. */
  readonly ask: (asking: Asking) => Awaitable<Key | undefined>;
  /** ms since the epoch. */
  readonly now: () => number;
}

/** How a call is made that is not on file. */
interface Circumstances {
  /** Something was waited for since the call was asked. */
  readonly late: boolean;
  /** Whether its callers get a promise, so that waiting need not block the thread. */
  readonly isAsync: boolean;
  /** What to do when another process takes too long. */
  readonly onTimeout: () => unknown;
}

export class Executions {
  readonly #parts: ExecutionParts;

  constructor(parts: ExecutionParts) {
    this.#parts = parts;
  }

  /** Makes a call whatever is on file. */
  force(asking: Asking, question: Question): unknown {
    const { turns, making } = this.#parts;
    const turn = turns.try(asking.cache, question.key);
    return making.make(asking, question, typeof turn === 'string' ? undefined : turn);
  }

  /** Makes a call that is not on file, unless another process makes it meanwhile. */
  make(asking: Asking, question: Question, circumstances: Circumstances): unknown {
    const { turns, making, now } = this.#parts;
    const { late, isAsync, onTimeout } = circumstances;
    const { cache } = asking;
    const { key } = question;
    const since = now();
    const tried = turns.try(cache, key);
    if (tried === 'free') return late ? this.makeLate(asking, question) : making.make(asking, question, undefined);
    if (tried !== 'taken') return this.#inTurn(asking, question, tried, { since, late });
    const go = (waited: Waited): unknown => {
      if (waited === 'timeout') return onTimeout();
      if (waited === 'free') return this.makeLate(asking, question);
      return this.#inTurn(asking, question, waited, { since, late: true });
    };
    return isAsync ? turns.waitLater(cache, key).then(go) : go(turns.wait(cache, key));
  }

  /** Makes a call for which something was waited, unless its arguments were changed meanwhile: then it is only run. */
  makeLate(asking: Asking, question: Question, turn?: Turn): unknown {
    const { making, ask } = this.#parts;
    return chain(ask(asking), (key) => {
      if (key === question.key) return making.make(asking, question, turn);
      turn?.end();
      asking.outcome = 'bypassed';
      return making.bypass(asking);
    });
  }

  /** It is our turn. Somebody may have had it just before, so there is another look. */
  #inTurn(asking: Asking, question: Question, turn: Turn, when: { since: number; late: boolean }): unknown {
    const { making } = this.#parts;
    const go = (made: Made | undefined): unknown => {
      if (made !== undefined) {
        turn.end();
        asking.outcome = turn.waited ? 'coalesced' : 'hit';
        return made();
      }
      return when.late ? this.makeLate(asking, question, turn) : making.make(asking, question, turn);
    };
    const end = (error: unknown): never => {
      turn.end();
      throw error;
    };
    try {
      const made = this.#madeMeanwhile(asking, question.key, turn, when.since);
      return isPromise(made) ? making.awaited(made).then(go).catch(end) : go(made);
    } catch (error) {
      return end(error);
    }
  }

  /** What others made, if it may be served: also an error, if it came about since this caller began to wait. */
  #madeMeanwhile(asking: Asking, key: Key, turn: Turn, since: number): Awaitable<Made | undefined> {
    const { answers } = this.#parts;
    return chain(this.#newest(asking.cache, key, turn), (entry): Awaitable<Made | undefined> => {
      if (entry === undefined) return undefined;
      const { record, found } = entry;
      if (record.failure !== null) {
        if (!turn.waited || record.filed < since || !found.found) return undefined;
        return () => thrown(found.value, record.promised);
      }
      if (answers.state(entry, asking.controls.maxAge) === 'expired') return undefined;
      return chain(answers.isValid(entry), (valid) => (valid ? () => handed(entry) : undefined));
    });
  }

  #newest(cache: BaseCache, key: Key, turn: Turn): Awaitable<Entry | undefined> {
    const look = (): Awaitable<Entry | undefined> => {
      turn.refresh();
      return this.#parts.answers.newest(cache, key, turn.left);
    };
    return this.#parts.trouble.attempt(look, undefined);
  }

  /** Makes an answer anew behind the callers' back. False if somebody else does or did, or if it can no longer be asked. */
  refresh(asking: Asking, question: Question): Awaitable<boolean> {
    const { turns, making, answers, ask } = this.#parts;
    const { cache, collectors } = asking;
    const make = (turn: Turn | undefined): Awaitable<boolean> =>
      inScope({ cache, collectors, rerun: undefined }, () => chain(making.make(asking, question, turn), () => true));
    return chain(ask(asking), (key) => {
      const turn = key === question.key ? turns.try(cache, question.key) : 'taken';
      if (turn === 'taken') return false;
      if (turn === 'free') return make(undefined);
      return chain(this.#newest(cache, question.key, turn), (entry) => {
        if (entry === undefined || answers.state(entry, Number.POSITIVE_INFINITY) !== 'fresh') return make(turn);
        turn.end();
        return false;
      });
    });
  }
}

/** Gives out, or throws, what somebody else made. */
type Made = () => unknown;

function thrown(error: unknown, promised: boolean): Promise<never> {
  if (promised) return Promise.reject(error);
  throw error;
}

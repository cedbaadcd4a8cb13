/** Threads of one function that is called many times: a call takes one that is idle, or a new one. */
import { FunctionThread, type ThreadOptions } from './function-thread.ts';

export class FunctionThreads {
  #idle: FunctionThread[] = [];

  /** All calls have the same options. */
  take(options: Omit<ThreadOptions, 'onIdle'>): FunctionThread {
    return this.#idle.pop() ?? new FunctionThread({ ...options, onIdle: (thread) => this.#idle.push(thread) });
  }

  /** Ends the threads. To be called when all calls are over. */
  async close(): Promise<void> {
    const idle = this.#idle;
    this.#idle = [];
    await Promise.all(idle.map((thread) => thread.end()));
  }
}

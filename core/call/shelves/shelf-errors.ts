/** The errors of shelves, in words. */
import { FlecheError, messageOf } from '../../base/errors.ts';

/** What is kept could not be read, or only in part. */
export function unreadable(name: string, cause: unknown, part = ''): FlecheError {
  return new FlecheError('SHELF_UNREADABLE', `shelf "${name}" could not be read${part}: ${messageOf(cause)}`, {
    cause,
  });
}

export function unsaved(name: string, cause: unknown): FlecheError {
  return new FlecheError('SHELF_UNSAVED', `shelf "${name}" could not be saved: ${messageOf(cause)}`, {
    hint: 'Its changes are kept in memory, and saving is tried again.',
    cause,
  });
}

export function unbuilt(name: string, cause: unknown): FlecheError {
  return new FlecheError('SHELF_UNBUILT', `shelf "${name}" could not be built: ${messageOf(cause)}`, { cause });
}

export function notReady(name: string): FlecheError {
  return new FlecheError('SHELF_NOT_READY', `shelf "${name}" is still being loaded or built`, {
    hint: 'Await shelf.ready() before you use it; its own hooks must not use it at all.',
  });
}

export function closed(what: string): FlecheError {
  return new FlecheError('SHELF_CLOSED', `${what} is closed`, { hint: 'Ask its manager for a new one.' });
}

/**
 * How values are written down. Unlike a digest, an encoding keeps insertion order, so that a value read back is
 * indistinguishable from the one stored. One format on every runtime: the first byte is the format version, then comes
 * one tagged value. Every value that can be digested can be encoded, except instances whose class has no codec.
 * Shared references come back as separate equal copies; an error's stack is not kept.
 *
 * Frozen with the format version: new kinds get new numbers, old numbers are never reused.
 */

/** The first byte of every encoding. */
export const VERSION = 1;

/** What a value is, one byte each. */
export const TAG = {
  undefined: 0,
  null: 1,
  false: 2,
  true: 3,
  int: 4,
  double: 5,
  latin1: 6,
  utf8: 7,
  utf16: 8,
  bigint: 9,
  array: 10,
  sparse: 11,
  object: 12,
  bare: 13,
  map: 14,
  set: 15,
  date: 16,
  regexp: 17,
  url: 18,
  error: 19,
  buffer: 20,
  view: 21,
  symbol: 22,
  ref: 23,
  instance: 24,
  extras: 25,
} as const;

/** Kinds of views of bytes, by their numbers. */
// biome-ignore format: one table, in the order of their numbers on disk
export const VIEWS: readonly string[] = [
  'Int8Array', 'Uint8Array', 'Uint8ClampedArray', 'Int16Array', 'Uint16Array', 'Int32Array', 'Uint32Array',
  'Float32Array', 'Float64Array', 'BigInt64Array', 'BigUint64Array', 'Buffer', 'DataView', 'Float16Array',
];
/** Kinds of errors, by their numbers. */
export const ERRORS: readonly (ErrorConstructor | AggregateErrorConstructor)[] = [
  Error,
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
  AggregateError,
];
/** Members of an error that are not enumerable; one that is, because it was assigned, is written like any other member. */
export const ERROR_MEMBERS = ['message', 'name', 'cause', 'errors'] as const;

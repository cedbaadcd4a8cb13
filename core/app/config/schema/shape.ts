/**
 * The words in which the configuration is described: what a value may be, key by key. Descriptions are plain data; the
 * checks, the JSON Schema, the hints and the documentation are read off them.
 */
import type { Json } from '../../../store/record.ts';
import type { Format } from '../text/formats.ts';

/** Shapes that have a name of their own, here and in the JSON Schema. */
export type ShapeName = 'task' | 'template' | 'argument' | 'cache' | 'storage';

/** What is named by a text and must exist; a `member` is a cache that is no stack. */
export type Referent = 'task' | 'cache' | 'member';

export type Shape =
  | TextShape
  | { readonly kind: 'flag' }
  /** A whole number of at least `min`. */
  | { readonly kind: 'count'; readonly min: number }
  | ListShape
  | TableShape
  | FormsShape
  /** One of several shapes, told apart by their type: text, list, number or table. */
  | { readonly kind: 'either'; readonly of: readonly Shape[] }
  | { readonly kind: 'any' }
  /** The shape of this name in `SHAPES`; lets shapes contain themselves. */
  | { readonly kind: 'shape'; readonly name: ShapeName };

export interface TextShape {
  readonly kind: 'text';
  readonly format: Format;
  /** The allowed texts with what they mean; any text of the format when absent. */
  readonly values?: Readonly<Record<string, string>>;
  /** Texts that look allowed and are not, with what to do instead. */
  readonly refused?: Readonly<Record<string, string>>;
  readonly refers?: Referent;
}

export interface ListShape {
  readonly kind: 'list';
  readonly of: Shape;
  /** The order of the elements matters and one may come back; otherwise an element stands once. */
  readonly ordered?: true;
  readonly nonEmpty?: true;
}

export interface TableShape {
  readonly kind: 'table';
  readonly keys: Readonly<Record<string, Key>>;
  /** Any other key; without it other keys are errors. */
  readonly rest?: Rest;
  /** By the value of a key, the shape that the table has instead of this one. */
  readonly variants?: { readonly key: string; readonly by: Readonly<Record<string, TableShape>> };
  /** Keys that become necessary by the value of another key. */
  readonly needs?: { readonly key: string; readonly by: Readonly<Record<string, readonly string[]>> };
}

export interface Rest {
  readonly shape: Shape;
  readonly format: Format;
  /** Names that are taken, with what they stand for. */
  readonly reserved?: Readonly<Record<string, string>>;
  readonly doc: string;
  /** How to write one, as a line of TOML. */
  readonly example: string;
}

/** Tables that are told apart by a key that only one of them has. */
export interface FormsShape {
  readonly kind: 'forms';
  readonly forms: readonly { readonly tags: readonly string[]; readonly shape: TableShape }[];
  /** What a value without any tag is: a value as it stands, another table, or an error with this hint. */
  readonly otherwise: { readonly plain: true } | { readonly table: TableShape } | { readonly hint: string };
  /** Added to what is said of unknown keys. */
  readonly escape?: string;
}

export interface Key {
  readonly shape: Shape;
  readonly doc: string;
  /** How to write it, as a line of TOML. */
  readonly example: string;
  /** What an absent key means; keys without a default have a meaning of their own, told in `doc`. */
  readonly default?: Json;
  readonly required?: true;
}

export const FLAG: Shape = { kind: 'flag' };
export const ANY: Shape = { kind: 'any' };

export function text(format: Format): TextShape {
  return { kind: 'text', format };
}

export function listOf(of: Shape): ListShape {
  return { kind: 'list', of };
}

/** A list of texts of which later ones count more. */
export function patterns(format: Format): ListShape {
  return { kind: 'list', of: text(format), ordered: true };
}

/**
 * The values of the golden vectors, by the names used in fixtures/vectors. The files are frozen: they change only
 * together with the format version. New kinds of values get new entries, printed by
 *
 *     node --import tsx tests/base/_vectors.ts digest
 *     node --import tsx tests/base/_vectors.ts codec
 */
import { argv } from 'node:process';
import { pathToFileURL } from 'node:url';
import { digest } from '../../core/base/digest.ts';
import { encode } from '../../core/base/encode.ts';
import { asDigest } from '../../core/base/hash.ts';
import { Ref } from '../../core/base/ref.ts';

function bytes(...values: number[]): ArrayBuffer {
  return Uint8Array.from(values).buffer;
}

export function vectors(): ReadonlyMap<string, unknown> {
  const sparse: unknown[] = [1];
  sparse[3] = 2;
  return new Map<string, unknown>([
    ['undefined', undefined],
    ['null', null],
    ['true', true],
    ['false', false],
    ['0', 0],
    ['-0', -0],
    ['1', 1],
    ['-1', -1],
    ['1023', 1023],
    ['1024', 1024],
    ['0.1', 0.1],
    ['NaN', NaN],
    ['Infinity', Infinity],
    ['-Infinity', -Infinity],
    ['2^50', 2 ** 50],
    ['1e21', 1e21],
    ['5e-324', 5e-324],
    ['0n', 0n],
    ['-36n', -36n],
    ['2n^70', 2n ** 70n],
    ['empty string', ''],
    ['string "1"', '1'],
    ['string, two bytes a letter', 'é'],
    ['string, decomposed', 'e\u0301'],
    ['string, astral', '\u{1f600}'],
    ['string, lone surrogate', '\ud800'],
    ['string of 300', 'a'.repeat(300)],
    ['symbol', Symbol.for('fleche.test')],
    ['empty array', []],
    ['array', [1, [2, '3'], null]],
    ['array with holes', sparse],
    ['array with a member', Object.assign([1], { index: 0 })],
    ['empty object', {}],
    ['object', { b: 1, a: { c: [true] } }],
    ['object, integer-like keys', { b: 1, 10: 2, 9: 3 }],
    ['object, undefined member', { a: undefined }],
    ['object, key __proto__', JSON.parse('{"__proto__":1}')],
    ['object, symbol key', { [Symbol.for('fleche.test')]: 1, a: 2 }],
    ['object without prototype', Object.assign(Object.create(null), { a: 1 })],
    ['map', new Map<unknown, unknown>([['b', 1], ['a', 2], [{ k: 1 }, [3]]])], // biome-ignore format: short
    ['set', new Set<unknown>(['b', 'a', 1, { k: 1 }])],
    ['date', new Date(Date.UTC(2020, 1, 29, 12, 30, 15, 250))],
    ['invalid date', new Date(NaN)],
    ['regexp', Object.assign(/a\/[b]+/giu, { lastIndex: 3 })],
    ['url', new URL('https://user@example.org:8080/a%20b?c=d#e')],
    ['error', new Error('message')],
    [
      'error with cause and code',
      Object.assign(new TypeError('odd', { cause: new RangeError('why') }), { code: 'E_ODD' }),
    ],
    ['aggregate error', new AggregateError([new Error('one'), 2], 'several')],
    ['ArrayBuffer', bytes(1, 2, 255)],
    ['Buffer', Buffer.from(bytes(1, 2, 255))],
    ['Int8Array', new Int8Array(bytes(1, 2, 255))],
    ['Uint8Array', new Uint8Array(bytes(1, 2, 255))],
    ['Uint8ClampedArray', new Uint8ClampedArray(bytes(1, 2, 255))],
    ['Int16Array', new Int16Array(bytes(1, 2, 3, 255))],
    ['Uint16Array', new Uint16Array(bytes(1, 2, 3, 255))],
    ['Int32Array', new Int32Array(bytes(1, 2, 3, 255))],
    ['Uint32Array', new Uint32Array(bytes(1, 2, 3, 255))],
    ['Float32Array', new Float32Array(bytes(0, 0, 128, 63))],
    ['Float64Array', new Float64Array(bytes(0, 0, 0, 0, 0, 0, 240, 63))],
    ['BigInt64Array', new BigInt64Array(bytes(1, 2, 3, 4, 5, 6, 7, 255))],
    ['BigUint64Array', new BigUint64Array(bytes(1, 2, 3, 4, 5, 6, 7, 255))],
    ['DataView', new DataView(bytes(1, 2, 255))],
    ['reference', new Ref(asDigest('0123456789abcdef'.repeat(4)))],
    ['reference inside', { a: [new Ref(asDigest('0123456789abcdef'.repeat(4)))] }],
  ]);
}

/** The content of a vector file: the version, then a digest or the bytes in hex by name. */
export function vectorFile(kind: 'digest' | 'codec'): string {
  const hex = (value: unknown): string =>
    kind === 'digest' ? digest(value) : Buffer.from(encode(value)).toString('hex');
  const entries = [...vectors()].map(([name, value]) => [name, hex(value)] as const);
  return `${JSON.stringify({ version: 1, vectors: Object.fromEntries(entries) }, null, 2)}\n`;
}

if (import.meta.url === pathToFileURL(argv[1] ?? '').href) {
  process.stdout.write(vectorFile(argv[2] === 'codec' ? 'codec' : 'digest'));
}

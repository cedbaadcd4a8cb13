import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { recordFromJson, recordToJson } from '../../../core/store/folder/json-record.ts';
import { aRecord, CASES, someRecord } from '../_record.ts';

test('a record comes back from its document, whatever the layout', () => {
  fc.assert(
    fc.property(someRecord, (record) => {
      const text = recordToJson(record);
      assert.equal(recordFromJson(text), record);
      assert.equal(recordFromJson(JSON.stringify(JSON.parse(text))), record);
    }),
    { numRuns: CASES },
  );
});

test('a document that was cut short or changed is no record', () => {
  const text = recordToJson(aRecord());
  for (let length = 0; length < text.trimEnd().length; length++) {
    assert.is(recordFromJson(text.slice(0, length)), undefined, `${length} characters`);
  }
  fc.assert(
    fc.property(fc.nat(text.length - 1), fc.constantFrom('0', '1', 'a', '"', ' ', '}'), (at, character) => {
      const changed = text.slice(0, at) + character + text.slice(at + 1);
      const found = recordFromJson(changed);
      // White space was changed, or a character to what it was.
      if (found !== undefined) assert.equal(found, aRecord());
    }),
  );
  for (const other of ['', 'null', '[]', '"text"', '{}', '{"format":1}', '{"format":1,"checksum":"","record":null}']) {
    assert.is(recordFromJson(other), undefined, other);
  }
});

test.run();

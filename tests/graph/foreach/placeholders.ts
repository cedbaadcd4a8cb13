/** What stands for an item: in outputs, and in commands, which real shells are asked about. */
import { execFileSync } from 'node:child_process';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  commandWithVariables,
  patternFor,
  patternForAll,
  variablesFor,
} from '../../../core/graph/foreach/placeholders.ts';

const NASTY = `a 'b' "c" $(touch x) \`d\` ; & | * \\ {name} \n-rf`;

function printed(command: string, path: string): string {
  const text = commandWithVariables(command, false).command;
  return execFileSync('/bin/sh', ['-c', text], { env: { ...variablesFor({ path, name: 'N' }) }, encoding: 'utf8' });
}

test('a shell takes an item for one word, whatever is in it, quoted or not', () => {
  for (const command of [
    `printf '<%s>' {path}`,
    `printf '<%s>' "{path}"`,
    `printf "<%s>" {path}`,
    `printf '<%s>' "$(printf '%s' {path})"`,
    `printf '<%s>' "$(printf '%s' "{path}")"`,
    `(printf '<%s>' {path})`,
    `printf '<%s>' "\`printf '%s' {path}\`"`,
  ]) {
    assert.is(printed(command, NASTY), `<${NASTY}>`, command);
  }
});

test('what stands beside an item is part of its word', () => {
  assert.is(printed(`printf '<%s>' -o{path}.html "x{path}y{name}" \\"{path}\\"`, 'a b'), '<-oa b.html><xa byN><"a b">');
});

test('other braces are the shell’s, and single quotes are said', () => {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of the shell
  const text = 'echo ${name} {a,b} {other} | awk "{print}" # {}';
  assert.equal(commandWithVariables(text, false), { command: text, isQuoted: false });
  assert.equal(commandWithVariables("awk '{name}' {name}", false), {
    command: `awk '{name}' "\${FLECHE_NAME}"`,
    isQuoted: true,
  });
  assert.equal(commandWithVariables("awk '{print}' {name}", false).isQuoted, false);
});

test('on Windows variables are written as its shell does', () => {
  assert.is(
    commandWithVariables('type {path} > "out/{name}.txt"', true).command,
    'type "%FLECHE_PATH%" > "out/%FLECHE_NAME%.txt"',
  );
});

test('an output of an item is among those of all', () => {
  const fields = { path: 'docs/a/b.md', dir: 'a', name: 'b', ext: '.md' };
  const filled = (template: string): string => patternFor(template, fields, 'docs/a/b.md');
  assert.is(filled('build/{dir}/{name}.html'), 'build/a/b.html');
  assert.is(patternFor('build/{dir}/{name}.html', { ...fields, dir: '.' }, 'x'), 'build/b.html');
  assert.is(filled('build/{path}.json'), 'build/docs/a/b.md.json');
  assert.is(filled('build/{name}{ext}'), 'build/b.md');
  assert.is(patternFor('{name}', { name: '!a' }, 'x'), './!a');
  assert.is(patternForAll('build/{dir}/{name}.html'), 'build/**/*.html');
});

test('a text that would mean something else in an output is refused', () => {
  for (const [item, says] of [
    ['a/b', '"a/b" is not the name of a file'],
    ['..', '".." is not the name of a file'],
    ['', '"" is not the name of a file'],
    ['a*', '"a*" is not the name of a file'],
    [undefined, 'it has no such text'],
  ] as const) {
    const fields = item === undefined ? { key: 'k' } : { key: 'k', item };
    assert.throws(
      () => patternFor('out/{item}', fields, 'X'),
      (error: Error) => error.message.includes(says),
    );
  }
});

test.run();

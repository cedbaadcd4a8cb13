/** Who decides about colours and about redrawing. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { styleFor, wantsColors, wantsLive } from '../../../core/app/terminal/style.ts';

test('colours: the option is above the environment, the environment above the terminal', () => {
  assert.is(wantsColors('always', { NO_COLOR: '1' }, false), true);
  assert.is(wantsColors('never', { FORCE_COLOR: '1' }, true), false);
  assert.is(wantsColors('auto', { FORCE_COLOR: '1', NO_COLOR: '1' }, false), true);
  assert.is(wantsColors('auto', { FORCE_COLOR: '0' }, true), false);
  assert.is(wantsColors('auto', { NO_COLOR: '1' }, true), false);
  assert.is(wantsColors('auto', { NO_COLOR: '' }, true), true);
  assert.is(wantsColors('auto', { TERM: 'dumb' }, true), false);
  assert.is(wantsColors('auto', {}, true), true);
  assert.is(wantsColors('auto', {}, false), false);
});

test('redrawing: only on a terminal, never in CI', () => {
  assert.is(wantsLive({}, true), true);
  assert.is(wantsLive({}, false), false);
  assert.is(wantsLive({ CI: 'true' }, true), false);
  assert.is(wantsLive({ CI: 'false' }, true), true);
  assert.is(wantsLive({ TERM: 'dumb' }, true), false);
});

test('without colours a style changes nothing', () => {
  const { bold, hue, ...rest } = styleFor({ colors: false });
  assert.is(bold('x') + hue(3, 'y'), 'xy');
  for (const paint of Object.values(rest)) assert.is(paint('x'), 'x');
});

test('with colours every look is taken back', () => {
  const { hue, ...rest } = styleFor({ colors: true });
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  const painted = /^\u001b\[\d+mx\u001b\[(?:39|22)m$/;
  for (const paint of Object.values(rest)) assert.match(paint('x'), painted);
  for (let index = 0; index < 30; index++) assert.match(hue(index, 'x'), painted);
  assert.is(rest.red(''), '');
});

test.run();

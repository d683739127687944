import t from 'tap';
import { escapeControlCharacters } from '../../protocol/control-characters.ts';

t.test('control characters are shown as escapes', async (t) => {
  t.equal(escapeControlCharacters('\x1b[31mred\x07'), '\\u001b[31mred\\u0007');
  t.equal(escapeControlCharacters('\x7f\x9b'), '\\u007f\\u009b');
  t.equal(escapeControlCharacters('a\nb'), 'a\\u000ab');
});

t.test('marks that change the direction of text are control characters', async (t) => {
  for (const mark of ['\u200e', '\u200f', '\u2028', '\u2029', '\u202a', '\u202e', '\u2066', '\u2069']) {
    t.equal(escapeControlCharacters(`a${mark}b`), `a\\u${mark.charCodeAt(0).toString(16)}b`);
  }
});

t.test('text in any language stays as it is', async (t) => {
  for (const text of ['Zoë', '日本語', 'עברית', '👩‍💻', ' tab-free text ']) {
    t.equal(escapeControlCharacters(text), text);
  }
});

import t from 'tap';
import { isObject, parseJson, parseObject } from '../../protocol/json.ts';

t.test('isObject accepts objects and rejects arrays, null and plain values', async (t) => {
  for (const value of [{}, { a: 1 }, Object.create(null)]) t.equal(isObject(value), true);
  for (const value of [[], null, undefined, 'a', 7, true]) t.equal(isObject(value), false);
});

t.test('parseObject returns an object, and undefined for any other text', async (t) => {
  t.same(parseObject('{"a":[1]}'), { a: [1] });
  for (const text of ['', '{', '[]', 'null', '"a"', '7']) t.equal(parseObject(text), undefined, text);
});

t.test('parseJson returns undefined for a text that is not JSON', async (t) => {
  t.same(parseJson('[1, null]'), [1, null]);
  for (const text of ['', '{', 'undefined']) t.equal(parseJson(text), undefined, text);
});

import t from 'tap';
import { BUILD_VERSION, PROTOCOL_VERSION, VERSION_HEADER } from '../../protocol/version.ts';

t.test('versions have the shape that shims compare', async (t) => {
  t.ok(Number.isInteger(PROTOCOL_VERSION) && PROTOCOL_VERSION >= 1);
  t.match(BUILD_VERSION, /^\d+\.\d+\.\d+$/, 'package.json\u2019s; the architecture test compares them');
  t.match(VERSION_HEADER, /^[a-z-]+$/, 'in lower case, as Node gives headers');
});

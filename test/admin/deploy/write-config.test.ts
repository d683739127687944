import {
  chmodSync,
  existsSync,
  lstatSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { writeConfigFields } from '../../../admin/deploy/write-config.ts';

const POOL = 'us-east-1:11111111-2222-4333-8444-555555555555';
const FIELDS = { identity_pool_id: POOL };

function write(path: string, text: string): string {
  writeFileSync(path, text);
  writeConfigFields(path, 'ClaudeCode', FIELDS);
  return readFileSync(path, 'utf8');
}

t.test('only the value changes; every other byte stays', async (t) => {
  const path = join(t.testdir(), 'config.json');
  const text =
    '\uFEFF{\r\n\t"profiles" : {\r\n\t\t"ClaudeCode":{"client_id":"a",  "identity_pool_id" :"us-east-1:0" , "provider_domain":"x.okta.com", "future": 1.50e3},\r\n\t\t"Other": {"client_id": 7}\r\n\t}\r\n}';
  t.equal(write(path, text), text.replace('us-east-1:0', POOL));
  t.equal(readFileSync(`${path}.bak`, 'utf8'), text);
});

t.test('a missing field is added in the style of the file', async (t) => {
  const path = join(t.testdir(), 'config.json');
  const text = `{
    "ClaudeCode": {
        "provider_domain": "x.okta.com",
        "client_id": "a",
        "federation_type": "cognito"
    }
}
`;
  t.equal(
    write(path, text),
    text.replace('"cognito"\n', `"cognito",\n        "identity_pool_id": "${POOL}"\n`),
  );
});

t.test('an older name of the field keeps its place and gets the value', async (t) => {
  const path = join(t.testdir(), 'config.json');
  const text =
    '{"ClaudeCode": {"okta_domain": "x.okta.com", "okta_client_id": "a", "identity_pool_name": "us-east-1:0"}}';
  t.equal(write(path, text), text.replace('us-east-1:0', POOL));
});

t.test('the mode and the symbolic link are kept, and a second run changes nothing', async (t) => {
  const folder = t.testdir();
  const target = join(folder, 'shared.json');
  const path = join(folder, 'config.json');
  writeFileSync(
    target,
    '{"ClaudeCode": {"provider_domain": "x.okta.com", "client_id": "a", "identity_pool_id": "us-east-1:0"}}',
  );
  chmodSync(target, 0o640);
  symlinkSync(target, path);
  t.equal(writeConfigFields(path, 'ClaudeCode', FIELDS), true);
  t.ok(lstatSync(path).isSymbolicLink());
  t.equal(statSync(path).mode & 0o777, 0o640);
  t.equal(statSync(`${path}.bak`).mode & 0o777, 0o640);
  const backup = readFileSync(`${path}.bak`, 'utf8');
  t.equal(writeConfigFields(path, 'ClaudeCode', FIELDS), false);
  t.equal(readFileSync(`${path}.bak`, 'utf8'), backup);
});

t.test('a file in which the field would have no effect is not changed', async (t) => {
  const path = join(t.testdir(), 'config.json');
  const text =
    '{"ClaudeCode": {"provider_domain": "x.okta.com", "client_id": "a", "identity_pool_id": "us-east-1:0", "identity_pool_id": "us-east-1:1"}}';
  t.throws(() => write(path, text), {
    code: 'ERR_CONFIG_INVALID',
    fix: `write identity_pool_id: "${POOL}" there yourself`,
  });
  t.equal(readFileSync(path, 'utf8'), text);
  t.notOk(existsSync(`${path}.bak`));
});

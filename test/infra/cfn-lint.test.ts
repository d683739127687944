import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import type { InfraProfile } from '../../infra/profile/profile.ts';
import { findTool, missing } from '../../tools/support/find-tool.ts';
import { configurations, stacksIn } from './fixtures/configurations.ts';
import { jsonOf } from './fixtures/templates.ts';

process.env.CDK_VALIDATION = 'false';

/** cfn-lint in the environment that .ci/run makes of requirements.txt. */
const cfnLint = findTool(fileURLToPath(new URL('../../../../build/cfn-lint/bin/cfn-lint', import.meta.url)));
const skip = missing({ 'build/cfn-lint (cfn-lint)': cfnLint });

/** A profile as it is in another partition. */
function movedTo(profile: InfraProfile, region: string, second: string, partition: string): InfraProfile {
  const text = JSON.stringify(profile)
    .replaceAll('eu-central-1', region)
    .replaceAll('eu-west-1', second)
    .replaceAll('arn:aws:', `arn:${partition}:`);
  return JSON.parse(text) as InfraProfile;
}

/** Writes every distinct template of every configuration. @returns their paths */
function writeTemplates(t: Test, region: string, second: string, partition: string): string[] {
  const folder = t.testdir();
  const looked = new Set<string>();
  const texts = new Set<string>();
  for (const configuration of configurations()) {
    const profile = movedTo(configuration.profile, region, second, partition);
    for (const { stack } of stacksIn(configuration)) {
      const { monitoring, ...rest } = profile;
      const key = JSON.stringify([
        stack,
        stack === 'auth' ? [rest, !!monitoring] : [monitoring, rest.identityProvider],
      ]);
      if (looked.has(key)) continue;
      looked.add(key);
      texts.add(JSON.stringify({ ...jsonOf(t, stack, profile), Description: stack }));
    }
  }
  return [...texts].map((text, index) => {
    const path = join(folder, `${index}.json`);
    writeFileSync(path, text);
    return path;
  });
}

/** Lints in one process. @returns its findings */
function lint(regions: readonly string[], paths: readonly string[]): string {
  const args = ['--format', 'parseable', '--regions', ...regions, '--template', ...paths];
  const { stdout, stderr } = spawnSync(cfnLint ?? '', args, { encoding: 'utf8', maxBuffer: 2 ** 26 });
  return stdout + stderr;
}

const PARTITIONS = [
  {
    partition: 'aws',
    regions: ['eu-central-1', 'us-east-1', 'ap-northeast-1', 'sa-east-1'],
    second: 'eu-west-1',
  },
  { partition: 'aws-us-gov', regions: ['us-gov-west-1'], second: 'us-gov-east-1' },
  { partition: 'aws-cn', regions: ['cn-north-1'], second: 'cn-northwest-1' },
] as const;

for (const { partition, regions, second } of PARTITIONS) {
  t.test(`cfn-lint finds nothing in any template for ${regions.join(', ')}`, { skip }, async (t) => {
    const paths = writeTemplates(t, regions[0], second, partition);
    t.ok(paths.length > 70, `${paths.length} templates`);
    t.equal(lint(regions, paths), '');
  });
}

t.test('cfn-lint reports a wrong template', { skip }, async (t) => {
  const path = join(t.testdir(), 'wrong.json');
  writeFileSync(
    path,
    JSON.stringify({ Resources: { Logs: { Type: 'AWS::Logs::LogGroup', Properties: { Planted: 1 } } } }),
  );
  t.match(lint(['us-east-1'], [path]), /E3002.*Planted/);
});

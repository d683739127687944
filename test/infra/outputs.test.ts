import { spawnSync } from 'node:child_process';
import t from 'tap';
import { deploymentName, STACKS, stackName } from '../../infra/outputs.ts';

t.test('names derive from the profile', async (t) => {
  t.strictSame(STACKS, ['auth']);
  t.equal(stackName('ClaudeCode', 'auth'), 'ccwb-ClaudeCode-auth');
  t.equal(deploymentName('ClaudeCode'), 'ccwb-ClaudeCode');
});

t.test('reading the outputs loads no CDK', async (t) => {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const outputs = new URL(`../../infra/outputs.${extension}`, import.meta.url);
  const script = `
    import module from 'node:module';
    await import(${JSON.stringify(outputs.href)});
    process.stdout.write(String(Object.keys(module._cache).filter((path) => path.includes('aws-cdk-lib')).length));
  `;
  const { stdout, status } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
  });
  t.strictSame({ stdout, status }, { stdout: '0', status: 0 });
});

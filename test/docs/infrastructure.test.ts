import { join } from 'node:path';
import t from 'tap';
import { planStacks } from '../../admin/deploy/synth.ts';
import { readInfraFile, SETTINGS } from '../../admin/profiles/infra-file.ts';
import { countMetrics } from '../../infra/collector/claude-code-metrics.ts';
import { COLLECTOR_IMAGE } from '../../infra/collector/collector-service.ts';
import { STACKS, type StackId } from '../../infra/outputs.ts';
import { parseConfig, profileNamed } from '../../protocol/config.ts';
import { codeIn, fences, readText, tableUnder } from '../../tools/docs/pages.ts';
import { configurations, stacksIn } from '../infra/fixtures/configurations.ts';
import { jsonOf } from '../infra/fixtures/templates.ts';

process.env.CDK_VALIDATION = 'false';

const PAGE = readText('docs/infrastructure.md');

t.test('docs/infrastructure.md names every setting and no other', async (t) => {
  const documented = tableUnder(PAGE, 'The settings').flatMap(([field]) => codeIn(field));
  t.strictSame(documented, SETTINGS);
});

t.test('every example of docs/infrastructure.md gives templates', async (t) => {
  const fields = { provider_domain: 'company.okta.com', client_id: 'c', identity_pool_id: 'us-east-1:0' };
  const profile = profileNamed(parseConfig(JSON.stringify({ P: fields }), 'config.json'), 'P');
  const examples = fences(PAGE).filter(({ language }) => language === 'json');
  t.ok(examples.length >= 3);
  for (const { text } of examples) {
    const infraFile = join(t.testdir({ 'infra.json': text }), 'infra.json');
    t.ok(readInfraFile(infraFile));
    t.ok(planStacks(['auth', 'monitoring'], profile, { globalInference: true, infraFile }));
  }
});

t.test('docs/infrastructure.md names every resource there can be, with its type', async (t) => {
  const found = new Map<StackId, Map<string, string>>(STACKS.map((stack) => [stack, new Map()]));
  for (const configuration of configurations()) {
    if (!/^(okta|google)/.test(configuration.label)) continue;
    for (const { stack } of stacksIn(configuration)) {
      const { Resources } = jsonOf(t, stack, configuration.profile);
      for (const [id, { Type }] of Object.entries(Resources)) found.get(stack)?.set(id, Type);
    }
  }
  for (const [stack, resources] of found) {
    const documented = tableUnder(PAGE, stack).flatMap(([ids, types = '']) => {
      const names = types.split(', ');
      return codeIn(ids).map((id, index) => [id, names[index] ?? names.at(-1)]);
    });
    t.strictSame(Object.fromEntries(documented), Object.fromEntries(resources), stack);
  }
});

t.test('the figures of docs/infrastructure.md are those of the code', async (t) => {
  const sizes = { type: 4, model: 5, tool_name: 3, decision: 2 };
  const [small, large] = [20, 100].map((department) => countMetrics({ ...sizes, department }));
  t.ok(PAGE.includes(`at most ${small} metrics, with 100 departments ${large}`));
  t.ok(PAGE.includes(`OpenTelemetry ${/:(v[\d.]+)@/.exec(COLLECTOR_IMAGE)?.[1]} `));
});

t.test('docs/infrastructure.md tells every stack', async (t) => {
  for (const heading of ['Infrastructure', 'What stays after destroy']) {
    t.strictSame(
      tableUnder(PAGE, heading).flatMap(([stack]) => codeIn(stack)),
      STACKS,
    );
  }
});

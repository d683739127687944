import t from 'tap';
import { countMetrics, METRICS } from '../../../infra/collector/claude-code-metrics.ts';

t.test('no dimension grows with the number of people', async (t) => {
  const dimensions = Object.values(METRICS).flatMap(({ dimensionSets }) => dimensionSets.flat());
  for (const unbounded of ['user.email', 'user.id', 'session.id', 'team.id'])
    t.notOk(
      dimensions.some((dimension) => dimension === unbounded),
      unbounded,
    );
});

t.test('metrics are counted by the values of their dimensions', async (t) => {
  const one = { type: 1, model: 1, department: 1, tool_name: 1, decision: 1 };
  const sets = Object.values(METRICS).flatMap(({ dimensionSets }) => dimensionSets).length;
  t.equal(countMetrics(one), sets);
  t.equal(countMetrics({ ...one, tool_name: 3, decision: 2 }), sets + 5);
  t.equal(countMetrics({ ...one, department: 11 }), sets + 2 * 10);
});

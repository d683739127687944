import t from 'tap';
import {
  ASSUMPTIONS,
  type CostShape,
  furtherTrailUsd,
  type MonitoringShape,
  monthlyCost,
  SCALES,
  telemetryGb,
} from '../../infra/cost.ts';

const MONITORING = { network: 'private', alarms: true, analytics: true } as const;
const SHAPE: CostShape = { users: 100, auditDays: 365, monitoring: MONITORING };

function withMonitoring(other: Partial<MonitoringShape>): CostShape {
  return { ...SHAPE, monitoring: { ...MONITORING, ...other } };
}

function usd(shape: CostShape, what: RegExp): number {
  return monthlyCost(shape).items.find((item) => what.test(item.what))?.usd ?? 0;
}

t.test('the total is the sum of its parts, the largest first', async (t) => {
  for (const users of SCALES) {
    const { items, totalUsd } = monthlyCost({ ...SHAPE, users });
    t.equal(
      totalUsd,
      items.reduce((sum, item) => sum + item.usd, 0),
    );
    t.strictSame(
      items.map((item) => item.usd),
      items.map((item) => item.usd).sort((a, b) => b - a),
    );
    t.equal(new Set(items.map(({ what }) => what)).size, items.length);
  }
});

t.test('options that are not chosen add no cost', async (t) => {
  t.equal(usd(withMonitoring({ network: 'existing' }), /NAT|Public/), 0);
  t.equal(usd(withMonitoring({ network: 'public' }), /NAT/), 0);
  t.ok(
    usd(SHAPE, /NAT/) > usd(withMonitoring({ network: 'public' }), /Public/),
    'the cheap choice is cheaper',
  );
  t.equal(usd(withMonitoring({ analytics: false }), /Firehose|Athena|a year|Lambda/), 0);
  t.equal(usd(withMonitoring({ alarms: false }), /Alarms/), 0);
  t.equal(usd({ ...SHAPE, auditDays: undefined }, /Audit/), 0);
  t.strictSame(monthlyCost({ users: 100, auditDays: undefined, monitoring: undefined }), {
    items: [],
    totalUsd: 0,
  });
  const audited = monthlyCost({ ...SHAPE, monitoring: undefined });
  t.strictSame(
    audited.items.map(({ what }) => what),
    ['Audit trail (CloudWatch Logs, S3)'],
  );
});

t.test('the estimate equals a calculation by hand', async (t) => {
  // 1,000 people, 6 hours on 21 days: 126,000 hours; 480 records of 1,200 bytes in each.
  t.equal(telemetryGb(1_000).metrics.toFixed(3), ((126_000 * 480 * 1_200) / 1e9).toFixed(3));
  t.equal(telemetryGb(1_000).events.toFixed(3), ((126_000 * 150 * 1_000) / 1e9).toFixed(3));
  t.equal(usd({ ...SHAPE, users: 1_000 }, /into CloudWatch Logs/).toFixed(2), (0.5 * 91.476).toFixed(2));
  // 756,000 calls a month with 2,500 bytes each: 1.89 GB; kept for 12.17 months at 0.0045 and 0.0023.
  t.equal(usd(SHAPE, /Audit/).toFixed(2), (1.89 * (0.5 + (365 / 30) * 0.0068)).toFixed(2));
  t.equal(furtherTrailUsd(100).toFixed(2), '15.12');
  // 730 hours of 0.02024 + 0.004445.
  t.equal(usd(SHAPE, /Fargate/).toFixed(2), '18.02');
  // Tokens 1 + 4 + 4 + 2, cost 1 + 4 + 2, then 1, 4, 1, 1, 1 and 6 metrics at 0.30.
  t.equal(usd(SHAPE, /CloudWatch metrics/).toFixed(2), '9.60');
});

t.test('no more tasks are counted than the service may have', async (t) => {
  const many = usd({ ...SHAPE, users: 1_000_000 }, /Fargate/);
  t.equal(many, usd({ ...SHAPE, users: ASSUMPTIONS.peoplePerTask * ASSUMPTIONS.mostTasks }, /Fargate/));
});

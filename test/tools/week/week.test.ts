import t from 'tap';
import { MOST_GRANTS } from '../../../tools/week/judge.ts';
import { judgeWeeks } from '../../../tools/week/weeks.ts';

/**
 * Weeks that went wrong once: with node-cron's own waiting no tick came for an hour after the clock was set back
 * (4, 9 and 10), and a back-off of minutes let credentials get short after an outage (5, 6 and 7).
 */
const SEEDS = [4, 5, 6, 10];

t.test('a week of sleeps, bad networks, outages and wrong clocks', async (t) => {
  const [again, ...verdicts] = await judgeWeeks([SEEDS[0] ?? 0, ...SEEDS]);
  for (const { seed, broken, requests, grants, ...verdict } of verdicts) {
    t.same(broken, [], `every promise of the week of seed ${seed} is kept`);
    t.equal(requests.settledWaits, 0, 'nobody waits for the network while there are credentials');
    t.ok(requests.leastLifeMs >= 20 * 60_000, 'every answer has 20 minutes of life');
    t.equal(verdict.shortMs, 0, 'and would have had, had anybody asked');
    t.equal(verdict.signIns + verdict.reuses + verdict.concurrent, 0, 'the session lasts');
    t.ok(grants.made <= MOST_GRANTS * grants.least, `${grants.made} grants, ${grants.least} at least`);
    t.ok(requests.settled > 500 && verdict.settledHours > 30, 'there was something to judge');
    t.ok(grants.lost >= 2 && requests.errors > 0, 'and things did go wrong');
  }
  t.same(again, verdicts[0], 'the same seed gives the same week');
});

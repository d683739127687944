import t from 'tap';
import { seededRandom } from '../../../tools/support/random.ts';
import { leastGrants, type Obligation } from '../../../tools/week/least-grants.ts';
import { HOUR, MINUTE } from '../../../tools/week/plan.ts';

const minutes = (from: number, to: number) => ({ from: from * MINUTE, to: to * MINUTE });

function obligation(needed: readonly (readonly [number, number])[], renewWithMinutes = 25): Obligation {
  const intervals = needed.map(([from, to]) => minutes(from, to));
  return {
    life: minutes(0, 10_000),
    needed: intervals,
    awsReachable: intervals,
    renewWithMs: renewWithMinutes * MINUTE,
  };
}

t.test('an awake laptop needs a grant in an hour and a half', async (t) => {
  // 55 minutes of the ID token, and then 35 of the credentials of its last exchange.
  t.equal(leastGrants([obligation([[0, 90]])]), 1);
  t.equal(leastGrants([obligation([[0, 91]])]), 2);
  t.equal(leastGrants([obligation([[0, 900]])]), 10);
  t.equal(leastGrants([obligation([[0, 95]], 20)]), 1, 'with less life to keep, in 95 minutes');
});

t.test('nothing is owed for a time asleep, and the last exchange is before it', async (t) => {
  const shortNap: [number, number][] = [
    [0, 50],
    [60, 85],
  ];
  t.equal(leastGrants([obligation(shortNap)]), 1, 'exchanged at 50, and good until 85');
  t.equal(leastGrants([obligation([...shortNap, [85, 86]])]), 2, 'and no longer');
  const night: [number, number][] = [
    [0, 10],
    [600, 610],
  ];
  t.equal(leastGrants([obligation(night)]), 2);
});

t.test('each daemon begins with nothing', async (t) => {
  const one = obligation([[0, 60]]);
  const restarted = [
    { ...one, life: minutes(0, 30) },
    { ...one, life: minutes(30, 60) },
  ];
  t.equal(leastGrants(restarted), 2);
});

t.test('no schedule does better', async (t) => {
  const random = seededRandom(1);
  for (let round = 0; round < 40; round += 1) {
    const needed: [number, number][] = [];
    let at = 0;
    for (let stretch = 0; stretch < 4; stretch += 1) {
      const from = at + 10 * random.whole(0, 6);
      at = from + 10 * random.whole(1, 9);
      needed.push([from, at]);
    }
    const owed = obligation(needed, 30);
    t.equal(leastGrants([owed]), bySearch(owed), JSON.stringify(needed));
  }
});

/** By trying every set of moments on a grid of five minutes, the small sets first. */
function bySearch({ needed, awsReachable, renewWithMs }: Obligation): number {
  const grid = 5 * MINUTE;
  const end = needed.at(-1)?.to ?? 0;
  const moments = Array.from({ length: end / grid + 1 }, (_, index) => index * grid);
  const owed = moments.filter((moment) => needed.some(({ from, to }) => from <= moment && moment < to));
  /** The end of a stretch just counts as a moment at which AWS could be asked. */
  const exchanges = moments.filter((moment) =>
    awsReachable.some(({ from, to }) => from <= moment && moment <= to),
  );
  const grants = owed.map((from) => {
    const last = Math.max(...exchanges.filter((at) => at >= from && at <= from + HOUR - 5 * MINUTE));
    return { from, to: last + HOUR - renewWithMs };
  });
  const possible = (left: readonly number[], number: number): boolean => {
    const [first] = left;
    if (first === undefined) return true;
    return (
      number > 0 &&
      grants
        .filter(({ from, to }) => from <= first && first < to)
        .some(({ from, to }) =>
          possible(
            left.filter((moment) => moment < from || moment >= to),
            number - 1,
          ),
        )
    );
  };
  let number = 0;
  while (!possible(owed, number)) number += 1;
  return number;
}
